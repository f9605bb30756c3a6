"""Engines for SQLite and PostgreSQL: all that differs between the two before any SQL."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from atoll.errors import InvalidInput

#: How long a writer waits for another before the store counts as unavailable.
LOCK_WAIT_SECONDS = 30
CONNECT_SECONDS = 5
#: A process that stops in the middle of a write must not hold its locks for ever.
IDLE_IN_TRANSACTION_SECONDS = 60

#: Execution option of connections that are going to write.
WRITES = "atoll_writes"


def engine_for(url: str) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql+psycopg://...`; nothing is connected yet.

    A SQLite file is made if absent, with mode 0600. Raises `InvalidInput` for any other URL.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise InvalidInput(
            "The database URL cannot be read.", todo="Write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE."
        ) from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed.set(drivername="postgresql+psycopg"))
    raise InvalidInput(
        f"Records cannot be kept in {parsed.get_backend_name()}.", todo="Use a sqlite or postgresql+psycopg URL."
    )


def shown_url(engine: Engine) -> str:
    """Where the engine goes, for messages: without password and options."""
    options = [name for name in engine.url.query if name not in ("host", "port")]
    return engine.url.difference_update_query(options).render_as_string(hide_password=True)


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise InvalidInput("SQLite records need a file.", todo="Write sqlite:///FILE.")
    _private_file(Path(url.database))
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        max_overflow=64,
        pool_timeout=LOCK_WAIT_SECONDS,
        connect_args={"timeout": LOCK_WAIT_SECONDS},
    )

    def prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        # The driver would open transactions by itself, and late; `begin` below does it instead.
        connection.isolation_level = None
        _wal(connection)
        # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits when power fails.
        # A lost audit entry breaks a promise, and a lost domain key makes the pseudonyms
        # already in the lake unrepeatable. It costs one fsync for each commit.
        connection.execute("PRAGMA synchronous=FULL")

    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock first: a transaction that reads and then writes
        # could otherwise fail half-way because another process wrote in between.
        # What only reads asks one thing at a time, for which SQLite needs no BEGIN.
        if connection.get_execution_options().get(WRITES, False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _private_file(path: Path) -> None:
    """Make the file with mode 0600; SQLite gives its -wal and -shm files the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise InvalidInput(
            f"The record store's file cannot be opened: {error.strerror}.",
            where=str(path),
            todo="Choose a path that this user can write.",
        ) from None


def _wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging: readers do not wait for the writer.

    The first switch needs the file alone and does not honour the busy timeout when
    two processes make it at once, so it is tried again until the other has done it.
    """
    give_up = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def _postgresql(url: URL) -> Engine:
    options = (
        f"-c lock_timeout={LOCK_WAIT_SECONDS}s -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_SECONDS}s"
    )
    return create_engine(
        url,
        hide_parameters=True,
        # A server that was restarted is noticed before a statement is sent, not after.
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=32,
        pool_timeout=LOCK_WAIT_SECONDS,
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "atoll", "options": options},
    )

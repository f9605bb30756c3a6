"""Brings the tables of a record store to the newest revision, once, whoever comes first."""

from __future__ import annotations

import threading
from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from atoll.errors import IntegrityBroken
from atoll.providers.records.engines import WRITES, shown_url
from atoll.providers.records.faults import translated

#: Key of the PostgreSQL advisory lock held while migrating: "atoll" in ASCII.
ADVISORY_LOCK = int.from_bytes(b"atoll", "big")
# Alembic keeps its context in module globals, so threads must take turns.
_ONE_AT_A_TIME = threading.Lock()


def alembic_config() -> Config:
    """Where the migrations are, for Alembic; they travel inside the package."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("atoll.providers.records") / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine) -> None:
    """Make or upgrade the tables; returns at once when they are current.

    Safe when several processes call it together: one migrates while the others wait,
    and a migration that fails leaves nothing behind.
    Raises `Unavailable`, and `IntegrityBroken` when a newer release made the tables.
    """
    where = shown_url(engine)
    config = alembic_config()
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    with translated(where):
        with engine.connect() as connection:
            if _revision(connection) == head:
                return
        with _ONE_AT_A_TIME, engine.execution_options(**{WRITES: True}).begin() as connection:
            # SQLite: BEGIN IMMEDIATE has locked the file already.
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            found = _revision(connection)
            if found is not None and found not in {s.revision for s in script.walk_revisions()}:
                raise IntegrityBroken(
                    f"The record store is at revision {found}, which this release does not know.",
                    where=where,
                    todo="Run the release of Atoll that made it, or a newer one.",
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()

"""A `RecordStore` in a SQL database: SQLite or PostgreSQL, by SQLAlchemy Core."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, TypeVar

import pydantic
from sqlalchemy import ColumnElement, Connection, Engine, Integer, Row, Select, bindparam, select

from atoll.errors import IntegrityBroken, NotFound, Unavailable
from atoll.model.record import Record
from atoll.ports.records import Page, Put, StreamEntry, Write
from atoll.providers.records import engines
from atoll.providers.records.engines import WRITES, shown_url
from atoll.providers.records.faults import Undone, translated
from atoll.providers.records.tables import record_indexes, records, stream_entries
from atoll.providers.records.writes import apply, checked, is_key, key_text

R = TypeVar("R", bound=Record)


_open_stores: weakref.WeakSet[SqlRecordStore] = weakref.WeakSet()


def _after_fork() -> None:
    """In the child of a fork: leave the parent's connections alone and make new ones."""
    for store in tuple(_open_stores):
        store._forked()


os.register_at_fork(after_in_child=_after_fork)


class SqlRecordStore:
    """See `atoll.ports.records.RecordStore` for what each method promises.

    A write that ends in `Unavailable` may have been made: the answer to a commit can
    be lost on the way. Read again before it is repeated.
    """

    #: How often a transaction that the database undid is run again.
    ATTEMPTS: ClassVar[int] = 10

    def __init__(self, engine: Engine) -> None:
        """Take over `engine`, whose tables are in place."""
        self._engine = engine
        self._where = shown_url(engine)
        self._writer = engine.execution_options(**{WRITES: True})
        self._gate = threading.Lock()
        _open_stores.add(self)

    def _forked(self) -> None:
        # The inherited pool is kept from the garbage collector: closing its connections
        # here would end the parent's sessions.
        self._inherited = self._engine.pool
        self._engine.dispose(close=False)
        self._gate = threading.Lock()

    def get(self, kind: type[R], id: str) -> R:
        """The record. Raises `NotFound`."""
        row = None
        # What cannot be a key was never written; PostgreSQL would refuse the question.
        if is_key(id):
            with self._reading() as connection:
                row = connection.execute(_ONE, {"kind": kind.kind, "id": id}).one_or_none()
        if row is None:
            # In the words of `access.permissions`: what may not be seen must look the same as what is not there.
            told = id if id.isprintable() else repr(id)
            raise NotFound(
                f"There is no such {kind.kind}.",
                where=f"{kind.kind}/{told:.80}",
                todo="Check the name, or ask for access.",
            )
        return self._record(kind, id, row.version, row.body)

    def find(
        self,
        kind: type[R],
        *,
        where: Mapping[str, str] | None = None,
        cursor: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> Page[R]:
        """Records whose declared indexes equal `where`, in order of id."""
        if not 1 <= limit <= 1000:
            raise ValueError("limit is 1 to 1000")
        query, given = _found(kind, where or {}, cursor, newest_first=newest_first)
        with self._reading() as connection:
            rows = connection.execute(query, {**given, "most": limit + 1}).all()
        found = tuple(self._record(kind, row.id, row.version, row.body) for row in rows[:limit])
        return Page(found, found[-1].id if len(rows) > limit else None)

    def put(self, record: R) -> R:
        """Write one record; returns it with its new version."""
        self.transact([Put(record)])
        return record.model_copy(update={"version": record.version + 1})

    def transact(self, writes: Sequence[Write]) -> None:
        """All of the writes or none."""
        checked(writes)
        for attempt in range(self.ATTEMPTS):
            try:
                with self._turn(), translated(self._where), self._writer.begin() as connection:
                    apply(connection, writes)
                return
            except Undone:
                time.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311 - spreads retries, no secret
        raise Unavailable(
            "The record store is too busy: the transaction was undone each time.", where=self._where, todo="Try again."
        )

    def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> tuple[StreamEntry, ...]:
        """Entries numbered above `after`, oldest first."""
        c = stream_entries.c
        query = select(stream_entries).where(c.stream == stream, c.number > after).order_by(c.number).limit(limit)
        with self._reading() as connection:
            return tuple(_entry(row) for row in connection.execute(query))

    def read_texts(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[tuple[int, str]]:
        """See `atoll.ports.records.ReadsTexts`."""
        c = stream_entries.c
        query = select(c.number, c.body).where(c.stream == stream, c.number > after).order_by(c.number).limit(limit)
        with self._reading() as connection:
            return [(number, body) for number, body in connection.execute(query).tuples()]

    def tail(self, stream: str, *, limit: int = 1) -> tuple[StreamEntry, ...]:
        """The last `limit` entries, oldest first."""
        c = stream_entries.c
        query = select(stream_entries).where(c.stream == stream).order_by(c.number.desc()).limit(limit)
        with self._reading() as connection:
            newest_first = [_entry(row) for row in connection.execute(query)]
        return tuple(reversed(newest_first))

    def check(self) -> None:
        """Returns when the store answers; raises `Unavailable` when it does not."""
        with self._reading() as connection:
            connection.execute(select(records.c.version).limit(1)).one_or_none()

    def close(self) -> None:
        """Release connections. Idempotent."""
        self._engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite lets one writer in, and the others sleep and poll.

        Threads of this process queue here instead, so that only different processes have to poll.
        """
        if self._engine.dialect.name != "sqlite":
            yield
            return
        if not self._gate.acquire(timeout=engines.LOCK_WAIT_SECONDS):
            raise Unavailable("The record store is too busy to write.", where=self._where, todo="Try again.")
        try:
            yield
        finally:
            self._gate.release()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._where), self._engine.connect() as connection:
            yield connection

    def _record(self, kind: type[R], id: str, version: int, body: str) -> R:
        try:
            record = kind.model_validate_json(body)
        except pydantic.ValidationError:
            # Without the cause: its text quotes the values.
            raise IntegrityBroken(
                f"A stored {kind.kind} does not read as one.",
                where=f"{kind.kind}/{id}",
                todo="Check that no older release of Atoll works on the same store.",
            ) from None
        return record.model_copy(update={"version": version})


#: Statements are made once: to build one takes longer than to run it.
_ONE = select(records.c.version, records.c.body).where(
    records.c.kind == bindparam("kind"), records.c.id == bindparam("id")
)


def _found(
    kind: type[Record], where: Mapping[str, str], cursor: str | None, *, newest_first: bool
) -> tuple[Select[Any], dict[str, str]]:
    """The query for records whose indexes equal `where`, and what it is given."""
    unknown = sorted(set(where) - set(kind.indexes))
    if unknown:
        raise ValueError(f"{kind.kind} declares no index {', '.join(unknown)}")
    # Unique indexes come first.
    names = tuple(sorted(where, key=lambda name: (name not in kind.unique, name)))
    given = {"kind": kind.kind}
    for number, name in enumerate(names):
        given |= {f"name{number}": name, f"value{number}": key_text(str(where[name]), f"value of {name}")}
    if cursor is not None:
        given["cursor"] = key_text(cursor, "cursor")
    return _page(len(names), after=cursor is not None, newest_first=newest_first), given


@cache
def _page(indexes: int, *, after: bool, newest_first: bool) -> Select[Any]:
    """The query for a page of records that so many indexes choose.

    It is ordered by the id of the first index: its rows lie in order of id already, so a page
    costs what it holds, however many records of the kind there are.
    """
    query: Select[Any] = select(records.c.id, records.c.version, records.c.body)
    query = query.where(records.c.kind == bindparam("kind"))
    id: ColumnElement[str] = records.c.id
    for number in range(indexes):
        index = record_indexes.alias(f"by_{number}")
        query = query.join(index, index.c.id == records.c.id).where(
            index.c.kind == bindparam("kind"),
            index.c.name == bindparam(f"name{number}"),
            index.c.value == bindparam(f"value{number}"),
        )
        id = index.c.id if number == 0 else id
    if after:
        query = query.where(id < bindparam("cursor") if newest_first else id > bindparam("cursor"))
    return query.order_by(id.desc() if newest_first else id).limit(bindparam("most", type_=Integer()))


def _entry(row: Row[Any]) -> StreamEntry:
    try:
        body = json.loads(row.body)
        at = datetime.fromisoformat(row.at)
    except ValueError:
        body = at = None
    if not isinstance(body, dict) or at is None:
        raise IntegrityBroken(
            "A stored entry of a stream does not read as one.",
            where=f"{row.stream}/{row.number}",
            todo="Restore the store from a backup.",
        )
    return StreamEntry(row.stream, row.number, at, body)

"""The store of records and streams.

Narrow on purpose: what is here can be done by SQLite, PostgreSQL and a key-value
table with conditional writes (DynamoDB) alike. No joins, no ranges but a cursor,
no transaction that spans a read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from atoll.model.record import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Put:
    """Write a record if its stored version is `record.version` (0: if it is absent)."""

    record: Record


@dataclass(frozen=True)
class Delete:
    """Remove a record if its stored version is `record.version`."""

    record: Record


@dataclass(frozen=True)
class Append:
    """Append entries to a stream, numbered 1, 2, 3, ... without a gap.

    With `after`, the write holds only if the stream's last number is `after`
    (0: the stream is empty); without it the entries go behind whatever is there.
    """

    stream: str
    entries: Sequence[Mapping[str, Any]]
    after: int | None = None


Write = Put | Delete | Append


@dataclass(frozen=True)
class StreamEntry:
    """One entry of a stream. `at` is the time the store took it, UTC."""

    stream: str
    number: int
    at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Page(Generic[R]):
    """Records in order of id, and the cursor to ask for more (None: no more)."""

    records: tuple[R, ...]
    cursor: str | None


class RecordStore(Protocol):
    """Keeps records by (kind, id) and append-only streams by name.

    Safe to use from several threads and, where the implementation is shared,
    from several processes. Every read sees all writes that returned before it.
    """

    def get(self, kind: type[R], id: str) -> R:
        """The record. Raises `NotFound`."""
        ...

    def find(
        self,
        kind: type[R],
        *,
        where: Mapping[str, str] | None = None,
        cursor: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> Page[R]:
        """Records whose declared indexes equal `where`, in order of id.

        `where` names declared indexes only (`ValueError` otherwise, a bug of the
        caller); several are all met. `limit` is 1 to 1000. A cursor stays good
        while records come and go: nothing present throughout is skipped or told twice.
        """
        ...

    def put(self, record: R) -> R:
        """`transact([Put(record)])`; returns the record with its new version."""
        ...

    def transact(self, writes: Sequence[Write]) -> None:
        """All of the writes or none. At most 50 writes, each record at most once.

        Raises `VersionConflict` when a version or `after` does not match (also
        for a record that is gone, or present where version 0 said absent),
        `AlreadyExists` when a unique index value is taken by another record.
        Nothing was written then, and the caller reads again before it retries.
        """
        ...

    def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> tuple[StreamEntry, ...]:
        """Entries numbered above `after`, oldest first; an unknown stream is empty."""
        ...

    def tail(self, stream: str, *, limit: int = 1) -> tuple[StreamEntry, ...]:
        """The last `limit` entries, oldest first."""
        ...

    def check(self) -> None:
        """Returns when the store answers; raises `Unavailable` when it does not."""
        ...

    def close(self) -> None:
        """Release connections. Idempotent."""
        ...


#: Told of a record that was written: kind and id.
OnWrite = Callable[[str, str], None]


@runtime_checkable
class Watchable(Protocol):
    """A store that tells what this process writes through it; see `WatchedRecords`."""

    def watch(self, told: OnWrite) -> None:
        """Have `told` called after each write from now on; it must return at once."""
        ...

    def unwatch(self, told: OnWrite) -> None:
        """No longer. Idempotent."""
        ...


@runtime_checkable
class ReadsTexts(Protocol):
    """A store that can hand out entries unread, for whoever goes through very many."""

    def read_texts(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[tuple[int, str]]:
        """As `RecordStore.read`: number and the JSON text as it is kept, unchecked."""
        ...


def every(
    records: RecordStore, kind: type[R], where: Mapping[str, str] | None = None, *, newest_first: bool = False
) -> Iterator[R]:
    """Every record that `find` finds, page after page."""
    cursor: str | None = None
    while True:
        page = records.find(kind, where=where, cursor=cursor, limit=1000, newest_first=newest_first)
        yield from page.records
        if page.cursor is None:
            return
        cursor = page.cursor

"""A record store that tells this process what it wrote through it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TypeVar

from atoll.model.record import Record
from atoll.ports.records import Append, OnWrite, Page, ReadsTexts, RecordStore, StreamEntry, Write

R = TypeVar("R", bound=Record)


class WatchedRecords:
    """The store behind it, and a call to each watcher after each write of records.

    Only hints: what another process wrote is not told, nor whether it still stands.
    """

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._watchers: tuple[OnWrite, ...] = ()

    def watch(self, told: OnWrite) -> None:
        """Have `told` called with (kind, id) of each record written from now on; it must return at once."""
        with self._lock:
            self._watchers = (*self._watchers, told)

    def unwatch(self, told: OnWrite) -> None:
        """No longer. Idempotent."""
        with self._lock:
            self._watchers = tuple(one for one in self._watchers if one != told)

    def get(self, kind: type[R], id: str) -> R:
        """See `RecordStore.get`."""
        return self._records.get(kind, id)

    def find(
        self,
        kind: type[R],
        *,
        where: Mapping[str, str] | None = None,
        cursor: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> Page[R]:
        """See `RecordStore.find`."""
        return self._records.find(kind, where=where, cursor=cursor, limit=limit, newest_first=newest_first)

    def put(self, record: R) -> R:
        """See `RecordStore.put`."""
        written = self._records.put(record)
        self._tell([(record.kind, record.id)])
        return written

    def transact(self, writes: Sequence[Write]) -> None:
        """See `RecordStore.transact`."""
        self._records.transact(writes)
        self._tell([(one.record.kind, one.record.id) for one in writes if not isinstance(one, Append)])

    def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> tuple[StreamEntry, ...]:
        """See `RecordStore.read`."""
        return self._records.read(stream, after=after, limit=limit)

    def read_texts(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[tuple[int, str]]:
        """See `ReadsTexts.read_texts`; a store that cannot gives none."""
        if not isinstance(self._records, ReadsTexts):
            return ()
        return self._records.read_texts(stream, after=after, limit=limit)

    def tail(self, stream: str, *, limit: int = 1) -> tuple[StreamEntry, ...]:
        """See `RecordStore.tail`."""
        return self._records.tail(stream, limit=limit)

    def check(self) -> None:
        """See `RecordStore.check`."""
        self._records.check()

    def close(self) -> None:
        """See `RecordStore.close`."""
        self._records.close()

    def _tell(self, written: Sequence[tuple[str, str]]) -> None:
        for told in self._watchers:
            for kind, id in written:
                told(kind, id)

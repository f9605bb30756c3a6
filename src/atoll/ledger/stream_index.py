"""An index of a stream by keys, built behind it by whoever asks, so that no writer has to know of it.

For every key there is a stream of the numbers under which it occurs. A cursor says how far
the index goes; it moves in the transaction that adds the numbers, so each entry is indexed
exactly once whoever does it. What stands in the stream from before is indexed at the first
asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from atoll.errors import NotFound, VersionConflict
from atoll.model.record import Record
from atoll.ports.records import Append, Put, RecordStore, StreamEntry

BATCH = 1000
#: Streams written in one transaction, the cursor aside.
_KEYS_AT_ONCE = 40

#: The keys of an entry's body, and the facts that the index keeps beside the number.
Describe = Callable[[Mapping[str, Any]], tuple[frozenset[str], dict[str, Any]]]


class StreamCursor(Record):
    """How far a stream is indexed. Id: the stream's name."""

    kind: ClassVar[str] = "stream_cursor"

    #: The last entry that is indexed under all its keys.
    number: int = 0
    #: The last entry of the batch that is under way (0: none), and how many parts of its keys are done.
    to: int = 0
    part: int = 0


class StreamIndex:
    """Finds entries of one stream by key."""

    def __init__(self, records: RecordStore, stream: str, describe: Describe) -> None:
        self._records = records
        self._stream = stream
        self._describe = describe

    def catch_up(self) -> int:
        """Index what has come since; how many entries."""
        count = 0
        while True:
            cursor = self._cursor()
            limit = cursor.to - cursor.number if cursor.to else BATCH
            batch = self._records.read(self._stream, after=cursor.number, limit=limit)
            if not batch:
                return count
            try:
                self._add(cursor, batch)
            except VersionConflict:
                continue  # somebody else got as far
            count += len(batch)

    def _add(self, cursor: StreamCursor, batch: tuple[StreamEntry, ...]) -> None:
        """Add a batch to the index, some keys in each transaction, the first ones that the cursor says done."""
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in batch:
            keys, facts = self._describe(entry.body)
            for key in keys:
                found.setdefault(key, []).append({"n": entry.number, **facts})
        names = sorted(found)
        parts = [names[start : start + _KEYS_AT_ONCE] for start in range(0, len(names), _KEYS_AT_ONCE)] or [[]]
        last = batch[-1].number
        for part in range(cursor.part, len(parts)):
            done = part == len(parts) - 1
            moved = cursor.but(number=last, to=0, part=0) if done else cursor.but(to=last, part=part + 1)
            appends = (Append(self._name(key), found[key]) for key in parts[part])
            self._records.transact([Put(moved), *appends])
            cursor = moved.but(version=moved.version + 1)

    def newest_first(self, key: str | None) -> Iterator[Mapping[str, Any]]:
        """`n` and the facts of every entry with the key, of every entry without one, newest first."""
        if key is None:
            for entry in _backwards(self._records, self._stream):
                yield {"n": entry.number, **self._describe(entry.body)[1]}
            return
        for entry in _backwards(self._records, self._name(key)):
            yield entry.body

    def load(self, numbers: list[int]) -> Iterator[StreamEntry]:
        """The entries of these numbers, which rise; neighbours are read together."""
        start = 0
        for at in range(1, len(numbers) + 1):
            if at == len(numbers) or numbers[at] != numbers[at - 1] + 1 or at - start == BATCH:
                yield from self._records.read(self._stream, after=numbers[start] - 1, limit=at - start)
                start = at

    def _cursor(self) -> StreamCursor:
        try:
            return self._records.get(StreamCursor, self._stream)
        except NotFound:
            return StreamCursor(id=self._stream)

    def _name(self, key: str) -> str:
        return f"{self._stream}/by/{key}"


def _backwards(records: RecordStore, stream: str) -> Iterator[StreamEntry]:
    last = records.tail(stream, limit=1)
    before = last[0].number + 1 if last else 1
    while before > 1:
        start = max(0, before - 1 - BATCH)
        yield from reversed(records.read(stream, after=start, limit=before - 1 - start))
        before = start + 1

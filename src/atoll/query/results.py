"""Kept results: Arrow files in a private directory, read from any row on without reading the rest."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pyarrow as pa

from atoll.errors import InvalidInput, LimitExceeded, NotFound

_ID = re.compile(r"[a-z]+_[0-9a-z]+")
#: Results held open; each holds a mapping of its file, no memory of its own.
_OPEN_AT_ONCE = 64


class ResultFile:
    """One result, mapped into memory as its pages are asked for."""

    def __init__(self, path: Path) -> None:
        self._source = pa.memory_map(str(path), "r")
        self._reader = pa.ipc.open_file(self._source)
        counts = (self._reader.get_batch(n).num_rows for n in range(self._reader.num_record_batches))
        #: Number of the first row of each batch, and of the row after the last.
        self._starts = [0, *accumulate(counts)]

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""
        return self._reader.schema

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self._starts[-1])

    def batches(self, offset: int = 0, limit: int | None = None) -> Iterator[pa.RecordBatch]:
        """The rows from `offset` on, at most `limit` of them."""
        end = self.rows if limit is None else min(self.rows, offset + limit)
        number = max(0, bisect_right(self._starts, offset) - 1)
        while offset < end:
            start, after = self._starts[number], self._starts[number + 1]
            taken = min(after, end) - offset
            if taken > 0:
                yield self._reader.get_batch(number).slice(offset - start, taken)
                offset += taken
            number += 1


class ResultWriter:
    """Writes one result; it stands under its name only when it is whole."""

    def __init__(self, path: Path, schema: pa.Schema, max_bytes: int) -> None:
        self._path = path
        self._part = path.with_suffix(".part")
        self._max_bytes = max_bytes
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._writer = pa.ipc.new_file(self._file, schema)
        self.rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows. Raises `LimitExceeded` when the result is too large to be kept."""
        if batch.num_rows:
            self._writer.write_batch(batch)
            self.rows += batch.num_rows
        if self._file.tell() > self._max_bytes:
            raise LimitExceeded(
                f"The result is larger than the {self._max_bytes} bytes that are kept.",
                todo="Aggregate it, select fewer columns, or have it streamed.",
            )

    def commit(self) -> int:
        """Make it stand; its size in bytes. Again is no harm."""
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        return self._path.stat().st_size

    def discard(self) -> None:
        """Let go of what was not committed. Idempotent."""
        with contextlib.suppress(pa.ArrowException, OSError, ValueError):
            self._writer.close()
        self._file.close()
        self._part.unlink(missing_ok=True)


class KeptResults:
    """The results that are kept, by the id of the query that computed them. Safe to use from several threads."""

    def __init__(self, directory: Path) -> None:
        """Keep them in `directory` (made, 0700)."""
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._open: OrderedDict[str, ResultFile] = OrderedDict()

    def write(self, id: str, schema: pa.Schema, max_bytes: int) -> ResultWriter:
        """Begin a result, anew if there is one already."""
        with self._lock:
            self._open.pop(id, None)
        return ResultWriter(self._path(id), schema, max_bytes)

    def open(self, id: str) -> ResultFile:
        """A result. Raises `NotFound` when it is not kept (any more)."""
        with self._lock:
            kept = self._open.get(id)
            if kept is None:
                try:
                    kept = ResultFile(self._path(id))
                except (OSError, pa.ArrowException):
                    raise NotFound(
                        "The result is not kept.", where=f"query/{id}", todo="Run the query again."
                    ) from None
                self._open[id] = kept
                if len(self._open) > _OPEN_AT_ONCE:
                    self._open.popitem(last=False)
            else:
                self._open.move_to_end(id)
        return kept

    def remove(self, id: str) -> None:
        """Remove a result and what a broken run left of it. Idempotent."""
        with self._lock:
            self._open.pop(id, None)
        for path in (self._path(id), self._path(id).with_suffix(".part")):
            path.unlink(missing_ok=True)

    def ids(self) -> dict[str, float]:
        """Whatever lies in the directory, half-written results too: id and time of the last change (epoch seconds)."""
        found: dict[str, float] = {}
        for path in self._directory.iterdir():
            with contextlib.suppress(OSError):
                if _ID.fullmatch(path.stem):
                    found[path.stem] = max(found.get(path.stem, 0.0), path.stat().st_mtime)
        return found

    def _path(self, id: str) -> Path:
        if not _ID.fullmatch(id):
            raise InvalidInput("This is no id of a query.", where="query")
        return self._directory / f"{id}.arrow"

"""Rows written as data files of the lake, as large as the layout says, cut where a partition ends."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from atoll.model.table import Column, ColumnType, StagedFile

_ARROW: dict[ColumnType, pa.DataType] = {
    ColumnType.STRING: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.DATETIME: pa.timestamp("us", tz="UTC"),
    ColumnType.PARTIAL_DATE: pa.string(),
}
_GROUP_ROWS = 131_072
#: Past so many files of a run, partitions are no longer kept apart.
MOST_PARTITIONS = 1000


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """What a data file with these columns has."""
    return pa.schema([pa.field(column.name, _ARROW[column.type]) for column in columns])


class LaidOut:
    """Writes batches, in the order wanted, to `directory/<first>.parquet` and the numbers after it.

    Every file is whole and on the disk when `close` returns. Not safe in several threads.
    """

    def __init__(
        self,
        dataset: str,
        table: str,
        columns: Sequence[Column],
        directory: Path,
        *,
        file_bytes: int,
        partition: Sequence[str] = (),
        first: int = 0,
    ) -> None:
        self._named = {"dataset": dataset, "table": table}
        self._schema = arrow_schema(columns)
        self._directory = directory
        self._file_bytes = file_bytes
        self._partition = tuple(name for name in partition if name in self._schema.names)
        self._number = first
        self._open: _OpenFile | None = None
        self._at: tuple[object, ...] | None = None
        self.files: list[StagedFile] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Write the rows, in their order."""
        rows = pa.Table.from_batches([batch]).select(self._schema.names).cast(self._schema)
        start = 0
        for end in self._ends(rows):
            piece = rows.slice(start, end - start)
            value = tuple(piece[name][0].as_py() for name in self._partition)
            if self._at is not None and value != self._at and len(self.files) < MOST_PARTITIONS:
                self._end()
            self._at = value
            self._write(piece)
            start = end

    def close(self) -> None:
        """End the last file. Idempotent."""
        self._end()
        if self.files:
            _sync(self._directory)

    def _write(self, rows: pa.Table) -> None:
        if self._open is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open = _OpenFile(self._directory / f"{self._number:05d}.parquet", self._schema)
            self._number += 1
        self._open.add(rows)
        if self._open.size_bytes >= self._file_bytes:
            self._end()

    def _end(self) -> None:
        if self._open is None:
            return
        path, rows = self._open.close()
        self._open = None
        self.files.append(StagedFile(**self._named, path=str(path), rows=rows, size_bytes=path.stat().st_size))

    def _ends(self, rows: pa.Table) -> list[int]:
        """Where pieces of one partition value end."""
        ends = {rows.num_rows} if rows.num_rows else set()
        for name in self._partition if rows.num_rows > 1 else ():
            codes = pc.dictionary_encode(rows[name].combine_chunks(), null_encoding="encode").indices
            changed = pc.indices_nonzero(pc.not_equal(codes.slice(1), codes.slice(0, len(codes) - 1)))
            ends.update(int(index) + 1 for index in changed.to_pylist())
        return sorted(ends)


class _OpenFile:
    """Gathers pieces into row groups."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd")
        self._held: list[pa.Table] = []
        self._held_rows = 0
        self._rows = 0

    @property
    def size_bytes(self) -> int:
        return int(self._sink.tell())

    def add(self, rows: pa.Table) -> None:
        self._held.append(rows)
        self._held_rows += rows.num_rows
        self._rows += rows.num_rows
        if self._held_rows >= _GROUP_ROWS:
            self._flush()

    def close(self) -> tuple[Path, int]:
        self._flush()
        self._writer.close()
        self._sink.close()
        _sync(self._path)
        return self._path, self._rows

    def _flush(self) -> None:
        if self._held_rows:
            self._writer.write_table(pa.concat_tables(self._held), row_group_size=_GROUP_ROWS)
        self._held, self._held_rows = [], 0


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

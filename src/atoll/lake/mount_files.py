"""The Parquet files of a mounted table: links to the lake's own, or rows written anew."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from atoll.model.table import DataFile

#: Rows of a group; what readers of Parquet take as one piece of work.
_GROUP_ROWS = 131_072
#: Rows of a file, so that several readers can share a table.
_FILE_ROWS = 4_194_304


def link_files(files: Sequence[DataFile], directory: Path) -> None:
    """Show the data files in the directory under numbers, by hard links; by copies on another disk.

    The lake's files are never changed once committed, so a link is as good as a copy.
    """
    directory.mkdir(mode=0o755)
    for index, file in enumerate(files):
        target = directory / f"{index:05d}.parquet"
        try:
            os.link(file.path, target)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
                raise
            shutil.copyfile(file.path, target)


def write_rows(schema: pa.Schema, batches: Iterable[pa.RecordBatch], directory: Path) -> int:
    """Write rows as zstd Parquet, one file at least so that the columns are known; bytes written."""
    directory.mkdir(mode=0o755)
    writer = _Writer(schema, directory)
    try:
        for batch in batches:
            writer.add(batch)
    finally:
        writer.close()
    return sum(file.stat().st_size for file in directory.iterdir())


class _Writer:
    """Gathers small batches into row groups, and row groups into files."""

    def __init__(self, schema: pa.Schema, directory: Path) -> None:
        self._schema = schema
        self._directory = directory
        self._files = 0
        self._file_rows = 0
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0
        self._open = self._next()

    def add(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        self._held_rows += batch.num_rows
        if self._held_rows >= _GROUP_ROWS:
            self._write_held()

    def close(self) -> None:
        self._write_held()
        self._open.close()

    def _write_held(self) -> None:
        if not self._held_rows:
            return
        if self._file_rows >= _FILE_ROWS:
            self._open.close()
            self._open = self._next()
        self._open.write_table(pa.Table.from_batches(self._held, self._schema), row_group_size=_GROUP_ROWS)
        self._file_rows += self._held_rows
        self._held, self._held_rows = [], 0

    def _next(self) -> pq.ParquetWriter:
        path = self._directory / f"{self._files:05d}.parquet"
        self._files += 1
        self._file_rows = 0
        return pq.ParquetWriter(path, self._schema, compression="zstd")

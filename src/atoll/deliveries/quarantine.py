"""Quarantine: rows and files that were rejected, seen by people only masked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl

from atoll.deliveries.place import delivery_directory, files_directory, held_directory
from atoll.deliveries.private_files import make_private_directory, storage_error, sync_directory
from atoll.errors import IntegrityBroken, InvalidInput
from atoll.model.delivery import QuarantinedRow
from atoll.model.identified import HELD_ROWS_SCHEMA

#: What people may see of a held row: everything but the row as delivered.
MASKED_COLUMNS = tuple(name for name in HELD_ROWS_SCHEMA if name != "raw")
MAX_LIMIT = 1000


class Quarantine:
    """What waits outside the lake, below one directory for each delivery."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def rows_path(self, delivery_id: str, index: int) -> Path:
        """Where the rejected rows of file `index` are written (Parquet, `HELD_ROWS_SCHEMA`).

        The directory is made, 0700; the writer makes the file. Raises `Unavailable`
        when it cannot be made, `NotFound` for what cannot be a delivery's id.
        """
        directory = held_directory(self.directory, delivery_id)
        make_private_directory(directory)
        return directory / f"{index}.parquet"

    def masked_rows(self, delivery_id: str, limit: int = 100, offset: int = 0) -> tuple[QuarantinedRow, ...]:
        """Faults found in the delivery, in order of file and row, the values masked.

        A row with two faults is told twice. A delivery without rejected rows (or none
        of that id) gives none. The column `raw` is never read.

        Args:
            delivery_id: the delivery.
            limit: 1 to 1000.
            offset: faults to pass over, 0 or more.

        Raises `InvalidInput` (limit or offset), `IntegrityBroken` (a file of held rows
        cannot be read).
        """
        if not 1 <= limit <= MAX_LIMIT or offset < 0:
            raise InvalidInput(
                f"A page has 1 to {MAX_LIMIT} rows and begins at 0 or later.",
                where=f"limit={limit}, offset={offset}",
                todo="Ask with a limit and an offset in these bounds.",
            )
        paths = self._held_paths(delivery_id)
        if not paths:
            return ()
        try:
            rows = pl.scan_parquet(paths).select(MASKED_COLUMNS).slice(offset, limit).collect()
            return tuple(QuarantinedRow(delivery=delivery_id, **row) for row in rows.iter_rows(named=True))
        except (pl.exceptions.PolarsError, OSError, ValueError):
            raise _unreadable(delivery_id) from None  # the cause's text may hold values

    def count(self, delivery_id: str) -> int:
        """How many faults `masked_rows` tells of in all. Raises `IntegrityBroken`."""
        paths = self._held_paths(delivery_id)
        if not paths:
            return 0
        try:
            return int(pl.scan_parquet(paths).select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError):
            raise _unreadable(delivery_id) from None

    def purge(self, delivery_id: str) -> int:
        """Remove the delivered files, keep the held rows; gives the bytes freed.

        Does nothing the second time. Raises `Unavailable` when files cannot be removed.
        """
        directory = files_directory(self.directory, delivery_id)
        freed_bytes = _bytes_below(directory)
        try:
            shutil.rmtree(directory)
            sync_directory(directory.parent)
        except FileNotFoundError:
            return 0
        except OSError as problem:
            raise storage_error(problem) from None
        return freed_bytes

    def size_bytes(self, delivery_id: str) -> int:
        """Bytes the delivery takes in quarantine: files as delivered and held rows."""
        return _bytes_below(delivery_directory(self.directory, delivery_id))

    def _held_paths(self, delivery_id: str) -> list[Path]:
        found = held_directory(self.directory, delivery_id).glob("*.parquet")
        return sorted((p for p in found if p.stem.isdecimal()), key=lambda p: int(p.stem))


def _bytes_below(directory: Path) -> int:
    """Sum of file sizes; files that vanish meanwhile (parts) count nothing."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def _unreadable(delivery_id: str) -> IntegrityBroken:
    return IntegrityBroken(
        "The held rows of a delivery cannot be read.",
        where=delivery_id,
        todo="Have quarantine examined; admitting the delivery again writes its held rows anew.",
    )

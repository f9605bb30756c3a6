"""Quarantine: rows and files that were rejected, seen by people only masked."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from atoll.deliveries.place import delivery_directory, files_directory, held_directory, opened_directory
from atoll.deliveries.private_files import make_private_directory, storage_error, sync_directory
from atoll.errors import IntegrityBroken, InvalidInput
from atoll.model.delivery import QuarantinedRow
from atoll.model.identified import HELD_ROWS_SCHEMA

#: What people may see of a held row: everything but the row as delivered.
MASKED_COLUMNS = tuple(name for name in HELD_ROWS_SCHEMA if name != "raw")
MAX_LIMIT = 1000
#: After so long nobody works with a scratch directory any more.
_SCRATCH_SECONDS = 3600.0


class Quarantine:
    """What waits outside the lake, below one directory for each delivery."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def rows_path(self, delivery_id: str, index: int, replay: int = 0) -> Path:
        """Where the rejected rows of file `index` are written (Parquet, `HELD_ROWS_SCHEMA`).

        Each replay has a place of its own: what was held before it stays until it is settled.
        The directory is made, 0700; the writer makes the file. Raises `Unavailable`
        when it cannot be made, `NotFound` for what cannot be a delivery's id.
        """
        directory = held_directory(self.directory, delivery_id, replay)
        make_private_directory(directory)
        return directory / f"{index}.parquet"

    def row_numbers(self, delivery_id: str, index: int, replay: int = 0) -> frozenset[int]:
        """Which rows of file `index` were held, by 1-based number. Raises `IntegrityBroken`."""
        path = held_directory(self.directory, delivery_id, replay) / f"{index}.parquet"
        if not path.is_file():
            return frozenset()
        try:
            rows = pl.scan_parquet(path, glob=False).select(pl.col("row").drop_nulls().unique()).collect()
        except (pl.exceptions.PolarsError, OSError):
            raise _unreadable(delivery_id) from None
        return frozenset(rows["row"].to_list())

    def keep_held(self, delivery_id: str, index: int, replay: int) -> None:
        """Rows of file `index` that were held before stay held, as they are, through this replay."""
        before = held_directory(self.directory, delivery_id, replay - 1) / f"{index}.parquet"
        after = self.rows_path(delivery_id, index, replay)
        try:
            after.unlink(missing_ok=True)
            if before.is_file():
                after.hardlink_to(before)
        except OSError as problem:
            raise storage_error(problem) from None

    def masked_rows(
        self, delivery_id: str, limit: int = 100, offset: int = 0, *, replay: int = 0
    ) -> tuple[QuarantinedRow, ...]:
        """Faults found in the delivery, in order of file and row, the values masked.

        A row with two faults is told twice. A delivery without rejected rows (or none
        of that id) gives none. The column `raw` is never read.

        Args:
            delivery_id: the delivery.
            limit: 1 to 1000.
            offset: faults to pass over, 0 or more.
            replay: number of the last settled replay, 0 before the first.

        Raises `InvalidInput` (limit or offset), `IntegrityBroken` (a file of held rows
        cannot be read).
        """
        if not 1 <= limit <= MAX_LIMIT or offset < 0:
            raise InvalidInput(
                f"A page has 1 to {MAX_LIMIT} rows and begins at 0 or later.",
                where=f"limit={limit}, offset={offset}",
                todo="Ask with a limit and an offset in these bounds.",
            )
        paths = self._held_paths(delivery_id, replay)
        if not paths:
            return ()
        try:
            rows = pl.scan_parquet(paths).select(MASKED_COLUMNS).slice(offset, limit).collect()
            return tuple(QuarantinedRow(delivery=delivery_id, **row) for row in rows.iter_rows(named=True))
        except (pl.exceptions.PolarsError, OSError, ValueError):
            raise _unreadable(delivery_id) from None  # the cause's text may hold values

    def count(self, delivery_id: str, replay: int = 0) -> int:
        """How many faults `masked_rows` tells of in all. Raises `IntegrityBroken`."""
        paths = self._held_paths(delivery_id, replay)
        if not paths:
            return 0
        try:
            return int(pl.scan_parquet(paths).select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError):
            raise _unreadable(delivery_id) from None

    def purge(self, delivery_id: str) -> int:
        """Remove the delivered files and what was opened of them, keep the held rows; gives the bytes freed.

        Does nothing the second time. Raises `Unavailable` when files cannot be removed.
        """
        freed_bytes = 0
        for below in (opened_directory, files_directory):
            freed_bytes += _remove(below(self.directory, delivery_id))
        return freed_bytes

    def purge_held(self, delivery_id: str) -> int:
        """Remove the rows that were held, of every replay; gives the bytes freed.

        Does nothing the second time. Raises `Unavailable` when files cannot be removed.
        """
        return _remove(held_directory(self.directory, delivery_id))

    def size_bytes(self, delivery_id: str) -> int:
        """Bytes the delivery takes in quarantine: files as delivered and held rows."""
        return _bytes_below(delivery_directory(self.directory, delivery_id))

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private directory for files that are looked at once; gone at the end, also after a crash.

        What a killed process left is removed the next time anybody asks. Raises `Unavailable`.
        """
        root = self.directory / "scratch"
        make_private_directory(root)
        for stale in root.iterdir():
            if time.time() - stale.stat().st_mtime > _SCRATCH_SECONDS:
                shutil.rmtree(stale, ignore_errors=True)
        try:
            place = Path(tempfile.mkdtemp(dir=root))
        except OSError as problem:
            raise storage_error(problem) from None
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _held_paths(self, delivery_id: str, replay: int) -> list[Path]:
        found = held_directory(self.directory, delivery_id, replay).glob("*.parquet")
        return sorted((p for p in found if p.stem.isdecimal()), key=lambda p: int(p.stem))


def _remove(directory: Path) -> int:
    """Remove a directory if it is there; the bytes freed."""
    size_bytes = _bytes_below(directory)
    try:
        shutil.rmtree(directory)
        sync_directory(directory.parent)
    except FileNotFoundError:
        return 0
    except OSError as problem:
        raise storage_error(problem) from None
    return size_bytes


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

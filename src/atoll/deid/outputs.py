"""The files that one run writes: made beside their places, moved there when whole."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow.parquet as pq

from atoll.model.table import StagedFile


class Outputs:
    """Temporary files of one run. Leaving the context removes what was not kept.

    Attributes:
        treated: where treated rows are written, beside the staged file.
        faulty: where rows with faults are written, beside the held file.
        scratch: a file that readers may use, beside the held file.
    """

    def __init__(self, staged: Path, held: Path) -> None:
        self._staged = staged
        self._held = held
        self.treated = _beside(staged, "part")
        self.faulty = _beside(held, "part")
        self.scratch = _beside(held, "scratch")
        self._merged = _beside(held, "merged")

    def __enter__(self) -> Outputs:
        """Make the directories (0700) and clear what an earlier run left or wrote."""
        for directory in {self._staged.parent, self._held.parent}:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for stale in (self._staged, self._held):
            stale.unlink(missing_ok=True)
        for private in (self.faulty, self.scratch, self._merged):
            private.unlink(missing_ok=True)
            os.close(os.open(private, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove temporary files."""
        for temporary in (self.treated, self.faulty, self.scratch, self._merged):
            temporary.unlink(missing_ok=True)

    def count_treated(self) -> int:
        """Treated rows, from the Parquet footer."""
        return int(pq.read_metadata(self.treated).num_rows)

    def count_faulty(self) -> int:
        """Rows with faults; each counts once, however many faults it has."""
        if not pq.read_metadata(self.faulty).num_rows:
            return 0
        return int(pl.scan_parquet(self.faulty, glob=False).select(pl.col("row").n_unique()).collect().item())

    def count_rule(self, rule: str) -> dict[str, int]:
        """Rows held by a rule, by column."""
        if not pq.read_metadata(self.faulty).num_rows:
            return {}
        broken = pl.scan_parquet(self.faulty, glob=False).filter(pl.col("rule") == rule)
        counted = broken.group_by("column").agg(pl.len()).sort("column").collect(engine="streaming")
        return {str(column): int(rows) for column, rows in counted.iter_rows()}

    def keep_held(self, malformed: pl.DataFrame) -> None:
        """Put the held file in place: rows with faults and `malformed` ones."""
        if malformed.height:
            rows = pl.concat([pl.scan_parquet(self.faulty, glob=False), malformed.lazy()])
            rows.sink_parquet(self._merged, compression="zstd")
            self._merged.replace(self._held)
        else:
            self.faulty.replace(self._held)
        self._held.chmod(0o600)

    def keep_treated(self, dataset: str, table: str) -> StagedFile | None:
        """Put the staged file in place; None when it would have no row."""
        rows = self.count_treated()
        if not rows:
            return None
        with self.treated.open("rb") as written:
            os.fsync(written.fileno())
        self.treated.replace(self._staged)
        size = self._staged.stat().st_size
        return StagedFile(dataset=dataset, table=table, path=str(self._staged), rows=rows, size_bytes=size)


def _beside(place: Path, kind: str) -> Path:
    return place.with_name(f".{place.name}.{kind}")

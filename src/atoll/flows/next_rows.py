"""The rows that a table would have in the next version: those committed and those staged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from atoll.flows.rooms import Rooms
from atoll.model.dataset import DatasetVersion
from atoll.model.table import StagedFile


def next_rows(
    rooms: Rooms,
    before: DatasetVersion | None,
    staged: Mapping[str, Sequence[StagedFile]],
    table: str,
    columns: Sequence[str],
) -> pl.LazyFrame | None:
    """Columns of a table, lazily; None where it has no file. A column newer than a file is empty there."""
    paths = [file.path for file in staged.get(table, ()) if file.rows]
    state = None if before is None else next((s for s in before.tables if s.table == table), None)
    if before is not None and state is not None:
        paths = [file.path for file in rooms.lake.plan(before.dataset, table, state.snapshot_id).files] + paths
    frames = []
    for path in paths:
        rows = pl.scan_parquet(path, glob=False)
        there = rows.collect_schema().names()
        frames.append(rows.select(pl.col(name) if name in there else pl.lit(None).alias(name) for name in columns))
    return pl.concat(frames, how="vertical_relaxed") if frames else None

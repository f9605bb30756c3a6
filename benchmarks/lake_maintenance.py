"""Ten thousand deliveries to one table: how long commits and planning take, before and after maintenance.

    python benchmarks/lake_maintenance.py [DELIVERIES] [EXPIRE_EVERY]

Each delivery is one small file in a snapshot of its own. Snapshots are expired as the
platform does with its defaults (the newest 50 stay) every so many deliveries.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from atoll.lake import LaidOut, Lake, Upkeep
from atoll.model.table import Column, ColumnType, DataFile, StagedFile, TableSchema

COLUMNS = (Column(name="subject", type=ColumnType.STRING), Column(name="weight", type=ColumnType.NUMBER))
SCHEMA = TableSchema(dataset="clinic", table="vitals", columns=COLUMNS)
ROWS = 10
KEPT = 50


def deliver(lake: Lake, number: int) -> float:
    """Seconds that the commit takes."""
    landing = f"dlv_{number:06d}"
    path = lake.staging("clinic", "vitals", landing) / "0.parquet"
    rows = {"subject": [f"{number}-{row}" for row in range(ROWS)], "weight": [float(number)] * ROWS}
    pq.write_table(pa.table(rows), path, compression="zstd")
    file = StagedFile(dataset="clinic", table="vitals", path=str(path), rows=ROWS, size_bytes=path.stat().st_size)
    began = time.perf_counter()
    lake.commit(SCHEMA, [file], delivery_id=landing, contract="clinic@1")
    return time.perf_counter() - began


def planning(lake: Lake) -> tuple[float, tuple[DataFile, ...]]:
    """Seconds (median of five) and the files."""
    newest = lake.table_state("clinic", "vitals").snapshot_id
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        files = lake.plan("clinic", "vitals", newest).files
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), files


def reading(files: tuple[DataFile, ...]) -> float:
    """Seconds to read every row."""
    began = time.perf_counter()
    for file in files:
        pq.read_table(file.path, memory_map=True)
    return time.perf_counter() - began


def main() -> None:
    deliveries = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    every = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    home = Path(tempfile.mkdtemp(prefix="lake-bench-"))
    try:
        lake = Lake(f"sqlite:///{home / 'catalog.db'}", home)
        upkeep = Upkeep(lake)
        last: list[float] = []
        for number in range(deliveries):
            last = [*last[-49:], deliver(lake, number)]
            if (number + 1) % every == 0:
                snapshots = lake.load("clinic", "vitals").snapshots()
                upkeep.expire("clinic", "vitals", {s.snapshot_id for s in snapshots[-KEPT:]})
                upkeep.sweep("clinic", "vitals", spare=(), older_than_seconds=60)
                seconds, files = planning(lake)
                print(
                    f"{number + 1:6d} deliveries: commit {statistics.median(last):.3f} s (most {max(last):.3f} s), "
                    f"plan {seconds:.3f} s, {len(files)} files",
                    flush=True,
                )
        seconds, files = planning(lake)
        scattered = reading(files)
        out = LaidOut("clinic", "vitals", COLUMNS, upkeep.place("clinic", "vitals", "op_1"), file_bytes=2**28)
        for file in files:
            for batch in pq.read_table(file.path).to_batches():
                out.add(batch)
        out.close()
        upkeep.replace(SCHEMA, [f.path for f in files], out.files, job="op_1", kind="compaction")
        compact_seconds, compact = planning(lake)
        print(f"before compaction: plan {seconds:.3f} s, read {scattered:.3f} s, {len(files)} files")
        print(f"after compaction:  plan {compact_seconds:.3f} s, read {reading(compact):.3f} s, {len(compact)} files")
        assert sum(f.rows for f in compact) == deliveries * ROWS
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()

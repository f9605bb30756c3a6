"""Ten thousand deliveries to one table: planning, committing and querying, before and after compaction.

    python benchmarks/lake_maintenance.py [--deliveries 10000] [--expire-every 500]

Each delivery is one small file in a snapshot of its own, committed as the platform commits. Snapshots
are expired as often as the platform's defaults would have it with so many deliveries: when there are
half as many again as `versions_most`. Told are, at the end: what a commit takes (median and the
slowest of all), planning the newest version after a commit (warm) and in a process that has just
started (cold), and a question to all rows, before compaction, after it, and to the same rows
committed as one file. Targets: planning below 200 ms, commits below 1 s, after compaction at most
1.1 times one file's table. Exits 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from atoll.lake import LaidOut, Lake, Upkeep
from atoll.model.query import QueryLimits, Relation
from atoll.model.table import Column, ColumnType, StagedFile, TablePlan, TableSchema
from atoll.query import QueryEngine

RESULTS = Path(__file__).parent / "results" / "lake_maintenance.json"
COLUMNS = (
    Column(name="subject", type=ColumnType.STRING),
    Column(name="weight", type=ColumnType.NUMBER),
    Column(name="visit", type=ColumnType.INTEGER),
)
SCHEMA = TableSchema(dataset="clinic", table="vitals", columns=COLUMNS)
ONE_FILE = TableSchema(dataset="clinic", table="vitals_one_file", columns=COLUMNS)
ROWS = 100
#: As the platform's defaults: `versions_most`, and what expiry leaves of it in a day of many deliveries.
KEPT = 1000
QUESTION = "SELECT visit % 7, count(*), avg(weight), min(subject) FROM clinic.{} GROUP BY 1 ORDER BY 1"
LIMITS = QueryLimits(memory_bytes=2**30, seconds=300.0, max_rows=1000, threads=2)
PLAN_SECONDS, COMMIT_SECONDS, FACTOR = 0.2, 1.0, 1.1


def rows(number: int) -> pa.Table:
    return pa.table(
        {
            "subject": [f"{number:06d}-{row:03d}" for row in range(ROWS)],
            "weight": [float(number + row) for row in range(ROWS)],
            "visit": [number * ROWS + row for row in range(ROWS)],
        }
    )


def deliver(lake: Lake, schema: TableSchema, name: str, table: pa.Table) -> float:
    """Seconds that the commit takes."""
    path = lake.staging(schema.dataset, schema.table, name) / "0.parquet"
    pq.write_table(table, path, compression="zstd")
    size_bytes = path.stat().st_size
    file = StagedFile(
        dataset=schema.dataset, table=schema.table, path=str(path), rows=table.num_rows, size_bytes=size_bytes
    )
    return timed(lambda: lake.commit(schema, [file], delivery_id=name, contract="clinic@1"))


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def plan(lake: Lake, table: str) -> TablePlan:
    return lake.plan("clinic", table, lake.table_state("clinic", table).snapshot_id)


def asked(engine: QueryEngine, lake: Lake, table: str, rounds: int = 5) -> tuple[float, list[dict[str, object]]]:
    """Median seconds of the question, and its answer. Planned once, as the platform does for a version."""
    planned = plan(lake, table)
    relation = Relation(
        dataset="clinic", table=table, snapshot_id=planned.snapshot_id, columns=planned.columns, row_filter=None,
        files=planned.files,
    )  # fmt: skip
    seconds, answer = [], pa.table({})
    for _ in range(rounds):
        engine.wait_ready(60)
        began = time.perf_counter()
        with engine.run(QUESTION.format(table), [relation], LIMITS) as run:
            answer = pa.Table.from_batches(list(run), run.schema)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), answer.to_pylist()


def fill(lake: Lake, upkeep: Upkeep, deliveries: int, every: int) -> tuple[list[float], list[float]]:
    """Seconds of each commit, and of planning after every hundredth."""
    commits: list[float] = []
    plans: list[float] = []
    for number in range(deliveries):
        commits.append(deliver(lake, SCHEMA, f"dlv_{number:06d}", rows(number)))
        if (number + 1) % 100 == 0:
            plans.append(timed(lambda: plan(lake, "vitals")))
        if (number + 1) % every == 0:
            snapshots = lake.load("clinic", "vitals").snapshots()
            upkeep.expire("clinic", "vitals", {s.snapshot_id for s in snapshots[-KEPT:]})
            upkeep.sweep("clinic", "vitals", spare=(), older_than_seconds=60)
            last = commits[-every:]
            told = f"commit {statistics.median(last):.3f} s (most {max(last):.3f} s), plan {plans[-1]:.3f} s"
            print(f"{number + 1:6d} deliveries, {len(snapshots)} snapshots: {told}", flush=True)
    return commits, plans


def compact(lake: Lake, upkeep: Upkeep) -> None:
    files = plan(lake, "vitals").files
    out = LaidOut("clinic", "vitals", COLUMNS, upkeep.place("clinic", "vitals", "op_1"), file_bytes=2**28)
    for file in files:
        for batch in pq.read_table(file.path).to_batches():
            out.add(batch)
    out.close()
    upkeep.replace(SCHEMA, [f.path for f in files], out.files, job="op_1", kind="compaction")


def measure(home: Path, deliveries: int, every: int) -> dict[str, object]:
    lake = Lake(f"sqlite:///{home / 'catalog.db'}", home)
    upkeep = Upkeep(lake)
    engine = QueryEngine(1, 1, home / "spill")
    try:
        commits, plans = fill(lake, upkeep, deliveries, every)
        cold = timed(lambda: plan(Lake(f"sqlite:///{home / 'catalog.db'}", home), "vitals"))
        scattered, told = asked(engine, lake, "vitals", rounds=1)
        compacting = timed(lambda: compact(lake, upkeep))
        deliver(lake, ONE_FILE, "dlv_all", pa.concat_tables(rows(number) for number in range(deliveries)))
        compacted, again = asked(engine, lake, "vitals")
        one_file, alone = asked(engine, lake, "vitals_one_file")
        if not told == again == alone:
            raise SystemExit("the answers differ")
        return {
            "deliveries": deliveries,
            "commit_median_s": round(statistics.median(commits[-every:]), 4),
            "commit_p99_s": round(sorted(commits)[int(len(commits) * 0.99)], 4),
            "commit_most_s": round(max(commits), 4),
            "plan_s": round(statistics.median(plans[-20:]), 4),
            "plan_most_s": round(max(plans), 4),
            "plan_cold_s": round(cold, 4),
            "query_before_compaction_s": round(scattered, 4),
            "compaction_s": round(compacting, 2),
            "query_after_compaction_s": round(compacted, 4),
            "query_one_file_s": round(one_file, 4),
            "factor": round(compacted / one_file, 3),
        }
    finally:
        engine.close()
        lake.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--expire-every", type=int, default=500, help="deliveries from one expiry to the next")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as home:
        measured = measure(Path(home), options.deliveries, options.expire_every)
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "target": f"plan {PLAN_SECONDS} s, commit {COMMIT_SECONDS} s, after compaction {FACTOR} x one file's table",
        **measured,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    met = (
        report["plan_s"] <= PLAN_SECONDS
        and report["commit_p99_s"] <= COMMIT_SECONDS
        and report["query_after_compaction_s"] <= FACTOR * report["query_one_file_s"] + 0.005
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

"""TPC-H's 22 queries, governed under a grant of everything against raw DuckDB on the same files.

    python benchmarks/query_tpch.py [--scale 1] [--rounds 3]

The tables are made by `tpchgen-cli` and committed to a lake in a temporary directory. Each
query runs by turns governed (the whole story of a person's query, see `query.py`) and raw
(a new connection, views over the same files); medians are summed. The answers must be
alike. Target: at most 1.1 times raw in total. Exits 1 when it is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from atoll.flows import run_query
from atoll.flows.rooms import Rooms
from atoll.model.person import Caller
from atoll.model.table import StagedFile, TablePlan, TableSchema
from atoll.settings import Settings
from atoll.wiring import platform as wiring
from query import THREADS, grant
from tpch.data import generate
from tpch.queries import QUERIES

RESULTS = Path(__file__).parent / "results" / "query_tpch.json"
FACTOR = 1.1


def fill(rooms: Rooms, scale: float, place: Path) -> tuple[Caller, list[TablePlan]]:
    """The eight tables in the lake, and a scientist who may read them all."""
    states = []
    for table, (file, columns) in generate(place, scale).items():
        schema = TableSchema(dataset="tpch", table=table, columns=columns)
        path = rooms.lake.staging("tpch", table, "dlv_0") / "0.parquet"
        shutil.move(file.path, path)
        staged = StagedFile(dataset="tpch", table=table, path=str(path), rows=file.rows, size_bytes=file.size_bytes)
        states.append(rooms.lake.commit(schema, [staged], delivery_id="dlv_0", contract="tpch@1"))
    caller = grant(rooms, tuple(states), "tpch")
    return caller, [rooms.lake.plan("tpch", state.table, state.snapshot_id) for state in states]


def timed_governed(rooms: Rooms, caller: Caller, sql: str) -> tuple[float, list[pa.RecordBatch]]:
    """From the call to the settled query."""
    start = time.perf_counter()
    with run_query.run(rooms, caller, "bench", sql) as running:
        batches = list(running)
    return (time.perf_counter() - start) * 1000, batches


def timed_raw(views: list[str], sql: str) -> tuple[float, list[pa.RecordBatch]]:
    start = time.perf_counter()
    connection = duckdb.connect(config={"threads": THREADS})
    try:
        connection.execute("CREATE SCHEMA tpch")
        for view in views:
            connection.execute(view)
        with connection.sql(sql).to_arrow_reader(65_536) as reader:
            batches = list(reader)
        return (time.perf_counter() - start) * 1000, batches
    finally:
        connection.close()


def rows_of(batches: list[pa.RecordBatch]) -> list[tuple[object, ...]]:
    """The rows in an order of their own: by all but their floats first."""
    rows = (row for batch in batches for row in zip(*batch.to_pydict().values(), strict=True))
    return sorted(rows, key=lambda row: ([str(v) for v in row if not isinstance(v, float)], str(row)))


def alike(one: list[tuple[object, ...]], other: list[tuple[object, ...]]) -> bool:
    """The same rows; sums of floats depend on the order in which threads add, so nine digits count."""
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=1e-9) if isinstance(a, float) and isinstance(b, float) else a == b
        for left, right in zip(one, other, strict=True)
        for a, b in zip(left, right, strict=True)
    )


def compare(rooms: Rooms, caller: Caller, number: int, views: list[str], rounds: int) -> dict[str, object]:
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for turn in range(rounds + 1):
        answers = []
        for who in ("ours", "theirs") if turn % 2 else ("theirs", "ours"):
            rooms.engine.wait_ready(60)
            spent, batches = (
                timed_governed(rooms, caller, QUERIES[number]) if who == "ours" else timed_raw(views, QUERIES[number])
            )
            answers.append(batches)
            if turn:  # the first warms the page cache
                times[who].append(spent)
        if not alike(*map(rows_of, answers)):
            raise SystemExit(f"query {number}: the two answers differ")
    return {
        "query": number,
        "rows": sum(batch.num_rows for batch in answers[0]),
        "raw_ms": round(statistics.median(times["theirs"]), 1),
        "governed_ms": round(statistics.median(times["ours"]), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="TPC-H's scale factor")
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds of each query")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as home:
        settings = Settings(home=Path(home, "home"), query_workers=1, query_threads=THREADS, query_memory_bytes=2**31)
        rooms = wiring.build(settings)
        try:
            caller, plans = fill(rooms, options.scale, Path(home, "tpch"))
            views = [
                f"CREATE VIEW tpch.{p.table} AS FROM read_parquet([{', '.join(repr(f.path) for f in p.files)}])"
                for p in plans
            ]
            results = [compare(rooms, caller, number, views, options.rounds) for number in QUERIES]
        finally:
            wiring.close(rooms)
    raw_ms, governed_ms = (sum(result[key] for result in results) for key in ("raw_ms", "governed_ms"))
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "scale": options.scale,
        "target": f"{FACTOR} x raw in total",
        "raw_ms": round(raw_ms, 1),
        "governed_ms": round(governed_ms, 1),
        "factor": round(governed_ms / raw_ms, 3),
        "results": results,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    table = Table(title=f"TPC-H at scale {options.scale:g}: {governed_ms / raw_ms:.3f} times raw in total")
    for heading in ("query", "rows", "raw ms", "governed ms"):
        table.add_column(heading, justify="right")
    for result in results:
        table.add_row(*map(str, result.values()))
    table.add_row("all", "", f"{raw_ms:.0f}", f"{governed_ms:.0f}")
    Console().print(table)
    return 0 if governed_ms <= FACTOR * raw_ms else 1


if __name__ == "__main__":
    sys.exit(main())

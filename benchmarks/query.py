"""Governed SQL against the same SQL in raw DuckDB on the same files.

    python benchmarks/query.py [--rows 4000000] [--rounds 15]

Builds a lake of its own in a temporary directory (a table of observations in four
deliveries, a table of subjects), and runs each query by turns: governed (the whole
story a person's query goes through: grants, planning, audit, guard, a warm process,
every batch read here, flow and cost) and raw (DuckDB in this process, imported, a new connection for each run, the same
files by `read_parquet`, every batch read). Medians are told. Target for the
governed query: at most 1.1 times the raw one plus 15 ms. Exits 1 when a target is missed.
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
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
from rich.console import Console
from rich.table import Table

from atoll.flows import run_query
from atoll.flows.rooms import Rooms
from atoll.lake import Lake
from atoll.model.dataset import Dataset, DatasetVersion, TableState
from atoll.model.grant import Grant
from atoll.model.person import Caller, Project, Role, SubjectKind
from atoll.model.table import Column, ColumnType, StagedFile, TablePlan, TableSchema
from atoll.ports.records import Put
from atoll.settings import Settings
from atoll.wiring import platform as wiring

RESULTS = Path(__file__).parent / "results" / "query.json"
FACTOR, EXTRA_MS = 1.1, 15.0
THREADS = 2
DELIVERIES = 4

QUERIES = {
    "count": "SELECT count(*) FROM {observations}",
    "point": "SELECT * FROM {subjects} WHERE subject = 's000042'",
    "group by": "SELECT code, count(*), avg(value), min(day), max(day) FROM {observations} GROUP BY code ORDER BY code",
    "join": "SELECT s.region, o.code, count(*), avg(o.value) FROM {observations} o JOIN {subjects} s USING (subject) "
    "WHERE s.birth_year < 1960 GROUP BY ALL ORDER BY ALL",
    "window": "SELECT subject, code, day, value FROM {observations} WHERE code = 'c01' "
    "QUALIFY row_number() OVER (PARTITION BY subject ORDER BY day DESC) = 1",
    "export": "SELECT subject, day, value FROM {observations} WHERE code IN ('c02', 'c03', 'c04')",
}

OBSERVATIONS = TableSchema(
    dataset="bench",
    table="observations",
    columns=(
        Column(name="subject", type=ColumnType.STRING),
        Column(name="code", type=ColumnType.STRING),
        Column(name="value", type=ColumnType.NUMBER),
        Column(name="day", type=ColumnType.DATE),
    ),
)
SUBJECTS = TableSchema(
    dataset="bench",
    table="subjects",
    columns=(
        Column(name="subject", type=ColumnType.STRING),
        Column(name="region", type=ColumnType.STRING),
        Column(name="birth_year", type=ColumnType.INTEGER),
    ),
)
SUBJECT_COUNT = 200_000


def observations(rows: int, seed: int) -> pl.DataFrame:
    index = pl.int_range(rows, eager=True)
    mixed = (index * 2_654_435_761 + seed * 40_503) % 4_294_967_296
    return pl.DataFrame(
        {
            "subject": pl.select(pl.format("s{}", (mixed % SUBJECT_COUNT).cast(pl.String).str.zfill(6))).to_series(),
            "code": pl.select(pl.format("c{}", (mixed // 7 % 40).cast(pl.String).str.zfill(2))).to_series(),
            "value": (mixed % 10_007) / 13.0,
            "day": pl.Series((mixed // 11 % 7300 + 10_957).cast(pl.Int32)).cast(pl.Date),
        }
    )


def subjects() -> pl.DataFrame:
    index = pl.int_range(SUBJECT_COUNT, eager=True)
    return pl.DataFrame(
        {
            "subject": pl.select(pl.format("s{}", index.cast(pl.String).str.zfill(6))).to_series(),
            "region": pl.select(pl.format("region {}", index % 13)).to_series(),
            "birth_year": 1930 + index % 80,
        }
    )


def commit(lake: Lake, schema: TableSchema, frames: list[pl.DataFrame]) -> TableState:
    """The table with its frames committed, one delivery each."""
    state: TableState | None = None
    for number, frame in enumerate(frames):
        delivery = f"dlv_{number}"
        path = lake.staging(schema.dataset, schema.table, delivery) / "0.parquet"
        frame.write_parquet(path, compression="zstd")
        staged = StagedFile(
            dataset=schema.dataset,
            table=schema.table,
            path=str(path),
            rows=frame.height,
            size_bytes=path.stat().st_size,
        )
        state = lake.commit(schema, [staged], delivery_id=delivery, contract="bench@1")
    assert state is not None
    return state


def grant(rooms: Rooms, tables: tuple[TableState, ...], dataset: str = "bench") -> Caller:
    """A scientist whose project may read everything of the dataset."""
    now = rooms.clock.now()
    version = DatasetVersion(
        id=f"{dataset}@1",
        dataset=dataset,
        number=1,
        delivery="dlv_0",
        contract=f"{dataset}@1",
        tables=tables,
        committed_at=now,
        rows_added=0,
        bytes_added=0,
    )
    rooms.records.transact(
        [
            Put(Dataset(id=dataset, title="", latest=1, created_at=now)),
            Put(version),
            Put(Project(id="prj_1", name="bench", title="", members=frozenset({"per_1"}), created_at=now)),
            Put(Grant(id="grt_1", project="bench", dataset=dataset, reason="", granted_by="", granted_at=now)),
        ]
    )
    roles = frozenset({Role.SCIENTIST})
    return Caller(subject_kind=SubjectKind.PERSON, subject_id="per_1", name="bench", roles=roles)


def raw(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    with connection.sql(sql).to_arrow_reader(65_536) as reader:
        return sum(batch.num_rows for batch in reader)


def timed_raw(sql: str) -> tuple[float, int]:
    """Opening the connection counts, closing it (which frees its memory) does not."""
    start = time.perf_counter()
    connection = duckdb.connect(config={"threads": THREADS})
    try:
        rows = raw(connection, sql)
        return (time.perf_counter() - start) * 1000, rows
    finally:
        connection.close()


def timed_governed(rooms: Rooms, caller: Caller, sql: str) -> tuple[float, int]:
    """From the call to the settled query: grants, planning, audit, guard, run, flow, cost; process ended."""
    start = time.perf_counter()
    with run_query.run(rooms, caller, "bench", sql) as running:
        rows = sum(batch.num_rows for batch in running)
    return (time.perf_counter() - start) * 1000, rows


def compare(rooms: Rooms, caller: Caller, name: str, plans: list[TablePlan], rounds: int) -> dict[str, object]:
    engine = rooms.engine
    files = {p.table: "read_parquet([" + ", ".join(f"'{file.path}'" for file in p.files) + "])" for p in plans}
    raw_sql = QUERIES[name].format(**files)
    sql = QUERIES[name].format(**{p.table: f"{p.dataset}.{p.table}" for p in plans})
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 2):
        # The next process starts between the runs, not within either of them.
        if not engine.wait_ready(60):
            raise SystemExit("no query process became ready")
        order = [(ours, lambda: timed_governed(rooms, caller, sql)), (theirs, lambda: timed_raw(raw_sql))]
        counts = set()
        for times, run in order if number % 2 else reversed(order):
            spent, rows = run()
            counts.add(rows)
            if number >= 2:  # the first two warm the page cache
                times.append(spent)
            engine.wait_ready(60)
        if len(counts) != 1:
            raise SystemExit(f"{name}: the two results differ in rows: {counts}")
    raw_ms, governed_ms = statistics.median(theirs), statistics.median(ours)
    allowed_ms = raw_ms * FACTOR + EXTRA_MS
    return {
        "query": name,
        "rows": counts.pop(),
        "raw_ms": round(raw_ms, 1),
        "governed_ms": round(governed_ms, 1),
        "added_ms": round(governed_ms - raw_ms, 1),
        "allowed_ms": round(allowed_ms, 1),
        "met": governed_ms <= allowed_ms,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4_000_000, help="observations in all")
    parser.add_argument("--rounds", type=int, default=15, help="timed rounds of each query")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as home:
        rooms = wiring.build(Settings(home=Path(home), query_workers=1, query_threads=THREADS))
        try:
            frames = [observations(options.rows // DELIVERIES, seed) for seed in range(DELIVERIES)]
            tables = (commit(rooms.lake, OBSERVATIONS, frames), commit(rooms.lake, SUBJECTS, [subjects()]))
            caller = grant(rooms, tables)
            plans = [rooms.lake.plan("bench", table.table, table.snapshot_id) for table in tables]
            results = [compare(rooms, caller, name, plans, options.rounds) for name in QUERIES]
        finally:
            wiring.close(rooms)
        size = sum(file.size_bytes for plan in plans for file in plan.files)
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "observations": options.rows,
        "parquet_bytes": size,
        "rounds": options.rounds,
        "target": f"{FACTOR} x raw + {EXTRA_MS:g} ms",
        "results": results,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    show(report, results)
    return 0 if all(result["met"] for result in results) else 1


def show(report: dict[str, object], results: list[dict[str, object]]) -> None:
    table = Table(title=f"Governed SQL against raw DuckDB, medians of {report['rounds']}, target {report['target']}")
    for heading in ("query", "rows", "raw ms", "governed ms", "added ms", "allowed ms", "met"):
        table.add_column(heading, justify="left" if heading == "query" else "right")
    for result in results:
        table.add_row(*(("yes" if v else "NO") if isinstance(v, bool) else str(v) for v in result.values()))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())

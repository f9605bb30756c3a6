"""Governed SQL against the same SQL in raw DuckDB on the same files.

    python benchmarks/query.py [--rows 4000000] [--rounds 15]

Builds a lake of its own in a temporary directory (a table of observations in four
deliveries, a table of subjects), plans both tables through the lake, and runs each
query by turns: governed (`QueryEngine.run`, a warm process, every batch read here)
and raw (DuckDB in this process, imported, a new connection for each run, the same
files by `read_parquet`, every batch read). Medians are told. Target for the
governed query: at most 1.1 times the raw one plus 30 ms. Exits 1 when a target is missed.
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

from atoll.lake import Lake
from atoll.model.query import QueryLimits, Relation
from atoll.model.table import Column, ColumnType, StagedFile, TableSchema
from atoll.query import QueryEngine

RESULTS = Path(__file__).parent / "results" / "query.json"
FACTOR, EXTRA_MS = 1.1, 30.0
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


def relation(lake: Lake, schema: TableSchema, frames: list[pl.DataFrame]) -> Relation:
    """The table with its frames committed, one delivery each, as a grant of everything sees it."""
    state = None
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
    plan = lake.plan(schema.dataset, schema.table, state.snapshot_id)
    return Relation(
        dataset=schema.dataset,
        table=schema.table,
        snapshot_id=plan.snapshot_id,
        columns=plan.columns,
        row_filter=None,
        files=plan.files,
    )


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


def timed_governed(engine: QueryEngine, sql: str, relations: list[Relation], limits: QueryLimits) -> tuple[float, int]:
    """From the call to the process ended and its directory removed."""
    start = time.perf_counter()
    with engine.run(sql, relations, limits) as run:
        rows = sum(batch.num_rows for batch in run)
    return (time.perf_counter() - start) * 1000, rows


def compare(engine: QueryEngine, name: str, relations: list[Relation], rounds: int) -> dict[str, object]:
    limits = QueryLimits(memory_bytes=2**30, seconds=120.0, max_rows=5_000_000, threads=THREADS)
    files = {r.table: "read_parquet([" + ", ".join(f"'{file.path}'" for file in r.files) + "])" for r in relations}
    raw_sql = QUERIES[name].format(**files)
    sql = QUERIES[name].format(**{r.table: f"{r.dataset}.{r.table}" for r in relations})
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 2):
        # The next process starts between the runs, not within either of them.
        if not engine.wait_ready(60):
            raise SystemExit("no query process became ready")
        order = [(ours, lambda: timed_governed(engine, sql, relations, limits)), (theirs, lambda: timed_raw(raw_sql))]
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
        warehouse = Path(home) / "lake"
        lake = Lake(f"sqlite:///{warehouse / 'catalog.db'}", warehouse)
        frames = [observations(options.rows // DELIVERIES, seed) for seed in range(DELIVERIES)]
        relations = [relation(lake, OBSERVATIONS, frames), relation(lake, SUBJECTS, [subjects()])]
        engine = QueryEngine(workers=1, concurrency=1, temp_dir=Path(home) / "query")
        try:
            results = [compare(engine, name, relations, options.rounds) for name in QUERIES]
        finally:
            engine.close()
        size = sum(file.size_bytes for r in relations for file in r.files)
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

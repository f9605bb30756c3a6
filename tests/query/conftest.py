"""Two small tables in Parquet, one of them under a row filter and without some columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atoll.model.query import QueryLimits, Relation
from atoll.model.table import Column, ColumnType, DataFile
from atoll.query import QueryEngine
from atoll.query.views import create_views, lock, open_engine

LIMITS = QueryLimits(memory_bytes=256 * 2**20, seconds=20.0, max_rows=100_000, threads=2)

#: Stands in the data and may never be seen: in rows the filter hides, and in columns not granted.
HIDDEN_ROW = "hiddenrow"
HIDDEN_COLUMN = "hiddencolumn"


def data_file(path: Path, table: pa.Table) -> DataFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")
    return DataFile(path=str(path), rows=table.num_rows, size_bytes=path.stat().st_size)


@pytest.fixture(scope="session")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Relation:
    """`clinic.visits`: site A only, two columns withheld; the second file has one more column."""
    place = tmp_path_factory.mktemp("lake") / "clinic" / "visits"
    rows = {
        "id": pa.array(range(6), pa.int64()),
        "subject": ["p1", "p2", HIDDEN_ROW + "1", "p1", HIDDEN_ROW + "2", "p3"],
        "site": ["A", "A", "B", "A", None, "A"],
        "note": [HIDDEN_COLUMN] * 6,
        "weight": [70.5, 81.0, 99.0, 71.5, 98.0, None],
        "day": [date(2020, 1, d) for d in range(1, 7)],
        "seen_at": pa.array([datetime(2020, 1, d, 12, tzinfo=UTC) for d in range(1, 7)], pa.timestamp("us", "UTC")),
    }
    first = data_file(place / "a.parquet", pa.table({k: v for k, v in rows.items() if k != "seen_at"}).slice(0, 3))
    second = data_file(place / "b.parquet", pa.table(rows).slice(3))
    granted = {
        "id": ColumnType.INTEGER,
        "subject": ColumnType.STRING,
        "weight": ColumnType.NUMBER,
        "day": ColumnType.DATE,
        "seen_at": ColumnType.DATETIME,
    }
    return Relation(
        dataset="clinic",
        table="visits",
        snapshot_id=1,
        columns=tuple(Column(name=name, type=kind) for name, kind in granted.items()),
        row_filter="site = 'A'",
        files=(first, second),
    )


@pytest.fixture(scope="session")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Relation:
    """`clinic.labs`: everything granted, and values that do not convert."""
    place = tmp_path_factory.mktemp("lake") / "clinic" / "labs"
    table = pa.table(
        {
            "id": pa.array([0, 1, 3, 5], pa.int64()),
            "code": ["NA", "K", "NA", "GLU"],
            "result": ["140", "4.1", "visiblevalue", '{"a": 1}'],
            "day": [date(2020, 1, d) for d in (1, 2, 3, 6)],
        }
    )
    kinds = {"id": "integer", "code": "string", "result": "string", "day": "date"}
    return Relation(
        dataset="clinic",
        table="labs",
        snapshot_id=2,
        columns=tuple(Column(name=name, type=ColumnType(kind)) for name, kind in kinds.items()),
        row_filter=None,
        files=(data_file(place / "a.parquet", table),),
    )


@pytest.fixture(scope="session")
def relations(visits: Relation, labs: Relation) -> list[Relation]:
    return [visits, labs]


@pytest.fixture
def locked(relations: list[Relation]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The engine as a query process locks it, with no guard before it."""
    connection = open_engine()
    lock(connection, [file.path for r in relations for file in r.files], LIMITS, None)
    create_views(connection, relations)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueryEngine]:
    engine = QueryEngine(workers=1, concurrency=4, temp_dir=tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


@pytest.fixture
def limits() -> QueryLimits:
    return LIMITS


@pytest.fixture
def rows(engine: QueryEngine, relations: list[Relation]) -> Callable[[str], list[dict]]:
    """The rows of a governed query, through a process of its own."""

    def run(sql: str) -> list[dict]:
        with engine.run(sql, relations, LIMITS) as run:
            return [row for batch in run for row in batch.to_pylist()]

    return run

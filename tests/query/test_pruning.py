"""Files that cannot hold what is asked for are not opened, and no answer changes by it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from tests.query.conftest import data_file

from atoll.model.query import Relation
from atoll.model.table import Column, ColumnType
from atoll.query.pruning import by_filter, by_statement
from atoll.query.views import create_views, open_engine

FILES = 4
KINDS = {
    "n": ColumnType.INTEGER,
    "x": ColumnType.NUMBER,
    "s": ColumnType.STRING,
    "d": ColumnType.DATE,
    "t": ColumnType.DATETIME,
}


@pytest.fixture(scope="module")
def split(tmp_path_factory) -> Relation:
    """`c.split`: file k holds n from 10k to 10k+9, and the other columns in step; x has a NaN in the first file."""
    place = tmp_path_factory.mktemp("split")
    files, bounds = [], []
    for k in range(FILES):
        numbers = [10 * k + i for i in range(10)]
        rows = {
            "n": numbers,
            "x": [float("nan") if n == 3 else n / 2 for n in numbers],
            "s": [f"s{n:03d}" for n in numbers],
            "d": [date(2020, 1, 1 + k)] * 10,
            "t": pa.array([datetime(2020, 1, 1 + k, 12, tzinfo=UTC)] * 10, pa.timestamp("us", "UTC")),
        }
        files.append(data_file(place / f"{k}.parquet", pa.table(rows)))
        day = (date(2020, 1, 1 + k) - date(1970, 1, 1)).days
        noon = int(datetime(2020, 1, 1 + k, 12, tzinfo=UTC).timestamp() * 1e6)
        ends = (numbers[0], numbers[-1])
        bounds.append(
            {
                "n": ends,
                "x": (ends[0] / 2, ends[1] / 2),
                "s": (f"s{ends[0]:03d}", f"s{ends[1]:03d}"),
                "d": (day, day),
                "t": (noon, noon),
            }
        )
    return Relation(
        dataset="c",
        table="split",
        snapshot_id=1,
        columns=tuple(Column(name=name, type=kind) for name, kind in KINDS.items() if name != "s"),
        row_filter=None,
        files=tuple(files),
        bounded=tuple(KINDS.items()),
        bounds={name: tuple(of[name] for of in bounds) for name in KINDS},
    )


RULED_OUT = {
    "n = 12": 3,
    "12 = n": 3,
    "n < 20 AND n >= 10": 3,
    "20 > n": 2,
    "n IN (1, 35)": 2,
    "n BETWEEN 12 AND 25": 2,
    "n = 12 AND x > 1": 3,
    "x = 6.0": 3,
    "x < 2": 3,
    "d = '2020-01-02'": 3,
    "d >= DATE '2020-01-03'": 2,
    "t < TIMESTAMPTZ '2020-01-02 12:00:00+00'": 3,
    "t <= '2020-01-02 14:00:00+02'": 2,
    "split.n = 12": 3,
    "n = 99": 4,
    # What may mean something else rules nothing out.
    "x > 100": 0,
    "n = 12 OR n = 13": 0,
    "NOT n = 12": 0,
    "n <> 12": 0,
    "n + 0 = 12": 0,
    "n = '12'": 0,
    "n = 12.0": 0,
    "n::VARCHAR = '12'": 0,
    "n = (SELECT 12)": 0,
    "n IS NULL": 0,
    "n NOT BETWEEN 1 AND 39": 0,
    "t < '2020-01-01 12:00:00.0000001'": 0,
}
STATEMENTS = {
    "SELECT count(*) FROM c.split a JOIN c.split b ON a.n = b.n WHERE a.n = 12 AND b.n = 12": 3,
    "SELECT count(*) FROM c.split a JOIN c.split b ON a.n = b.n WHERE a.n = 12 AND b.n = 35": 2,
    "SELECT count(*) FROM c.split a LEFT JOIN c.split b ON a.n = b.n + 10 WHERE a.n < 10 AND b.n < 10": 3,
    "SELECT count(*) FROM c.split a FULL JOIN c.split b ON a.n = b.n + 10 WHERE a.n < 20 AND b.n < 20": 2,
    "SELECT (SELECT count(*) FROM c.split WHERE n = 12), (SELECT max(n) FROM c.split WHERE d = '2020-01-02')": 3,
    "WITH w AS (SELECT * FROM c.split WHERE n < 10) SELECT count(*) FROM w UNION ALL "
    "SELECT count(*) FROM c.split WHERE n > 35": 2,
    "SELECT n, sum(n) OVER (ORDER BY n) FROM c.split WHERE n = 12": 3,
    "SELECT v.n FROM c.split v, LATERAL (SELECT v.n + 1 AS next) WHERE v.n = 12": 3,
    # Rows that WHERE removes have their part in these.
    "SELECT a.n, b.n FROM c.split a POSITIONAL JOIN c.split b WHERE a.n = 12": 0,
    "SELECT a.n, b.n FROM c.split a ASOF JOIN c.split b ON a.n > b.n WHERE b.n < 10 AND a.n < 10": 0,
    "SELECT count(*) FROM c.split a ANTI JOIN c.split b ON a.n = b.n + 10 WHERE a.n = 12": 0,
    "SELECT count(*) FROM c.split JOIN c.split b USING (n) WHERE n = 12": 0,
    "SELECT count(*) FROM c.split WHERE n = 12 UNION ALL SELECT count(*) FROM c.split": 0,
    "SELECT count(*) FROM (SELECT * FROM c.split) WHERE n = 12": 0,
    "SELECT count(*) FROM c.split AS q(x, n) WHERE n = 12": 0,
    "SELECT x AS n FROM c.split WHERE n = 12": 0,
    "SELECT count(*) FROM c.split, (SELECT 12 AS m) WHERE n = 12": 0,
    "SELECT max(n) FILTER (WHERE n = 12) FROM c.split": 0,
    "SELECT n FROM c.split GROUP BY n HAVING n = 12": 0,
    "SELECT n, row_number() OVER (ORDER BY n) AS r FROM c.split QUALIFY n = 12": 0,
    "SELECT 'a' AS s FROM c.split WHERE s = 'a'": 0,
}


@pytest.fixture
def answer(engine, limits):
    def run(sql: str, relation: Relation):
        with engine.run(sql, [relation], limits) as run:
            return sorted(map(str, (tuple(row.values()) for batch in run for row in batch.to_pylist()))), run

    return run


def test_what_is_ruled_out(split):
    with open_engine() as connection:
        for condition, number in RULED_OUT.items():
            sql = f"SELECT * FROM c.split WHERE {condition}"
            assert len(by_statement(connection, sql, split)) == number, condition
            filtered = split.but(row_filter=condition.replace("split.", ""))
            assert len(by_filter(connection, filtered)) == number, condition
        for sql, number in STATEMENTS.items():
            assert len(by_statement(connection, sql, split)) == number, sql


@pytest.mark.parametrize("sql", [*(f"SELECT count(*) FROM c.split WHERE {c}" for c in RULED_OUT), *STATEMENTS])
def test_no_answer_changes_by_it(split, sql):
    def told(relation: Relation) -> list[str]:
        with open_engine() as connection:
            create_views(connection, [relation])
            return sorted(map(str, connection.execute(sql).fetchall()))

    with open_engine() as connection:
        gone = by_statement(connection, sql, split)
    if "AS s" in sql:  # the hidden column is none of the view's
        assert not gone
    assert told(split.but(files=tuple(f for k, f in enumerate(split.files) if k not in gone))) == told(split)


def test_what_is_not_read_is_not_charged_and_not_opened(answer, split, tmp_path):
    gone = split.but(
        files=tuple(f if k == 1 else f.but(path=str(tmp_path / f"{k}.parquet")) for k, f in enumerate(split.files))
    )
    told, run = answer("SELECT n FROM c.split WHERE n = 12", gone)
    assert told == ["(12,)"]
    assert run.stats.scanned_bytes == split.files[1].size_bytes
    assert [r.files for r in run.relations] == [(split.files[1],)]


def test_figures_do_not_tell_of_rows_that_a_filter_hides(answer, split):
    hidden = split.but(row_filter="n >= 10 AND s <> 'never'")
    (told, run), (_, absent) = (answer(f"SELECT count(*) FROM c.split WHERE n = {n}", hidden) for n in (12, 999))
    assert told == ["(1,)"]
    assert run.stats.scanned_bytes == absent.stats.scanned_bytes == sum(f.size_bytes for f in split.files[1:])

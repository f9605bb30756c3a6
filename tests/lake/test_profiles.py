"""Figures that are safe to show: computed by the real engine over Parquet files."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl
import pytest

from atoll.lake import profiles
from atoll.model.catalog import SMALL_CELL
from atoll.model.query import QueryLimits, Relation
from atoll.model.table import Column, ColumnType, DataFile
from atoll.query import QueryEngine

LIMITS = QueryLimits(memory_bytes=2**28, seconds=60, max_rows=10_000, threads=1)
COLUMNS = (
    Column(name="subject", type=ColumnType.STRING, treatment="pseudonymize"),
    Column(name="age", type=ColumnType.INTEGER),
    Column(name="weight", type=ColumnType.NUMBER),
    Column(name="seen", type=ColumnType.DATE, treatment="shift_date"),
    Column(name="site", type=ColumnType.STRING),
    Column(name="note", type=ColumnType.STRING),
    Column(name="empty", type=ColumnType.STRING),
    Column(name='od"d', type=ColumnType.BOOLEAN),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = QueryEngine(workers=1, concurrency=2, temp_dir=tmp_path_factory.mktemp("spill"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def relation(tmp_path_factory):
    draw = random.Random(7)
    people = [f"p{n:032x}" for n in range(300)]
    rows = []
    for n in range(3000):
        person = people[n % 300]
        rows.append(
            {
                "subject": person,
                "age": 20 + n % 300 % 60,
                # One person has an extreme weight, ten times over.
                "weight": 999.0 if n % 300 == 0 else draw.uniform(50, 100),
                "seen": date(2020, 1, 1) + timedelta(days=n % 365),
                # `rare` stands in 10 rows of one person; `few` in 40 rows of 4.
                "site": {0: "rare"}.get(n % 300, "few" if 1 <= n % 300 <= 4 else ["north", "south"][n % 2]),
                "note": f"free text {n}",
                "empty": None,
                'od"d': None if n % 300 < 3 else n % 2 == 0,
            }
        )
    path = tmp_path_factory.mktemp("lake") / "rows.parquet"
    schema = {"empty": pl.String, 'od"d': pl.Boolean}
    pl.DataFrame(rows, schema_overrides=schema).write_parquet(path)
    file = DataFile(path=str(path), rows=3000, size_bytes=path.stat().st_size)
    return Relation(dataset="d", table="t", snapshot_id=1, columns=COLUMNS, row_filter=None, files=(file,))


def told(engine, relation, subject):
    def ask(sql):
        rows = []
        with engine.run(sql, [relation], LIMITS) as running:
            for batch in running:
                rows += zip(*(c.to_pylist() for c in batch.columns), strict=True)
        return rows

    name = '"d"."t"'
    counts = profiles.counted(COLUMNS, ask(profiles.counts_sql(name, COLUMNS, subject))[0])
    measured = profiles.measured(COLUMNS)
    ranges = profiles.ranges(measured, ask(profiles.ranges_sql(name, measured, subject))[0])
    binned = [(c, ranges[c.name]) for c in measured if c.name in ranges]
    cells = {}
    for kind, column, cell, n, s in ask(profiles.cells_sql(name, profiles.listable(COLUMNS, counts), binned, subject)):
        cells.setdefault(column, []).append((kind, cell, n, s))
    return {c.name: profiles.profile(c, counts[c.name], ranges.get(c.name), cells.get(c.name, ())) for c in COLUMNS}


@pytest.fixture(scope="module")
def by_person(engine, relation):
    return told(engine, relation, "subject")


def test_pseudonyms_and_free_text_are_never_listed(by_person):
    assert by_person["subject"].withheld == "pseudonym"
    assert by_person["note"].withheld == "many_values"
    for name in ("subject", "note"):
        assert by_person[name].values == by_person[name].histogram == ()
        assert (by_person[name].min, by_person[name].max) == (None, None)
    assert abs(by_person["subject"].distinct - 300) < 60


def test_one_persons_many_rows_are_a_small_cell(by_person, engine, relation):
    values = {v.value: v.rows for v in by_person["site"].values}
    assert set(values) == {"north", "south"}
    assert by_person["site"].other_rows == 50
    by_row = told(engine, relation, None)
    assert {v.value for v in by_row["site"].values} == {"north", "south", "few", "rare"}


def test_an_extreme_of_one_person_is_not_the_range(by_person):
    assert by_person["weight"].max < 101
    assert by_person["weight"].min >= 50


def test_counts_are_rounded_and_small_cells_are_not_told(by_person):
    for profile in by_person.values():
        for rows in (*(b.rows for b in profile.histogram), *(v.rows for v in profile.values), profile.nulls):
            assert rows is None or rows % 10 == 0
    # Three people lack it, in 30 rows.
    assert by_person['od"d'].nulls is None
    assert (by_person["empty"].nulls, by_person["empty"].withheld) == (3000, "small")


def test_the_histogram_covers_the_rows(by_person):
    age = by_person["age"]
    assert (age.min, age.max) == (21, 78)  # five people of each age
    assert abs(sum(b.rows or 0 for b in age.histogram) - 3000) <= 10 * len(age.histogram)
    seen = by_person["seen"]
    assert seen.min.startswith("2020-01")
    assert seen.histogram[0].low <= seen.min
    assert all(first.high == second.low for first, second in zip(seen.histogram, seen.histogram[1:], strict=False))


def test_too_few_people_are_told_nothing_of(engine, relation):
    few = relation.but(row_filter="age < 21")  # five people
    profile = told(engine, few, "subject")
    assert profile["age"].withheld == "small"
    assert profile["site"].values == ()
    assert SMALL_CELL == 10

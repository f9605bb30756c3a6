"""Row filters: one expression that is true or false, and no more."""

from __future__ import annotations

import pytest

from atoll.errors import StatementRefused
from atoll.model.table import Column, ColumnType
from atoll.query.predicate import check_filter
from atoll.query.views import open_engine

COLUMNS = (
    Column(name="site", type=ColumnType.STRING),
    Column(name="odd name", type=ColumnType.STRING),
    Column(name="age", type=ColumnType.INTEGER),
    Column(name="day", type=ColumnType.DATE),
)


@pytest.fixture(scope="module")
def connection():
    return open_engine()


@pytest.mark.parametrize(
    "predicate",
    [
        "site = 'A'",
        "site IN ('A', 'B') AND age >= 18",
        "\"odd name\" LIKE 'x%' -- with a comment",
        "age IS NULL OR NOT (age < 18)",
        "day < current_date - INTERVAL 1 YEAR",
        "CASE WHEN site = 'A' THEN age > 1 ELSE false END",
        "true",
        "lower(site) = 'a'",
    ],
)
def test_predicates_are_taken(connection, predicate):
    check_filter(connection, predicate, COLUMNS)


@pytest.mark.parametrize(
    "predicate",
    [
        "",
        "site",
        "age",
        "1",
        "nowhere = 1",
        "site = 'A') OR (true",
        "true) --",
        "true, false",
        "true AS t",
        "true FROM range(3)",
        "true WHERE true",
        "true LIMIT 1",
        "true ORDER BY 1",
        "true UNION SELECT false",
        "true; SELECT true",
        "site = (SELECT 'A')",
        "EXISTS (SELECT 1)",
        "site IN (SELECT unnest(['A']))",
        "random() > 0.5",
        "count(*) > 1",
        "row_number() OVER () = 1",
        "* = 1",
        "COLUMNS('site') = 'A'",
        "unnest([true])",
        "getvariable('x') = 1",
        "site = current_setting('threads')",
        "site = ?",
        "SELECT true",
        "x'",
        "(" * 5000 + "true" + ")" * 5000,
    ],
)
def test_anything_else_is_refused(connection, predicate):
    with pytest.raises(StatementRefused) as caught:
        check_filter(connection, predicate, COLUMNS)
    assert len(str(caught.value)) < 500


def test_the_engine_checks_a_filter_in_a_process_of_its_own(engine):
    engine.check_filter("site = 'A'", COLUMNS)
    with pytest.raises(StatementRefused, match="site"):
        engine.check_filter("site > age + nowhere", COLUMNS)

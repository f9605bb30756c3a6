"""What a statement may say of versions, and how it is spelled for the engine."""

from __future__ import annotations

import pytest

from atoll.errors import StatementRefused
from atoll.query import may_travel

LABS = "SELECT * FROM clinic.labs"


def at(relation, point: str, row_filter: str | None = None):
    return relation.but(at=point, row_filter=row_filter)


@pytest.fixture
def travelled(engine, labs, visits, limits):
    """Rows of a statement over `clinic.labs` as it is (5 rows), and as it was (those with an id below 3)."""

    def run(sql: str) -> list[dict]:
        relations = [labs, visits, *(at(labs, p.at, "id < 3") for p in engine.points(sql) if p.table == "labs")]
        with engine.run(sql, relations, limits) as run:
            return [row for batch in run for row in batch.to_pylist()]

    return run


LEGAL = {
    "plain": "SELECT count(*) AS n FROM clinic.labs AT (VERSION => 7)",
    "time": "SELECT count(*) AS n FROM clinic.labs AT (TIMESTAMP => '2026-01-01 12:00+02')",
    "typed time": "SELECT count(*) AS n FROM clinic.labs AT (TIMESTAMP => TIMESTAMP '2026-01-01')",
    "alias": "SELECT count(l.id) AS n FROM clinic.labs l AT (VERSION => 7) WHERE l.id >= 0",
    "name of the table": "SELECT count(labs.id) AS n FROM CLINIC.LABS AT (VERSION => 07)",
    "CTE of the table's name": "WITH labs AS (FROM clinic.labs AT (VERSION => 7)) SELECT count(*) AS n FROM labs",
    "subquery": "SELECT (SELECT count(*) FROM clinic.labs AT (VERSION => 7)) AS n",
    "beside itself": "SELECT count(*) AS n FROM clinic.labs old AT (VERSION => 7) JOIN clinic.labs USING (id)",
    "two versions": "SELECT count(*) AS n FROM (FROM clinic.labs AT (VERSION => 7) INTERSECT "
    "FROM clinic.labs AT (VERSION => 8))",
    "window, QUALIFY, list, string": "SELECT len(list(id)) AS n FROM (SELECT id, 'é ''AT (VERSION => 9)''' AS t FROM "
    "clinic.labs AT (VERSION => 7) QUALIFY row_number() OVER (PARTITION BY id) = 1)",
}


@pytest.mark.parametrize("name", LEGAL)
def test_a_table_is_read_as_it_was(travelled, name):
    expected = travelled("SELECT count(*) AS n FROM clinic.labs WHERE id < 3")
    assert travelled(LEGAL[name]) == expected
    assert travelled("SELECT count(*) AS n FROM clinic.labs")[0]["n"] > expected[0]["n"]


@pytest.mark.parametrize(
    "clause",
    [
        "VERSION => 0",
        "VERSION => -1",
        "VERSION => 1.5",
        "VERSION => 99999999999",
        "VERSION => '7'",
        "VERSION => (SELECT 7)",
        "VERSION => getvariable('x')",
        "TIMESTAMP => 7",
        "TIMESTAMP => 'yesterday'",
        "TIMESTAMP => current_timestamp",
        "TIMESTAMP => CAST('2026-01-01' AS VARCHAR)",
        "BRANCH => 'main'",
    ],
)
def test_anything_but_a_number_or_a_time_is_refused(travelled, clause):
    with pytest.raises(StatementRefused):
        travelled(f"{LABS} AT ({clause})")


@pytest.mark.parametrize(
    "sql",
    [
        LABS.replace("clinic.labs", 'clinic."labs@7"'),
        f"{LABS} AT (VERSION => 7)",
        "SELECT * FROM clinic.absent AT (VERSION => 7)",
        "WITH t AS (SELECT 1) SELECT * FROM t AT (VERSION => 7)",
        "SELECT * FROM 'x.parquet' AT (VERSION => 7)",
        "SELECT * FROM range(3) AT (VERSION => 7)",
    ],
)
def test_what_was_not_planned_is_not_there(engine, relations, limits, sql):
    with pytest.raises(StatementRefused), engine.run(sql, relations, limits) as run:
        list(run)


def test_a_quick_look_spares_the_others(engine):
    assert not may_travel("SELECT seen_at AT TIME ZONE 'UTC' FROM t")
    assert may_travel("from a.b At/**/(version=>1)")
    assert engine.points("SELECT 1") == ()

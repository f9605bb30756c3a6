"""A grant and a statement in Athena's dialect: the policy is in it, and what is not understood is refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import duckdb
import pytest
import sqlglot
from benchmarks.tpch.queries import QUERIES
from sqlglot import exp

from atoll.errors import StatementRefused
from atoll.model.query import Relation
from atoll.model.table import Column, ColumnType
from atoll.query.athena import for_athena


def beside(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


escapes, test_guard = beside("escapes"), beside("test_guard")

VISITS = Relation(
    dataset="clinic",
    table="visits",
    snapshot_id=41,
    columns=(Column(name="subject", type=ColumnType.STRING), Column(name="day", type=ColumnType.DATE)),
    row_filter="site = 'A' or site is null",
    files=(),
)
LABS = Relation(
    dataset="clinic",
    table="labs",
    snapshot_id=42,
    columns=tuple(Column(name=n, type=ColumnType.STRING) for n in ("subject", "code")),
    row_filter=None,
    files=(),
)
FILTERED = """(SELECT {0} FROM "clinic"."visits" FOR VERSION AS OF 41 WHERE site = 'A' OR site IS NULL) AS {1}"""
COLUMNS = """IF(site = 'A' OR site IS NULL, "subject") AS "subject", IF(site = 'A' OR site IS NULL, "day") AS "day\""""
OPEN = """(SELECT "subject", "code" FROM "clinic"."labs" FOR VERSION AS OF 42) AS {}"""


@pytest.fixture(scope="module")
def said():
    connection = duckdb.connect()
    yield lambda sql, relations=(VISITS, LABS): for_athena(connection, sql, relations)
    connection.close()


def test_columns_row_filter_and_version_are_in_the_statement(said):
    assert said("select count(*) from clinic.visits where day > date '2020-01-01'") == (
        "SELECT COUNT(*) FROM " + FILTERED.format(COLUMNS, '"visits"') + " WHERE day > CAST('2020-01-01' AS DATE)"
    )


def test_aliases_joins_and_parts_of_with_keep_their_names(said):
    told = said("with v as (from clinic.visits) select v.day, l.code from v join CLINIC.Labs l using (subject)")
    assert told.startswith("WITH v AS (SELECT * FROM " + FILTERED.format(COLUMNS, '"visits"') + ")")
    assert told.endswith("FROM v JOIN " + OPEN.format("l") + " USING (subject)")


def test_no_table_is_left_without_its_policy(said):
    sql = (
        "select (select max(day) from clinic.visits x where x.subject = l.subject) from clinic.labs l "
        "where exists (select 1 from clinic.visits) union all (select day from clinic.visits)"
    )
    tree = sqlglot.parse_one(said(sql), read="athena")
    tables = [table for table in tree.find_all(exp.Table) if table.db]
    assert sorted(table.name for table in tables) == ["labs", "visits", "visits", "visits"]
    for table in tables:
        assert table.args["version"].name == "VERSION"
        select = table.find_ancestor(exp.Select)
        assert (select.args.get("where") is not None) == (table.name == "visits")


@pytest.mark.parametrize("number", QUERIES)
def test_tpch_is_expressed_and_reads_back(said, number):
    names = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
    columns = (Column(name="any", type=ColumnType.STRING),)
    relations = [
        Relation(dataset="tpch", table=name, snapshot_id=7, columns=columns, row_filter=None, files=())
        for name in names
    ]
    told = said(QUERIES[number], relations)
    before, after = (
        sum(bool(t.db) for t in sqlglot.parse_one(sql, read=dialect).find_all(exp.Table))
        for sql, dialect in ((QUERIES[number], "duckdb"), (told, "athena"))
    )
    assert before == after == told.count("FOR VERSION AS OF 7")


@pytest.mark.parametrize(
    "sql",
    [
        "select * from clinic.absent",
        "select * from read_text('/etc/passwd')",
        "select 1; select 2",
        "drop table clinic.visits",
        "select * from range(3)",
        "select map {'a': 1}['a']",
        "select " + "(" * 99 + "1" + ")" * 99,
        "describe clinic.visits",
        "pivot clinic.labs on code in ('a') using count(*)",
        "from clinic.visits semi join clinic.labs using (subject)",
        "select * from clinic.visits v asof join clinic.labs l on v.day >= l.code",
    ],
)
def test_what_is_refused_here_or_has_no_words_there_is_refused(said, sql):
    with pytest.raises(StatementRefused):
        said(sql)


def test_every_escape_is_refused_for_athena_too(said):
    for name, sql in (escapes.OUTSIDE | escapes.AROUND).items():
        with pytest.raises(StatementRefused):
            pytest.fail(f"{name}: {said(sql)}")


def test_every_legal_form_is_said_with_its_policy_or_refused(said):
    granted = {("clinic", "visits"): VISITS, ("clinic", "labs"): LABS}
    spoken = []
    for name, sql in test_guard.LEGAL.items():
        try:
            told = said(sql)
        except StatementRefused:
            continue
        spoken.append(name)
        for table in sqlglot.parse_one(told, read="athena").find_all(exp.Table):
            if table.db:
                relation = granted[table.db, table.name]
                assert table.args["version"].expression.this == str(relation.snapshot_id), name
                where = table.find_ancestor(exp.Select).args.get("where")
                assert (where is not None) == (relation.row_filter is not None), name
    assert {"select", "window", "CTE", "correlated", "recursive CTE over a table", "case", "lateral join"} <= {*spoken}


def test_a_row_filter_that_is_no_predicate_is_refused(said):
    with pytest.raises(StatementRefused):
        said("from clinic.visits", [VISITS.but(row_filter="true) or (true")])

"""What the guard refuses and lets through."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import duckdb
import pytest

from atoll.errors import StatementRefused
from atoll.query.functions import allowed_functions, allowed_table_functions
from atoll.query.guard import check_statement, may_name

spec = importlib.util.spec_from_file_location("escapes", Path(__file__).with_name("escapes.py"))
escapes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(escapes)

GRANTED = {("clinic", "visits"), ("clinic", "labs")}

LEGAL = {
    "select": "SELECT id, code FROM clinic.labs WHERE code = 'NA' ORDER BY id DESC LIMIT 10 OFFSET 1",
    "semicolon": "SELECT 1;",
    "comments": "/* one */ SELECT 1 -- two",
    "case of names": 'SELECT LABS.ID FROM Clinic.LABS, "CLINIC"."visits"',
    "from first": "FROM clinic.labs",
    "from first with select": "FROM clinic.labs SELECT code, count(*) GROUP BY ALL",
    "table": "TABLE clinic.labs",
    "values": "VALUES (1, 'a'), (2, 'b')",
    "star": "SELECT * EXCLUDE (id) REPLACE (upper(code) AS code) FROM clinic.labs",
    "columns": "SELECT min(COLUMNS('i.*')) FROM clinic.labs",
    "aggregate": "SELECT code, count(*) FILTER (WHERE id > 1), median(id), list(id ORDER BY id) FROM clinic.labs "
    "GROUP BY 1",
    "grouping sets": "SELECT code, day, count(*) FROM clinic.labs GROUP BY GROUPING SETS ((code), (day), ())",
    "rollup": "SELECT code, count(*) FROM clinic.labs GROUP BY ROLLUP (code) HAVING count(*) > 0",
    "distinct on": "SELECT DISTINCT ON (code) id, code FROM clinic.labs ORDER BY id",
    "window": "SELECT id, row_number() OVER (PARTITION BY code ORDER BY day), lag(id) OVER w FROM clinic.labs "
    "WINDOW w AS (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "qualify": "SELECT * FROM clinic.labs QUALIFY row_number() OVER (PARTITION BY code ORDER BY day DESC) = 1",
    "join": "SELECT v.subject, l.result FROM clinic.visits v JOIN clinic.labs l USING (id)",
    "asof join": "SELECT * FROM clinic.visits v ASOF LEFT JOIN clinic.labs l ON v.day >= l.day",
    "semi and anti": "FROM clinic.visits SEMI JOIN clinic.labs USING (id)",
    "natural join": "SELECT * FROM clinic.visits NATURAL JOIN clinic.labs",
    "lateral": "SELECT * FROM clinic.labs l, LATERAL (SELECT l.id + 1 AS next)",
    "correlated": "SELECT (SELECT max(day) FROM clinic.visits v WHERE v.id = l.id) FROM clinic.labs l",
    "in and exists": "FROM clinic.labs l WHERE id IN (SELECT id FROM clinic.visits) AND EXISTS (SELECT 1)",
    "CTE": "WITH a AS (FROM clinic.labs), b AS (SELECT * FROM a) SELECT count(*) FROM b",
    "CTE named as a granted table": "WITH labs AS (SELECT * FROM clinic.labs WHERE id > 0) SELECT * FROM labs",
    "materialized CTE": "WITH a AS MATERIALIZED (FROM clinic.labs) FROM a UNION ALL FROM a",
    "CTE of a CTE": "WITH a AS (WITH b AS (SELECT 1 AS x) FROM b) FROM a",
    "CTE seen in a subquery": "WITH a AS (SELECT 1 AS x) SELECT (SELECT x FROM a)",
    "recursive CTE": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t",
    "nested CTE used twice": "WITH a AS (WITH b AS (FROM clinic.labs) SELECT id, code FROM b), "
    "c AS (SELECT id FROM a) SELECT a.code, c.id FROM a JOIN c USING (id)",
    "recursive CTE over a table": "WITH RECURSIVE t(id, step) AS (SELECT id, 0 FROM clinic.visits UNION ALL "
    "SELECT t.id + 1, step + 1 FROM t JOIN clinic.labs l ON l.id = t.id WHERE step < 3) FROM t",
    "CTE beside the table it is named as": "WITH labs AS (SELECT 1 AS id) SELECT l.id, labs.id AS other "
    "FROM labs, clinic.labs l",
    "lateral join": "SELECT v.subject, l.code FROM clinic.visits v LEFT JOIN LATERAL "
    "(SELECT code FROM clinic.labs l WHERE l.id = v.id) l ON true",
    "window frame": "SELECT id, sum(weight) OVER (ORDER BY day RANGE BETWEEN INTERVAL 2 DAY PRECEDING AND CURRENT ROW) "
    "AS near, ntile(2) OVER (ORDER BY id), first_value(subject) OVER (PARTITION BY subject ORDER BY id) "
    "FROM clinic.visits",
    "asof join with a key": "SELECT v.id, l.code FROM clinic.visits v ASOF JOIN clinic.labs l "
    "ON v.id = l.id AND v.day >= l.day",
    "struct of a row": "SELECT {'id': id, 'when': day} AS s, struct_extract(s, 'id') AS id FROM clinic.labs",
    "list of structs": "SELECT list({'code': code, 'id': id} ORDER BY id) AS found, found[1].code AS code "
    "FROM clinic.labs",
    "json of a row": "SELECT to_json({'id': id, 'code': code})->>'code' AS code, json_group_array(id) OVER () AS ids "
    "FROM clinic.labs",
    "from first with select and where": "FROM clinic.visits v JOIN clinic.labs l USING (id) "
    "SELECT v.subject WHERE l.code = 'NA'",
    "union by name": "SELECT id FROM clinic.labs UNION ALL BY NAME SELECT id, subject FROM clinic.visits",
    "except and intersect": "SELECT id FROM clinic.labs EXCEPT (SELECT id FROM clinic.visits INTERSECT SELECT 1)",
    "pivot statement": "PIVOT clinic.labs ON code IN ('NA', 'K') USING count(*) GROUP BY day",
    "standard pivot": "SELECT * FROM clinic.labs PIVOT (count(*) FOR code IN ('NA', 'K') GROUP BY day)",
    "pivot of a query": "SELECT * FROM (PIVOT (FROM clinic.labs) ON code IN ('NA') USING min(id))",
    "unpivot": "UNPIVOT (SELECT id, weight FROM clinic.visits) ON weight INTO NAME what VALUE how_much",
    "describe": "DESCRIBE clinic.visits",
    "describe a query": "DESCRIBE SELECT code FROM clinic.labs",
    "summarize": "SUMMARIZE clinic.visits",
    "case": "SELECT CASE code WHEN 'K' THEN 1 ELSE 2 END, if(id > 1, 'a', 'b'), coalesce(code, 'x') FROM clinic.labs",
    "cast": "SELECT id::VARCHAR, CAST(day AS TIMESTAMP), TRY_CAST(result AS DOUBLE) FROM clinic.labs",
    "between, like, regex": "FROM clinic.labs WHERE id BETWEEN 1 AND 3 AND code LIKE 'N%' "
    "AND regexp_matches(code, 'N.')",
    "collate": "SELECT code FROM clinic.labs ORDER BY code COLLATE NOCASE",
    "lists": "SELECT [x * 2 FOR x IN [1, 2, 3] IF x > 1], list_transform([1], lambda x: x + 1), [1, 2, 3][1:2]",
    "structs": "SELECT {'a': 1, 'b': {'c': 2}}.b.c, struct_pack(x := 1), row(1, 2)",
    "maps": "SELECT MAP {'a': 1}['a'], map_keys(MAP {'a': 1})",
    "json": "SELECT result->>'$.a', json_extract(result, '$.a') FROM clinic.labs WHERE json_valid(result)",
    "json_each": "SELECT key, value FROM json_each('{\"a\": 1}')",
    "unnest": "SELECT unnest([1, 2]), * FROM unnest(['a', 'b']) t(x)",
    "range": "SELECT * FROM range(3) r(i), generate_series(1, 2)",
    "dates": "SELECT date_trunc('month', day), day + INTERVAL 1 DAY, extract(year FROM day), current_date "
    "FROM clinic.labs",
    "timestamps": "SELECT seen_at AT TIME ZONE 'Europe/Paris', age(seen_at), epoch(seen_at) FROM clinic.visits",
    "dot call": "SELECT code.lower().concat('x') FROM clinic.labs",
    "sample": "SELECT * FROM clinic.labs USING SAMPLE 2 ROWS",
    "limit percent": "FROM clinic.labs LIMIT 50%",
    "statistics": "SELECT corr(id, id), quantile_cont(id, 0.5), stddev(id), approx_count_distinct(code) "
    "FROM clinic.labs",
    "text": "SELECT 'it''s' || $$dollar$$ || E'\\n', printf('%d', 1), sha256('a'), levenshtein('a', 'b')",
    "brackets": "SELECT " + "(" * 90 + "1" + ")" * 90,
    "a thousand values": "FROM clinic.labs WHERE id IN (" + ", ".join(map(str, range(1000))) + ")",
    "enum": "SELECT 'a'::ENUM('a', 'b')",
    "table inside its own file name": "SELECT 'read_text(''/etc/passwd'')' AS text",
}


@pytest.fixture(scope="module")
def parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.mark.parametrize(
    "sql", (escapes.OUTSIDE | escapes.AROUND).values(), ids=(escapes.OUTSIDE | escapes.AROUND).keys()
)
def test_escapes_are_refused_in_few_words(parser, sql):
    with pytest.raises(StatementRefused) as caught:
        check_statement(parser, sql, GRANTED)
    assert len(str(caught.value)) < 400


#: Any rows will do for these.
#: Of `summarize` the last digits hang on the order in which threads add.
ANY_ROWS = ("sample", "limit percent", "summarize")


@pytest.fixture(scope="module")
def open_tables(relations) -> duckdb.DuckDBPyConnection:
    """The granted columns and rows as plain tables of an engine that nothing holds back."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE SCHEMA clinic")
    for relation in relations:
        columns = ", ".join(column.name for column in relation.columns)
        files = [file.path for file in relation.files]
        connection.execute(
            f"CREATE TABLE clinic.{relation.table} AS SELECT {columns} "
            f"FROM read_parquet({files}, union_by_name = true) WHERE {relation.row_filter or 'true'}"
        )
    return connection


@pytest.mark.parametrize("name", LEGAL)
def test_legal_sql_passes_and_the_locked_engine_answers_as_an_open_one(parser, locked, open_tables, name):
    sql = LEGAL[name]
    check_statement(parser, sql, GRANTED)
    with locked.sql(sql).to_arrow_reader(100) as reader:
        told = reader.read_all()
    with open_tables.sql(sql).to_arrow_reader(100) as reader:
        expected = reader.read_all()
    assert told.schema.names == expected.schema.names
    assert told.num_rows == expected.num_rows
    if name not in ANY_ROWS:
        assert sorted(map(str, told.to_pylist())) == sorted(map(str, expected.to_pylist()))


def test_the_relations_a_statement_names_are_told(parser):
    assert check_statement(parser, "FROM clinic.labs a, (SELECT 1), CLINIC.Labs b", GRANTED) == {("clinic", "labs")}
    assert check_statement(parser, "SELECT 1", GRANTED) == frozenset()
    sql = "WITH labs AS (SELECT 1) SELECT * FROM labs WHERE EXISTS (FROM clinic.visits)"
    assert check_statement(parser, sql, GRANTED) == {("clinic", "visits")}


def told(parser, sql, granted, names=()):
    with pytest.raises(StatementRefused) as caught:
        check_statement(parser, sql, granted, (), names)
    return str(caught.value)


def test_an_absent_table_and_one_not_granted_are_told_alike(parser):
    assert told(parser, "FROM clinic.labs", set()) == told(parser, "FROM clinic.labs", {("clinic", "visits")})


def test_a_table_that_is_not_found_is_answered_with_those_that_may_be_meant(parser):
    names = ["clinic.visits", "clinic.labs", "trial.subjects"]
    assert "Did you mean clinic.visits?" in told(parser, "FROM clinic.visit", GRANTED, names)
    assert "Did you mean clinic.labs?" in told(parser, "FROM labs", GRANTED, names)
    assert "Did you mean" not in told(parser, "FROM clinic.secret", GRANTED, names)


def test_what_the_guard_finds_the_quick_look_finds_too(parser):
    for sql in LEGAL.values():
        for dataset, table in check_statement(parser, sql, GRANTED):
            assert may_name(sql, dataset, table)
    assert not may_name("FROM clinic.labs", "clinic", "visits")
    assert not may_name("FROM other.visits", "clinic", "visits")


def test_no_table_is_seen_without_a_grant(parser):
    for sql in LEGAL.values():
        if "clinic." in sql.lower():
            with pytest.raises(StatementRefused):
                check_statement(parser, sql, set())


def test_every_view_and_table_of_the_engine_is_refused_by_name_and_as_cte(parser):
    names = [
        row[0]
        for row in parser.execute(
            "SELECT view_name FROM duckdb_views() UNION SELECT table_name FROM duckdb_tables()"
        ).fetchall()
    ]
    assert len(names) > 20
    for name in names:
        for sql in (f'FROM "{name}"', f'SELECT (WITH "{name}" AS (SELECT 1) SELECT 1), (SELECT 1 FROM "{name}")'):
            with pytest.raises(StatementRefused):
                check_statement(parser, sql, GRANTED, [name.lower() for name in names])


def test_every_table_function_of_the_engine_but_the_listed_is_refused(parser):
    kinds = "('table', 'table_macro', 'pragma')"
    names = [
        row[0]
        for row in parser.execute(
            f"SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN {kinds}"
        ).fetchall()
    ]
    for name in {*names} - allowed_table_functions():
        with pytest.raises(StatementRefused):
            check_statement(parser, f'FROM "{name}"()', GRANTED)


def test_the_listed_functions_exist_and_none_reads_or_changes_what_is_outside():
    known = {
        row[0].lower()
        for row in duckdb.connect().execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    }
    assert allowed_functions() <= known
    assert allowed_table_functions() <= known
    outside = ("read_", "parquet_", "pragma_", "duckdb_", "pg_", "__internal", "current_s", "has_", "copy_", "scan_")
    assert not [name for name in allowed_functions() | allowed_table_functions() if name.startswith(outside)]
    named = {
        "getvariable",
        "getenv",
        "current_query",
        "nextval",
        "currval",
        "setval",
        "query",
        "query_table",
        "stats",
        "glob",
        "error",
        "sleep_ms",
        "write_log",
        "setseed",
        "json_serialize_sql",
        "json_execute_serialized_sql",
    }
    assert not named & (allowed_functions() | allowed_table_functions())


def test_long_and_odd_names_are_cut_and_made_printable(parser):
    with pytest.raises(StatementRefused) as caught:
        check_statement(parser, 'FROM clinic."' + "x" * 5000 + '"', GRANTED)
    assert len(str(caught.value)) < 200
    with pytest.raises(StatementRefused) as caught:
        check_statement(parser, 'FROM clinic."a\x1b[31m\nb"', GRANTED)
    assert str(caught.value).isprintable()

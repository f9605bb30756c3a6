"""What an error may tell: never a value, a path, a withheld column or a hidden row."""

from __future__ import annotations

import pytest

from atoll.errors import AtollError, InvalidInput, StatementRefused

#: Each fails while values are computed, and DuckDB's own message would quote one.
FAILING = {
    "cast": "SELECT subject::INT FROM clinic.visits",
    "cast in WHERE": "FROM clinic.visits WHERE subject::DATE > '2020-01-01'",
    "cast of a visible value": "SELECT result::DOUBLE FROM clinic.labs",
    "json": "SELECT json(subject) FROM clinic.visits",
    "strptime": "SELECT strptime(subject, '%Y') FROM clinic.visits",
    "enum": "SELECT subject::ENUM('x') FROM clinic.visits",
    "bit": "SELECT subject::BIT FROM clinic.visits",
    "interval": "SELECT subject::INTERVAL FROM clinic.visits",
    "overflow": "SELECT (id + 100)::TINYINT * 100::TINYINT FROM clinic.visits",
    "out of range": "SELECT factorial((id + 1000)::INT) FROM clinic.visits",
    "regex": "SELECT regexp_matches('a', subject || '(') FROM clinic.visits",
    "base64": "SELECT from_base64(subject || '!') FROM clinic.visits",
    "subquery of two rows": "SELECT (SELECT subject FROM clinic.visits)",
    "printf": "SELECT format('{:d}', subject) FROM clinic.visits",
    "list_aggregate by a value": "SELECT list_aggregate([1], subject) FROM clinic.visits",
    "array bounds": "SELECT [subject]::VARCHAR[2] FROM clinic.visits",
    "date_part by a value": "SELECT date_part(subject, day) FROM clinic.visits",
    "collation": "SELECT seen_at AT TIME ZONE subject FROM clinic.visits",
}
DATA = ("p1", "p2", "p3", "hiddenrow", "hiddencolumn", "visiblevalue", ".parquet", "/clinic/", "note", "site")


def failure(engine, relations, limits, sql: str) -> AtollError | None:
    try:
        with engine.run(sql, relations, limits) as run:
            list(run)
    except AtollError as error:
        return error
    return None


@pytest.mark.parametrize("sql", FAILING.values(), ids=FAILING.keys())
def test_an_error_tells_no_value(engine, relations, limits, sql):
    error = failure(engine, relations, limits, sql)
    assert error is not None
    for word in DATA:
        assert word not in f"{error} {error.__cause__} {error.__context__}"


@pytest.mark.parametrize(
    "column", ["note", "site", "v.note", "visits.site", "clinic.visits.note", '"note"', "filename"]
)
def test_a_withheld_column_cannot_be_told_from_an_absent_one(engine, relations, limits, column):
    told = []
    for name in (column, "absent"):
        with pytest.raises(StatementRefused) as caught:
            engine.run(f"SELECT {name} FROM clinic.visits v", relations, limits)
        # Which names are proposed depends on how alike they look, and on nothing else.
        told.append(str(caught.value).split("Candidate bindings")[0])
    assert "hiddencolumn" not in told[0]
    if "." not in column and '"' not in column:
        assert told[0].replace(column, "absent") == told[1]


def test_a_binding_error_names_what_may_be_seen(engine, relations, limits):
    with pytest.raises(StatementRefused, match=r'Candidate bindings: .*"subject"'):
        engine.run("SELECT subjekt FROM clinic.visits", relations, limits)


def test_other_columns_do_not_slip_out_by_star_row_or_using(rows):
    for sql in (
        "SELECT * FROM clinic.visits",
        "SELECT COLUMNS('.*') FROM clinic.visits",
        "SELECT v FROM clinic.visits v",
        "SELECT to_json(v) FROM clinic.visits v",
        "SUMMARIZE clinic.visits",
        "DESCRIBE clinic.visits",
        "SELECT * FROM clinic.visits v JOIN clinic.visits w ON true",
        "FROM (FROM clinic.visits) t",
        "UNPIVOT clinic.visits ON COLUMNS(* EXCLUDE (id, day, seen_at, weight))",
    ):
        text = str(rows(sql))
        for word in ("hiddenrow", "hiddencolumn", "note", "site"):
            assert word not in text, sql


@pytest.mark.parametrize(
    "probe",
    [
        # Each fails, or counts more, if and only if the hidden row were looked at.
        "SELECT count(*) AS n FROM clinic.visits WHERE CASE subject WHEN 'hiddenrow1' THEN 'x'::INT = 1 ELSE true END",
        "SELECT count(*) AS n FROM clinic.visits WHERE CASE WHEN weight = 99 THEN 'x'::INT = 1 ELSE true END",
        "SELECT count(*) AS n FROM clinic.visits WHERE subject NOT LIKE 'p%' OR substr(subject, 2)::INT > 0",
        "SELECT count(*) AS n FROM (SELECT substr(subject, 2)::INT AS k FROM clinic.visits) WHERE k > 0",
        "SELECT count(*) AS n FROM clinic.visits v JOIN range(9) r(i) ON substr(v.subject, 2)::INT = r.i",
        "SELECT count(*) AS n FROM clinic.visits v WHERE EXISTS (FROM range(9) r(i) WHERE v.subject[2:]::INT = i)",
        "SELECT count(substr(subject, 2)::INT) AS n FROM clinic.visits",
        "SELECT count(*) AS n FROM (FROM clinic.visits ORDER BY substr(subject, 2)::INT LIMIT 100)",
        "SELECT count(*) AS n FROM (FROM clinic.visits QUALIFY sum(substr(subject, 2)::INT) OVER () > 0)",
        "WITH a AS MATERIALIZED (FROM clinic.visits) SELECT count(*) AS n FROM a WHERE substr(subject, 2)::INT > 0",
    ],
)
def test_a_statement_cannot_fail_on_a_row_that_the_filter_hides(rows, probe):
    assert rows(probe) == [{"n": 4}]


def test_statistics_do_not_tell_of_hidden_rows(rows):
    assert rows("SELECT max(weight) AS w, max(id) AS i, min(subject) AS s FROM clinic.visits") == [
        {"w": 81.0, "i": 5, "s": "p1"}
    ]


def test_a_value_error_still_tells_what_to_do(engine, relations, limits):
    error = failure(engine, relations, limits, "SELECT result::DOUBLE FROM clinic.labs")
    assert isinstance(error, InvalidInput)
    assert "TRY_CAST" in error.todo
    assert "DOUBLE" in error.what

"""Columns that are no longer those of the contract: each difference told as what it is, and none enters silently."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deid.conftest import SECRET, contract_text
from tests.readers.carry_out import keys_of

from atoll.deid import deidentify_file, explain, parse_contract
from atoll.deid.keyring import derive
from atoll.errors import ContractInvalid

COLUMNS = "A: {treat: keep}\nB: {treat: keep, type: integer}\nC: {treat: keep}\nX: {treat: drop}"
HOLD = "drift: {reordered: hold, retyped: hold}"


def told(report):
    return {(one.kind.value, one.column) for one in report.drift}


@pytest.mark.parametrize(
    ("header", "expected", "rule"),
    [
        ("A,B,C,X", set(), ""),
        ("A,B,C", set(), ""),
        ("A,B,C,NEW", {("new", "NEW")}, "columns"),
        ("A,B,C,1978-03-04 Jane", {("new", "1978-03-04 Jane")}, "columns"),
        ("A,B", {("missing", "C")}, "columns"),
        ("A,B,C,A", {("repeated", "A")}, "columns"),
        ("A,C,B", {("reordered", "C")}, ""),
        ("X,A,B,C", {("reordered", "X")}, ""),
        ("B,A,D", {("reordered", "B"), ("missing", "C"), ("new", "D")}, "columns"),
    ],
)
def test_each_difference_has_a_reason_of_its_own(admit, header, expected, rule):
    row = ",".join("1" for _ in header.split(","))
    done = admit(COLUMNS, f"{header}\n{row}\n".encode())
    expected = {(kind, name if name.isalpha() else "?") for kind, name in expected}
    assert told(done.report) == expected
    assert done.report.rule == rule
    assert {one.table for one in done.report.drift} <= {"results"}
    if rule:
        assert (done.report.rows_in, done.treated.height) == (None, 0)
    else:
        assert done.treated.columns == ["a", "b", "c"]
    assert "Jane" not in done.report.model_dump_json()


def test_another_order_is_held_where_the_contract_says_so(admit):
    done = admit(COLUMNS, b"A,C,B\n1,1,1\n", table=HOLD)
    assert (done.report.rule, told(done.report)) == ("column_order", {("reordered", "C")})
    assert admit(COLUMNS, b"A,B,C\n1,1,1\n", table=HOLD).report.rule == ""


def test_a_column_whose_values_changed_kind_is_told_and_some_wrong_values_are_none(admit):
    rows = b"A,B,C\nx,one,\nx,two,\nx,3,\n"
    done = admit(COLUMNS, rows)
    assert told(done.report) == {("retyped", "B")}
    assert (done.report.rows_committed, done.report.rows_held) == (1, 2)
    held = admit(COLUMNS, rows, table=HOLD)
    assert (held.report.rule, held.report.rows_in, held.treated.height) == ("column_type", None, 0)
    assert told(held.report) == {("retyped", "B")}
    assert told(admit(COLUMNS, b"A,B,C\nx,one,\nx,2,\nx,3,\n", table=HOLD).report) == set()


@pytest.mark.parametrize(
    ("frame", "column"),
    [({"ID": [7, 8], "N": [1, 2]}, "ID"), ({"ID": ["007", "8"], "N": ["1", "2"]}, "N")],
)
def test_what_a_file_says_of_its_columns_is_compared_too(tmp_path, frame, column):
    text = contract_text("ID: {treat: keep}\nN: {treat: keep, type: integer}").replace("format: csv", "format: parquet")
    pl.DataFrame(frame).write_parquet(tmp_path / "in.parquet")
    for policy, rule in (("admit", ""), ("hold", "column_type")):
        contract = parse_contract(text.replace("    columns:", f"    drift: {{retyped: {policy}}}\n    columns:"))
        report = deidentify_file(
            contract,
            "results",
            tmp_path / "in.parquet",
            "in.parquet",
            keys_of(contract),
            tmp_path / "t.parquet",
            tmp_path / "h.parquet",
        )
        assert (report.rule, told(report)) == (rule, {("retyped", column)})


def test_a_new_field_of_a_nested_format_is_told(tmp_path):
    text = contract_text("A: {treat: keep}", table="unknown_fields: leave_out").replace("format: csv", "format: ndjson")
    contract = parse_contract(text)
    (tmp_path / "in").write_text("".join(json.dumps({"A": "x", "new": n}) + "\n" for n in range(3)))
    places = (tmp_path / "t.parquet", tmp_path / "h.parquet")
    report = deidentify_file(contract, "results", tmp_path / "in", "in", keys_of(contract), *places)
    assert told(report) == {("new", "new")}
    assert "3 rows" in report.drift[0].message
    with pytest.raises(ContractInvalid):
        parse_contract(text.replace("unknown_fields: leave_out", HOLD))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["A", "B", "C", "X", "N", "M"]), min_size=1, max_size=7))
def test_no_column_enters_that_no_rule_names_and_counts_add_up(tmp_path_factory, header):
    place = tmp_path_factory.mktemp("drift")
    (place / "in.csv").write_text(",".join(header) + "\n" + ",".join("5" for _ in header) + "\n")
    contract = parse_contract(contract_text(COLUMNS))
    staged = place / "t.parquet"
    keys = {"people": derive("key", SECRET)}
    report = deidentify_file(contract, "results", place / "in.csv", "in.csv", keys, staged, place / "h.parquet")
    # Where most names are strange, a row of values may stand in the header's place: none is shown.
    hidden = 2 * sum(name in "ABCX" for name in header) < len(header)
    strange = {"?" if hidden else name for name in header if name in "NM"}
    twice = {"?" if hidden else name for name in header if header.count(name) > 1}
    assert {column for kind, column in told(report) if kind == "new"} == strange
    assert {column for kind, column in told(report) if kind == "missing"} == {c for c in "ABC" if c not in header}
    assert {column for kind, column in told(report) if kind == "repeated"} == twice
    entered = pl.read_parquet(staged).columns if staged.exists() else []
    assert entered == (["a", "b", "c"] if report.rule == "" else [])
    assert report.rows_in is None or report.rows_in == report.rows_committed + report.rows_held


def test_explain_says_what_waits():
    assert (
        "in another order than here or mostly"
        in explain(parse_contract(contract_text(COLUMNS, table=HOLD))).tables[0].otherwise
    )

"""Files as laboratories send them: every line is committed, held or refused, none is lost."""

from __future__ import annotations

import json

import pytest

AB = "a: {treat: keep}\nb: {treat: keep}"


def rows(admitted):
    return admitted.treated.rows()


def rules(admitted):
    return admitted.held.select("row", "rule").rows()


def counts(admitted):
    report = admitted.report
    assert report.rows_in == report.rows_committed + report.rows_held
    return report.rows_in, report.rows_committed, report.rows_held


def test_leading_zeros_and_spaces_stay(admit):
    assert rows(admit(AB, b"a,b\n00123, x \n")) == [("00123", " x ")]


def test_columns_may_stand_in_any_order(admit):
    assert rows(admit(AB, b"b,a\n2,1\n")) == [("1", "2")]


@pytest.mark.parametrize(
    "data", [b"a,b\n1,2\n3,4\n", b"a,b\r\n1,2\r\n3,4\r\n", b"a,b\n1,2\n3,4", b"\xef\xbb\xbfa,b\n1,2\n3,4"]
)
def test_line_ends_and_byte_order_mark(admit, data):
    assert rows(admit(AB, data)) == [("1", "2"), ("3", "4")]


def test_quoted_fields_hold_separators_quotes_and_line_ends(admit):
    admitted = admit(AB, b'a,b\n"x, y","say ""no"""\n"two\nlines",2\n"",\n')
    assert rows(admitted) == [("x, y", 'say "no"'), ("two\nlines", "2"), (None, None)]
    assert counts(admitted) == (3, 3, 0)


def test_short_and_long_rows_are_held_and_the_rest_enters(admit):
    admitted = admit(AB, b"a,b\n1,2\nshort\n3,4,long\n5,6,\n7,8\n")
    assert rows(admitted) == [("1", "2"), ("7", "8")]
    assert rules(admitted) == [(2, "ragged"), (3, "ragged"), (4, "ragged")]
    assert counts(admitted) == (5, 2, 3)
    assert json.loads(admitted.held["raw"][0]) == "short"


def test_a_short_row_alone_is_not_filled_up(admit):
    admitted = admit(AB, b"a,b\n1,2\nshort\n")
    assert counts(admitted) == (2, 1, 1)


def test_a_long_row_at_the_end_does_not_make_up_for_a_short_one(admit):
    admitted = admit(AB, b"a,b\n1\n2,3,")
    assert rules(admitted) == [(1, "ragged"), (2, "ragged")]


def test_short_row_hidden_by_a_separator_within_quotes(admit):
    admitted = admit(AB, b'a,b\n"1,1",2\nshort\n')
    assert rows(admitted) == [("1,1", "2")]
    assert rules(admitted) == [(2, "ragged")]


def test_row_numbers_behind_a_held_line_are_those_of_the_file(admit):
    admitted = admit("a: {treat: keep, type: integer}\nb: {treat: keep}", b"a,b\nshort\n1,2\nx,2\n")
    assert sorted(rules(admitted)) == [(1, "ragged"), (3, "type")]


def test_empty_lines_at_the_end_are_no_rows_but_one_between_is_held(admit):
    admitted = admit(AB, b"a,b\n1,2\n\n3,4\n\n\n")
    assert rows(admitted) == [("1", "2"), ("3", "4")]
    assert rules(admitted) == [(2, "ragged")]


def test_a_quote_that_never_closes_costs_its_own_line_only(admit):
    admitted = admit(AB, b'a,b\n1,2\n"open,2\n3,4\n5,6\n')
    assert rows(admitted) == [("1", "2"), ("3", "4"), ("5", "6")]
    assert rules(admitted) == [(2, "quote")]


def test_text_behind_a_closing_quote_is_held(admit):
    admitted = admit(AB, b'a,b\n"x"y,2\n3,4\n')
    assert rows(admitted) == [("3", "4")]
    assert rules(admitted) == [(1, "quote")]


def test_a_quote_inside_a_field_is_text(admit):
    assert rows(admit(AB, b'a,b\n5" tube,2\n3,4\n')) == [('5" tube', "2"), ("3", "4")]


def test_lines_in_another_encoding_are_held(admit):
    admitted = admit(AB, "a,b\nZoë,2\n".encode("cp1252") + b"3,4\n")
    assert rows(admitted) == [("3", "4")]
    assert rules(admitted) == [(1, "encoding")]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_declared_encodings_are_read(admit, encoding):
    table = f"csv: {{encoding: {encoding}, separator: ';'}}"
    admitted = admit(AB, "a;b\nZoë;é\n".encode(encoding), table=table)
    assert rows(admitted) == [("Zoë", "é")]


def test_bytes_that_cp1252_does_not_have_are_held(admit):
    admitted = admit(AB, b"a,b\n\x81,2\n3,4\n", table="csv: {encoding: cp1252}")
    assert rows(admitted) == [("3", "4")]
    assert rules(admitted) == [(1, "encoding")]


def test_nul_bytes_are_held(admit):
    admitted = admit(AB, b"a,b\n1\x00,2\n3,4\n")
    assert rows(admitted) == [("3", "4")]
    assert rules(admitted) == [(1, "nul")]


def test_null_texts_of_the_dialect(admit):
    assert rows(admit(AB, b'a,b\nNA,"NA"\nn/a,x\n', table="csv: {nulls: [NA, n/a]}")) == [(None, None), (None, "x")]


def test_other_separator_and_quote(admit):
    admitted = admit(AB, b"a\tb\n'x\ty'\t2\nshort\n", table='csv: {separator: "\\t", quote: "\'"}')
    assert rows(admitted) == [("x\ty", "2")]
    assert rules(admitted) == [(2, "ragged")]


def test_one_column(admit):
    admitted = admit("a: {treat: keep}", b"a\n1\n\n2\n3,4\n\n")
    assert rows(admitted) == [("1",), (None,), ("2",)]
    assert rules(admitted) == [(4, "ragged")]


def test_header_alone_is_a_file_without_rows(admit):
    admitted = admit(AB, b"a,b\n")
    assert counts(admitted) == (0, 0, 0)
    assert admitted.report.staged is None


@pytest.mark.parametrize(
    ("data", "rule", "word"),
    [
        (b"", "empty", "empty"),
        (b"\n\n", "empty", "empty"),
        (b"a,b,c\n1,2,3\n", "columns", "c"),
        (b"a\n1\n", "columns", "b"),
        (b"a,b,b\n1,2,3\n", "columns", "b"),
        (b"a,b\r1,2\r3,4\r", "line_ends", "CR"),
        ("a,b\n1,2\n".encode("utf-16"), "encoding", "UTF-16"),
        (b"a,\xff\n1,2\n", "encoding", "header"),
        (b'a,"b\n1,2\n', "header", "quotes"),
    ],
)
def test_files_that_are_refused_whole(admit, data, rule, word):
    report = admit(AB, data).report
    assert (report.rows_in, report.rows_committed, report.staged) == (None, 0, None)
    assert report.rule == rule
    assert word in report.message


def test_values_in_the_header_s_place_are_not_told(admit):
    report = admit(AB, b"999-17-5017,Maynard M\xc3\xb6sciski,Springfield\n1,2,3\n").report
    assert report.rule == "columns"
    assert not any(value in report.message for value in ("5017", "ciski", "Springfield"))


def test_an_optional_column_may_be_absent_and_a_required_drop_may_not(admit):
    columns = "a: {treat: keep}\nb: {treat: drop}\nc: {treat: drop, optional: false}"
    assert rows(admit(columns, b"a,c\n1,3\n")) == [("1",)]
    assert admit(columns, b"a,b\n1,2\n").report.rule == "columns"


def test_too_many_malformed_lines_refuse_the_file(admit, monkeypatch):
    monkeypatch.setattr("atoll.deid.readers.csv_careful.MALFORMED_MAX", 3)
    report = admit(AB, b"a,b\n" + b"x\n" * 4).report
    assert (report.rule, report.rows_in) == ("malformed", None)

"""What each treatment makes of a value, and what it holds back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from atoll.deid.treatments.generalize import SMALL_ZIP3


def column(admitted):
    return admitted.treated.to_series(0).to_list()


def held(admitted):
    return admitted.held.select("row", "column", "rule").sort("row").rows()


def test_keep_gives_each_type(admit):
    columns = """
i: {treat: keep, type: integer}
n: {treat: keep, type: number}
b: {treat: keep, type: boolean}
d: {treat: keep, type: date}
t: {treat: keep, type: datetime}
p: {treat: keep, type: partial_date}
"""
    data = b"i,n,b,d,t,p\n-7,1.5e3,Yes,2012-02-29,2012-02-29 01:02:03.5+01:00,2012-11\n"
    assert admit(columns, data).treated.rows() == [
        (-7, 1500.0, True, date(2012, 2, 29), datetime(2012, 2, 29, 0, 2, 3, 500000, tzinfo=UTC), "2012-11")
    ]


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("integer", "1.5"),
        ("integer", "9223372036854775808"),
        ("integer", " 5"),
        ("number", "nan"),
        ("number", "inf"),
        ("number", "five"),
        ("boolean", "2"),
        ("date", "2012-02-30"),
        ("date", "2012-2-3"),
        ("date", "12012-02-03"),
        ("date", "2012-02-03T00:00:00Z"),
        ("date", "0000-01-01"),
        ("datetime", "2012-02-03"),
        ("datetime", "2012-02-03T25:00:00Z"),
        ("datetime", "2012-02-03T10:00:00+0"),
        ("partial_date", "2012-13"),
        ("partial_date", "2012-02-30"),
        ("partial_date", "201"),
        ("partial_date", "2012-11-"),
        ("partial_date", "2012--03"),
        ("partial_date", "2012-11--05"),
        ("partial_date", "-----"),
        ("partial_date", "2012-11-02T-"),
        ("partial_date", "2012-11-02T13:-"),
        ("partial_date", "2012-11-02T24:00"),
    ],
)
def test_a_value_of_another_type_is_held(admit, kind, wrong):
    admitted = admit(f"a: {{treat: keep, type: {kind}}}\nb: {{treat: keep}}", f"a,b\n{wrong},1\n".encode())
    assert held(admitted) == [(1, "a", "type")]
    assert admitted.report.staged is None


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2023-10-10T04:17:47Z", datetime(2023, 10, 10, 4, 17, 47)),
        ("2023-10-10T04:17:47+01:00", datetime(2023, 10, 10, 3, 17, 47)),
        ("2023-10-10T04:17:47-0530", datetime(2023, 10, 10, 9, 47, 47)),
        ("2023-10-10T04:17:47+02", datetime(2023, 10, 10, 2, 17, 47)),
        ("2023-10-10 04:17:47", datetime(2023, 10, 10, 4, 17, 47)),
        ("2023-10-10T04:17Z", datetime(2023, 10, 10, 4, 17)),
        ("2023-10-10T04:17:47.123456789Z", datetime(2023, 10, 10, 4, 17, 47, 123456)),
        ("2023-10-10t04:17:47.5z", datetime(2023, 10, 10, 4, 17, 47, 500000)),
    ],
)
def test_datetimes_of_every_shape_are_utc(admit, text, utc):
    plain = "2000-01-01T00:00:00Z"
    admitted = admit("a: {treat: keep, type: datetime}", f"a\n{plain}\n{text}\n".encode())
    assert column(admitted) == [datetime(2000, 1, 1, tzinfo=UTC), utc.replace(tzinfo=UTC)]


def test_checks_name_their_rule_and_hold_a_row_once(admit):
    columns = r"""
n: {treat: keep, type: integer, min: 1, max: 9, required: true}
v: {treat: keep, values: [M, F]}
p: {treat: keep, pattern: '\d{3}'}
"""
    data = b"n,v,p\n1,M,123\n0,M,\n10,F,\n,F,\n5,X,\n5,,1234\n0,X,x\n9,,\n"
    admitted = admit(columns, data)
    assert held(admitted) == [
        (2, "n", "min"),
        (3, "n", "max"),
        (4, "n", "required"),
        (5, "v", "values"),
        (6, "p", "pattern"),
        (7, "n", "min"),
        (7, "v", "values"),
        (7, "p", "pattern"),
    ]
    assert (admitted.report.rows_in, admitted.report.rows_committed, admitted.report.rows_held) == (8, 2, 6)


def test_held_values_are_masked_and_messages_have_none(admit):
    admitted = admit("a: {treat: keep, type: integer}", "a\nÉve Müller-42 née Østergård XVII\n".encode())
    (row,) = admitted.held.to_dicts()
    assert row["masked"] == "Aaa Aaaaaa-99 aaa Aaaaaa"
    assert "ller" not in row["message"]
    assert "Müller" in row["raw"]


def test_drop_and_constant(admit):
    columns = "a: {treat: drop}\nb: {treat: constant, value: site}\nc: {treat: constant, value: null}"
    admitted = admit(columns, b"a,b,c\nx,y,z\nx,,\n")
    assert admitted.treated.columns == ["b", "c"]
    assert admitted.treated.rows() == [("site", None), ("site", None)]


def test_map(admit):
    columns = "a: {treat: map, to: {'1': male, '2': female, '9': null}}"
    admitted = admit(columns, b"a\n1\n9\n3\n2\n")
    assert column(admitted) == ["male", None, "female"]
    assert held(admitted) == [(3, "a", "map")]
    lenient = admit("a: {treat: map, to: {'1': male}, otherwise: 'null'}", b"a\n1\n3\n")
    assert column(lenient) == ["male", None]


@pytest.mark.parametrize(
    ("to", "kind", "values", "coarse"),
    [
        ("year", "date", ["2012-11-05"], ["2012"]),
        ("year, earliest: 1937", "date", ["1936-12-31", "1937-01-01"], ["before 1937", "1937"]),
        ("year, earliest: 1937", "partial_date", ["1899", "1937-02"], ["before 1937", "1937"]),
        ("month", "datetime", ["2012-11-05T23:30:00-01:00"], ["2012-11"]),
        ("quarter", "date", ["2012-01-31", "2012-12-01"], ["2012-Q1", "2012-Q4"]),
        ("year", "partial_date", ["2012", "2012-11"], ["2012", "2012"]),
        ("month", "partial_date", ["2012", "2012-11-05"], [None, "2012-11"]),
        ("quarter", "partial_date", ["2012", "2012-06", "2012-07-01"], [None, "2012-Q2", "2012-Q3"]),
        ("zip3", "string", ["02138", "02138-1234", SMALL_ZIP3[0] + "99"], ["021", "021", "000"]),
        ("age_90", "integer", ["0", "89", "90", "103"], [0, 89, 90, 90]),
        ("bins, width: 5", "integer", ["0", "4", "5", "-1"], [0, 0, 5, -5]),
        ("bins, width: 0.5", "number", ["1.2", "1.7", "-0.1"], [1.0, 1.5, -0.5]),
    ],
)
def test_generalize(admit, to, kind, values, coarse):
    data = "\n".join(["a", *values]) + "\n"
    assert column(admit(f"a: {{treat: generalize, type: {kind}, to: {to}}}", data.encode())) == coarse


def test_a_zip_code_that_lost_its_zero_is_held(admit):
    assert held(admit("a: {treat: generalize, to: zip3}", b"a\n2138\n")) == [(1, "a", "zip")]


PARTIAL = "id: {treat: pseudonymize, domain: people}\non: {treat: shift_date, type: partial_date, partial: %s}"
DATES = b"id,on\n7,2012\n7,2012-11\n7,2012-11-05\n7,2012-11-05T10:30\n"


def test_partial_dates_are_held_by_default(admit):
    admitted = admit(PARTIAL % "reject", DATES, table="subject: id")
    assert held(admitted) == [(1, "on", "partial_date"), (2, "on", "partial_date")]
    assert admitted.report.rows_committed == 2


def test_partial_dates_may_become_empty(admit):
    moved = admit(PARTIAL % "drop", DATES, table="subject: id").treated["on"].to_list()
    assert moved[:2] == [None, None]
    assert None not in moved[2:]


def test_partial_dates_may_move_and_keep_their_precision(admit):
    moved = admit(PARTIAL % "shift", DATES, table="subject: id").treated["on"].to_list()
    offset = date.fromisoformat(moved[2]) - date(2012, 11, 5)
    assert offset.days != 0
    assert moved == [
        str(date(2012, 7, 2) + offset)[:4],
        str(date(2012, 11, 15) + offset)[:7],
        str(date(2012, 11, 5) + offset),
        f"{date(2012, 11, 5) + offset}T10:30",
    ]


def test_a_year_that_a_shift_could_carry_out_of_the_calendar_is_held(admit):
    columns = "id: {treat: pseudonymize, domain: people}\non: {treat: shift_date, type: date}"
    assert held(admit(columns, b"id,on\n7,9999-12-31\n7,2012-01-01\n", table="subject: id")) == [(1, "on", "range")]


def test_every_row_may_be_held(admit):
    admitted = admit("a: {treat: keep, required: true}\nb: {treat: keep}", b"a,b\n,1\n,2\n")
    assert (admitted.report.rows_in, admitted.report.rows_held, admitted.report.staged) == (2, 2, None)

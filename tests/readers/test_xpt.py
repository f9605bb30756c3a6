"""XPT against an independent reader, and every way a file can be broken."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.canaries.xpt_writer import Variable, ibm_bytes, library_header, member_bytes, write_xpt

from atoll.deid.readers.xpt import read_xpt
from atoll.deid.readers.xpt_fields import numbers
from atoll.deid.readers.xpt_layout import read_member
from atoll.errors import DeliveryRefused
from atoll.model.contract import TableContract

VARIABLES = [Variable("ID", width_bytes=6, label="Number"), Variable("N", numeric=True), Variable("T", width_bytes=9)]


def contract(encoding: str = "cp1252", **types: str) -> TableContract:
    columns = {name: {"treat": "keep", "type": kind} for name, kind in types.items()}
    return TableContract.model_validate({"files": ["*"], "format": "xpt", "encoding": encoding, "columns": columns})


def as_delivered(path: Path) -> TableContract:
    return contract(**{v.name: "number" if v.numeric else "string" for v in read_member(path).variables})


def refusal(path: Path, table: TableContract | None = None) -> DeliveryRefused:
    with pytest.raises(DeliveryRefused) as caught:
        read_xpt(path, table or contract(ID="string", N="number", T="string"))
    return caught.value


@pytest.mark.parametrize("name", ["ae", "cm", "dm", "ds", "ex", "lb", "mh", "suppdm", "sv", "vs"])
def test_every_example_reads_as_pyreadstat_reads_it(examples: Path, name: str) -> None:
    path = examples / "sdtm" / "data" / f"{name}.xpt"
    wanted, meta = pyreadstat.read_xport(str(path), encoding="cp1252")

    found = read_xpt(path, as_delivered(path)).rows.collect()

    assert found["__row"].to_list() == list(range(1, len(wanted) + 1))
    values = pl.from_pandas(wanted, schema_overrides=found.drop("__row").schema)
    assert found.drop("__row").equals(values.with_columns(pl.col(pl.String).replace("", None)))
    labels = {v.name: v.label for v in read_member(path).variables}
    assert labels == meta.column_names_to_labels


def test_texts_lose_trailing_blanks_and_missing_is_null(tmp_path: Path) -> None:
    rows = [["a b ", 1.5, " x"], ["", None, "é€"], ["c", ".A", "y"], ["d", "._", "z"], ["e", 0.0, "\x00"]]
    write_xpt(tmp_path / "f.xpt", "F", VARIABLES, rows)

    frame = read_xpt(tmp_path / "f.xpt", contract(ID="string", N="number", T="string")).rows.collect()

    assert frame["ID"].to_list() == ["a b", None, "c", "d", "e"]
    assert frame["N"].to_list() == [1.5, None, None, None, 0.0]
    assert frame["T"].to_list() == [" x", "é€", "y", "z", None]


@given(st.floats(min_value=-1e70, max_value=1e70, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-70))
def test_numbers_come_back_as_they_went(value: float) -> None:
    assert numbers(np.frombuffer(ibm_bytes(value), dtype=np.uint8).reshape(1, 8))[0] == value


@pytest.mark.parametrize("width", range(2, 9))
def test_short_numbers_lack_the_last_bytes(width: int) -> None:
    field = np.frombuffer(ibm_bytes(-118.625)[:width], dtype=np.uint8).reshape(1, width)

    assert math.isclose(numbers(field)[0], -118.625, rel_tol=16.0 ** -(2 * width - 3))


def test_sas_days_and_seconds_become_iso_text(tmp_path: Path) -> None:
    variables = [
        Variable("D", numeric=True, format="DATE"),
        Variable("S", numeric=True, format="DATETIME"),
        Variable("P", numeric=True),
    ]
    rows = [[0, 0, 19000], [-365.0, 86399.5, None], [None, -1.0, 22971], [1e9, 1e15, 0]]
    write_xpt(tmp_path / "f.xpt", "F", variables, rows)

    frame = read_xpt(tmp_path / "f.xpt", contract(D="date", S="datetime", P="datetime")).rows.collect()

    assert frame["D"].to_list() == ["1960-01-01", "1959-01-01", None, "1000000000"]
    assert [s and s[:22] for s in frame["S"]][:3] == [
        "1960-01-01T00:00:00Z",
        "1960-01-01T23:59:59.50",
        "1959-12-31T23:59:59Z",
    ]
    assert frame["S"][3] == "1000000000000000"
    # Without a telling format the contract's type says what is counted.
    assert frame["P"][3] == "1960-01-01T00:00:00Z"


def test_a_number_that_the_contract_calls_text_looks_like_what_it_was(tmp_path: Path) -> None:
    write_xpt(tmp_path / "f.xpt", "F", [Variable("ID", numeric=True)], [[1115], [2.5], [None], [-3]])

    frame = read_xpt(tmp_path / "f.xpt", contract(ID="string")).rows.collect()

    assert frame["ID"].to_list() == ["1115", "2.5", None, "-3"]


def test_rows_that_do_not_decode_are_malformed_and_others_stay(tmp_path: Path) -> None:
    write_xpt(tmp_path / "f.xpt", "F", VARIABLES, [["a", 1, "x"], ["b", 2, b"y\x81"], ["c", 3, "z"]])
    batch = read_xpt(tmp_path / "f.xpt", contract(ID="string", N="number", T="string"))

    for question in (batch.rows, batch.rows.select("N"), batch.rows.filter(pl.col("N") > 0)):
        assert question.collect()["N"].to_list() == [1.0, 3.0]
        assert [(m.row, m.rule) for m in batch.malformed] == [(2, "encoding")]
    assert "y" in batch.malformed[0].raw
    assert "y\x81" not in batch.malformed[0].message


@pytest.mark.parametrize("width", [1, 3, 40, 79, 80, 81, 160])
@pytest.mark.parametrize("count", [0, 1, 2, 79, 80, 81])
def test_filling_of_the_last_record_is_no_row(tmp_path: Path, width: int, count: int) -> None:
    write_xpt(tmp_path / "f.xpt", "F", [Variable("A", width_bytes=width)], [["x"]] * count)

    frame = read_xpt(tmp_path / "f.xpt", contract(A="string")).rows.collect()

    assert frame["A"].to_list() == ["x"] * count


def test_a_file_larger_than_a_block_reads_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atoll.deid.readers.xpt._BLOCK_BYTES", 1000)
    write_xpt(tmp_path / "f.xpt", "F", VARIABLES, [[f"i{n}", n, "t"] for n in range(500)])
    rows = read_xpt(tmp_path / "f.xpt", contract(ID="string", N="number", T="string")).rows

    assert rows.collect(engine="streaming")["N"].to_list() == list(range(500))
    assert rows.head(77).select("ID").collect()["ID"].to_list() == [f"i{n}" for n in range(77)]


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.xpt"
    write_xpt(path, "F", VARIABLES, [["abc", n, "x" * 9] for n in range(40)])
    whole = path.read_bytes()

    for size in range(0, whole.index(b"HEADER RECORD*******OBS") + 80, 80):
        path.write_bytes(whole[:size])
        refusal(path)
    for size in (len(whole) - 80, len(whole) - 7, len(whole) - 800):
        path.write_bytes(whole[:size])
        assert refusal(path).rule == "cut_off"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lambda b: b"PK\x03\x04" + b[4:], "format"),
        (lambda b: b.replace(b"LIBRARY HEADER", b"LIBV8   HEADER", 1), "damaged"),
        (lambda b: b.replace(b"LIBRARY HEADER", b"LIBV9   HEADER", 1), "format"),
        (lambda b: b.replace(b"NAMESTR HEADER", b"NAMESTV HEADER"), "damaged"),
        (lambda b: b.replace(b"0000000003000000", b"0000000x03000000"), "damaged"),
        (lambda b: b.replace(b"N       ", b"\xff<script", 1), "damaged"),
        (lambda b: b + member_bytes("G", VARIABLES, [["q", 1, "q"]]), "members"),
        (lambda b: b"", "format"),
    ],
)
def test_a_damaged_file_is_refused_by_rule(tmp_path: Path, damage: object, rule: str) -> None:
    path = tmp_path / "f.xpt"
    write_xpt(path, "F", VARIABLES, [["secret", 1, "secret"]])
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]

    error = refusal(path)

    assert error.rule == rule  # type: ignore[attr-defined]
    assert "secret" not in str(error)


def test_text_that_looks_like_a_header_is_no_second_member(tmp_path: Path) -> None:
    marker = "HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
    write_xpt(tmp_path / "f.xpt", "F", [Variable("A", width_bytes=81)], [["x" + marker], ["y"]])

    assert read_xpt(tmp_path / "f.xpt", contract(A="string")).rows.collect().height == 2


def test_columns_must_be_those_of_the_contract(tmp_path: Path) -> None:
    write_xpt(tmp_path / "f.xpt", "F", VARIABLES, [["a", 1, "x"]])

    error = refusal(tmp_path / "f.xpt", contract(ID="string", OTHER="string"))

    assert "no rule names: N, T" in str(error)
    assert "missing: OTHER" in str(error)


def test_a_dropped_column_may_be_absent(tmp_path: Path) -> None:
    write_xpt(tmp_path / "f.xpt", "F", [Variable("A")], [["x"]])
    columns = {"A": {"treat": "keep"}, "B": {"treat": "drop"}, "C": {"treat": "drop", "optional": False}}
    loose = TableContract.model_validate({"files": ["*"], "format": "xpt", "columns": {k: columns[k] for k in "AB"}})
    strict = TableContract.model_validate({"files": ["*"], "format": "xpt", "columns": columns})

    assert read_xpt(tmp_path / "f.xpt", loose).rows.collect().columns == ["__row", "A"]
    assert "missing: C" in str(refusal(tmp_path / "f.xpt", strict))


def test_a_member_without_variables_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.xpt").write_bytes(library_header() + member_bytes("F", [], []))

    assert refusal(tmp_path / "f.xpt").rule == "damaged"  # type: ignore[attr-defined]


V8 = Path(__file__).parent / "data" / "dates_xpt_v8.xpt"


def test_version_8_reads_as_pyreadstat_reads_it() -> None:
    wanted, meta = pyreadstat.read_xport(str(V8), disable_datetime_conversion=True)

    found = read_xpt(V8, as_delivered(V8)).rows.collect()

    assert found.drop("__row").equals(pl.from_pandas(wanted, schema_overrides=found.drop("__row").schema))
    labels = {v.name: v.label or None for v in read_member(V8).variables}
    assert labels == meta.column_names_to_labels
    assert "string_times" in labels
    assert max(len(label or "") for label in labels.values()) > 40


def test_a_cut_off_or_longer_version_8_file_is_refused(tmp_path: Path) -> None:
    whole = V8.read_bytes()
    table = as_delivered(V8)
    for size in range(0, len(whole) - 80, 80):
        (tmp_path / "f.xpt").write_bytes(whole[:size])
        refusal(tmp_path / "f.xpt", table)
    (tmp_path / "f.xpt").write_bytes(whole + b"x" * 160)
    assert refusal(tmp_path / "f.xpt", table).rule == "damaged"  # type: ignore[attr-defined]


def test_special_missing_values_are_a_column_of_their_own_or_are_counted(tmp_path: Path) -> None:
    rows = [["a", 1.5, "x"], ["b", None, "x"], ["c", ".A", "y"], ["d", "._", "z"], ["e", 0.0, "z"]]
    write_xpt(tmp_path / "f.xpt", "F", VARIABLES, rows)
    types = {"ID": "string", "N": "number", "T": "string"}

    asked = read_xpt(tmp_path / "f.xpt", contract(**types, **{"N.missing": "string"}))
    silent = read_xpt(tmp_path / "f.xpt", contract(**types))

    assert asked.rows.collect()["N.missing"].to_list() == [None, None, "A", "_", None]
    assert asked.unknown == {}
    assert silent.rows.collect()["N"].to_list() == [1.5, None, None, None, 0.0]
    assert silent.unknown == {"N.missing": 2}
    assert "T.missing" in str(refusal(tmp_path / "f.xpt", contract(**types, **{"T.missing": "string"})))

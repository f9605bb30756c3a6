"""Parquet: every type as the contract's, text that is none, and files that are broken."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.readers.carry_out import carry_out


def written(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns).replace_schema_metadata({"hidden": "CNRYMETADATA"}), path, row_group_size=2)
    return path


def test_every_type_is_read_as_the_contract_says(tmp_path: Path) -> None:
    day, moment = dt.date(2020, 2, 29), dt.datetime(2020, 2, 29, 13, 30, 1, 250000)
    file = written(
        tmp_path / "in.parquet",
        s=pa.array(["007", "", None]),
        i=pa.array([1, 2**62, None]),
        f=pa.array([1.0, 0.1, float("nan")]),
        ft=pa.array([1115.0, 2.5, None]),
        b=pa.array([True, False, None]),
        d=pa.array([day, None, None]),
        m=pa.array([moment, None, None], pa.timestamp("us")),
        z=pa.array([moment, None, None], pa.timestamp("ns", "Europe/Paris")),
        n=pa.array([Decimal("1.50"), None, None]),
        c=pa.array(["x", "y", None]).dictionary_encode(),
        gone=pa.array([[1], [2], None]),
    )
    columns = """
s: {treat: keep}
i: {treat: keep, type: integer}
f: {treat: keep, type: number}
ft: {treat: keep}
b: {treat: keep, type: boolean}
d: {treat: keep, type: date}
m: {treat: keep, type: datetime}
z: {treat: keep, type: datetime}
n: {treat: keep}
c: {treat: keep}
gone: {treat: drop}"""

    done = carry_out(tmp_path, "parquet", columns, file)

    assert done.report.rows_held == 0
    assert done.treated["s"].to_list() == ["007", None, None]
    assert done.treated["i"].to_list() == [1, 2**62, None]
    assert done.treated["f"].to_list() == [1.0, 0.1, None]
    assert done.treated["ft"].to_list() == ["1115", "2.5", None]
    assert done.treated["b"].to_list() == [True, False, None]
    assert done.treated["d"][0] == day
    assert done.treated["m"][0] == moment.replace(tzinfo=dt.UTC)
    assert done.treated["z"][0] == moment.replace(tzinfo=dt.UTC)
    assert done.treated["n"][0] == "1.50"
    assert done.treated["c"].to_list() == ["x", "y", None]


def test_a_wrong_value_holds_its_row_only(tmp_path: Path) -> None:
    file = written(tmp_path / "in.parquet", a=pa.array(["1", "x", "3", "4", "y"]), b=pa.array([1.5, 2, 3, 4, 5]))

    done = carry_out(tmp_path, "parquet", "a: {treat: keep, type: integer}\nb: {treat: keep, type: integer}", file)

    assert done.treated["a"].to_list() == [3, 4]
    assert sorted(set(done.held["row"])) == [1, 2, 5]


def test_text_that_is_not_utf_8_holds_its_row(tmp_path: Path) -> None:
    texts = pa.array([b"one", b"t\xffwo", b"three"]).view(pa.string())
    file = written(tmp_path / "in.parquet", a=texts)

    done = carry_out(tmp_path, "parquet", "a: {treat: keep}", file)

    assert done.treated["a"].to_list() == ["one", "three"]
    assert done.held.select("row", "rule").rows() == [(2, "encoding")]


def test_twice_the_same_column_and_unnamed_ones_are_refused(tmp_path: Path) -> None:
    twice = pa.table([pa.array(["1"]), pa.array(["2"])], names=["a", "a"])
    pq.write_table(twice, tmp_path / "in.parquet")

    done = carry_out(tmp_path, "parquet", "a: {treat: keep}", tmp_path / "in.parquet")

    assert done.report.rule == "columns"
    assert "stand twice" in done.report.message


@pytest.mark.parametrize(
    ("column", "rule"),
    [(pa.array([[1]]), "nested_value"), (pa.array([{"x": 1}]), "nested_value"), (pa.array([b"\x00"]), "binary")],
)
def test_values_that_are_none_are_refused(tmp_path: Path, column: pa.Array, rule: str) -> None:
    done = carry_out(tmp_path, "parquet", "a: {treat: keep}", written(tmp_path / "in.parquet", a=column))

    assert done.report.rule == rule


def test_a_cut_off_or_damaged_file_is_refused_whole(tmp_path: Path) -> None:
    file = written(tmp_path / "in.parquet", a=pa.array([f"v{i}" for i in range(5000)]))
    whole = file.read_bytes()
    broken = {
        "format": [b"", b"a,b\n1,2\n", b"PAR"],
        "cut_off": [whole[:-1], whole[: len(whole) // 2], b"PAR1"[:4] + b"x"],
        "damaged": [whole[:8] + b"\xff" * 64 + whole[72:], whole[:-8] + b"\xff\xff\xff\x7fPAR1", b"PAR1PAR1"],
    }
    for rule, files in broken.items():
        for data in files:
            done = carry_out(tmp_path, "parquet", "a: {treat: keep}", data)
            assert (done.report.rule, done.report.rows_in) == (rule, None), data[:20]
            assert done.treated.is_empty()


def test_names_in_a_dropped_column_are_taken_out_of_texts(tmp_path: Path) -> None:
    columns = "NAME: {treat: drop}\nNOTE: {treat: redact_text, names: [NAME]}"
    pq.write_table(pa.table({"NAME": ["Quill"], "NOTE": ["Seen Quill today"]}), tmp_path / "in.parquet")

    done = carry_out(tmp_path, "parquet", columns, tmp_path / "in.parquet")

    assert "Quill" not in done.treated["note"][0]
    assert "Seen" in done.treated["note"][0]

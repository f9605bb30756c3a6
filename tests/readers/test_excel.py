"""Excel: values as text, several sheets to several tables, and whatever hides in a workbook."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from openpyxl.comments import Comment
from tests.readers.carry_out import carry_out, keys_of

from atoll.deid import FileReport, deidentify_parts, parse_contract
from atoll.errors import ContractInvalid

COLUMNS = "ID: {treat: keep}\nN: {treat: keep}"
TWO = """
dataset: d
title: D
tables:
  labs:
    files: ['*.xlsx']
    format: excel
    sheet: Labs
    other_sheets: [Notes]
    columns: {ID: {treat: keep}, N: {treat: keep, type: integer}}
  visits:
    files: ['*.xlsx']
    format: excel
    sheet: Visits
    columns: {ID: {treat: keep}, D: {treat: keep, type: date}}
"""


def book(path: Path, sheets: dict[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name in hidden:
            sheet.sheet_state = "veryHidden"
    workbook.save(path)
    return path


def one(directory: Path, rows: list[list[object]], columns: str = COLUMNS):
    return carry_out(directory, "excel", columns, book(directory / "in.xlsx", {"S": rows}), table="sheet: S")


def test_values_are_read_as_they_are_meant(tmp_path: Path) -> None:
    day, moment = dt.date(2020, 2, 29), dt.datetime(2020, 2, 29, 3, 4, 5)
    columns = "S: {treat: keep}\nN: {treat: keep}\nF: {treat: keep, type: number}\nB: {treat: keep, type: boolean}"
    columns += "\nD: {treat: keep, type: date}\nM: {treat: keep, type: datetime}\nT: {treat: keep}"
    rows = [
        [*"SNFBDMT"],
        ["007", 1115, 0.1, True, day, moment, dt.time(3, 4)],
        [None] * 7,
        ["é", 2.5, None, None, None, dt.datetime(2020, 3, 1), ""],
    ]

    done = one(tmp_path, rows, columns)

    assert done.report.rows_held == 0
    assert done.treated.rows() == [
        ("007", "1115", 0.1, True, day, moment.replace(tzinfo=dt.UTC), "03:04:00"),
        ("é", "2.5", None, None, None, dt.datetime(2020, 3, 1, tzinfo=dt.UTC), None),
    ]


def test_errors_and_formulas_without_a_value_hold_their_rows(tmp_path: Path) -> None:
    rows = [["ID", "N"], ["a", 1], ["b", "#N/A"], ["c", "=1+1"], [None, "=B2"], ["e", 5]]

    done = one(tmp_path, rows)

    assert done.treated["id"].to_list() == ["a", "e"]
    assert sorted(done.held.select("row", "rule").rows()) == [(3, "cell_error"), (4, "no_value"), (5, "no_value")]


def test_a_formulas_saved_value_enters(tmp_path: Path) -> None:
    path = book(tmp_path / "in.xlsx", {"S": [["ID", "N"], ["a", "=1+1"]]})
    data = rewritten(path, "xl/worksheets/sheet1.xml", b"<v></v>", b"<v>2</v>", b"<v />", b"<v>2</v>")

    done = carry_out(tmp_path, "excel", COLUMNS, data, table="sheet: S")

    assert done.treated.rows() == [("a", "2")]


def rewritten(path: Path, part: str, *pairs: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == part:
                for before, after in zip(pairs[::2], pairs[1::2], strict=True):
                    data = data.replace(before, after)
            new.writestr(name, data)
    return out.getvalue()


def two(
    directory: Path, file: Path, only: frozenset[int] | None = None
) -> tuple[FileReport, dict[str, pl.DataFrame], pl.DataFrame | None]:
    contract = parse_contract(TWO)
    staged = {t: directory / "lake" / t / "0.parquet" for t in contract.tables}
    held = directory / "q" / "0.parquet"
    report = deidentify_parts(contract, file, file.name, keys_of(contract), staged, held, only=only)
    frames = {t: pl.read_parquet(p) for t, p in staged.items() if p.exists()}
    assert {p.name for p in held.parent.iterdir()} <= {"0.parquet"}
    return report, frames, pl.read_parquet(held) if held.exists() else None


def test_every_sheet_fills_its_table_and_rows_have_numbers_of_their_own(tmp_path: Path) -> None:
    file = book(
        tmp_path / "in.xlsx",
        {
            "Notes": [["whatever"]],
            "Labs": [["ID", "N"], ["a", 1], ["b", "x"]],
            "Visits": [["ID", "D"], ["a", "2020-01-01"], ["b", "soon"]],
        },
    )

    report, frames, held = two(tmp_path, file)

    assert {t: f.height for t, f in frames.items()} == {"labs": 1, "visits": 1}
    assert (report.rows_in, report.rows_committed, report.rows_held) == (4, 2, 2)
    assert [file.table for file in report.all_staged] == ["labs", "visits"]
    assert held is not None
    assert held["row"].n_unique() == 2
    again, frames, _ = two(tmp_path, file, only=frozenset(held["row"].to_list()))
    assert (again.rows_in, again.rows_held, frames) == (2, 2, {})


@pytest.mark.parametrize("hidden", [(), ("Jane Miller 1951",)])
def test_a_sheet_that_no_table_names_refuses_the_file(tmp_path: Path, hidden: tuple[str, ...]) -> None:
    sheets = {"Labs": [["ID", "N"], ["a", 1]], "Visits": [["ID", "D"]], "Jane Miller 1951": [["x"]]}

    report, frames, _ = two(tmp_path, book(tmp_path / "in.xlsx", sheets, hidden))

    assert (report.rule, report.rows_in, frames) == ("sheets", None, {})
    assert "sheet number 3" in report.message
    assert ("(hidden)" in report.message) is bool(hidden)
    assert "Miller" not in report.message


def test_one_part_refused_refuses_the_file(tmp_path: Path) -> None:
    sheets = {"Labs": [["ID", "N"], ["a", 1]], "Visits": [["ID", "OTHER"], ["a", 1]]}

    report, frames, held = two(tmp_path, book(tmp_path / "in.xlsx", sheets))

    assert (report.rule, report.table, frames, held) == ("columns", "visits", {}, None)


def test_two_tables_cannot_take_the_same_sheet() -> None:
    with pytest.raises(ContractInvalid):
        parse_contract(TWO.replace("sheet: Visits", "sheet: Labs"))


def test_a_header_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert one(tmp_path, [["ID", "N", "N"], ["a", 1, 2]]).report.rule == "columns"


def test_an_unnamed_column_is_refused_though_its_header_is_empty(tmp_path: Path) -> None:
    assert one(tmp_path, [["ID", "N", None], ["a", 1, "Jane"]]).report.rule == "columns"


def test_comments_and_properties_do_not_enter(tmp_path: Path) -> None:
    path = book(tmp_path / "in.xlsx", {"S": [["ID", "N"], ["a", 1]]})
    workbook = openpyxl.load_workbook(path)
    workbook.properties.creator = "CNRYPROPERTY"
    workbook["S"]["A1"].comment = Comment("CNRYCOMMENT", "CNRYAUTHOR")
    workbook["S"].oddHeader.center.text = "CNRYHEADER"
    workbook.save(path)

    done = carry_out(tmp_path, "excel", COLUMNS, path, table="sheet: S")

    assert done.report.rows_committed == 1
    assert b"CNRY" not in (tmp_path / "lake" / "t.parquet").read_bytes()


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "format"),
        (b"ID,N\na,1\n", "format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "format"),
        (b"PK\x03\x04" + b"\0" * 100, "damaged"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, data: bytes, rule: str) -> None:
    assert carry_out(tmp_path, "excel", COLUMNS, data, table="sheet: S").report.rule == rule


def test_a_bomb_and_an_entity_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "in.xlsx", {"S": [["ID", "N"], ["a", 1]]})
    entity = rewritten(path, "xl/worksheets/sheet1.xml", b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet')
    assert carry_out(tmp_path, "excel", COLUMNS, entity, table="sheet: S").report.rule == "damaged"
    monkeypatch.setattr("atoll.deid.readers.excel_cells.UNPACKED_MAX_BYTES", 1000)
    assert carry_out(tmp_path, "excel", COLUMNS, path, table="sheet: S").report.rule == "too_large"


def test_the_binary_forms_of_workbooks_are_refused_by_their_names(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.bin", b"")
    for data, word in ((packed.getvalue(), "xlsb"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "xls")):
        report = carry_out(tmp_path, "excel", COLUMNS, data, table="sheet: S").report
        assert report.rule == "format"
        assert f"({word})" in report.message or f"({word}," in report.message

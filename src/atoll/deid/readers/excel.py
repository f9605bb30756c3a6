"""Excel workbooks (xlsx, xlsm): a sheet for each table, every sheet of the file named.

Cells are read as values, those of formulas as the program last saved them. Comments,
names, headers and footers, document properties, charts, pictures, and macros do not enter.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from python_calamine import CalamineWorkbook

from atoll.deid.readers.columns import check_columns
from atoll.deid.readers.excel_cells import BadCell, bad_cells, check_workbook
from atoll.deid.readers.reading import Reading
from atoll.deid.readers.refusal import FileRefused
from atoll.deid.readers.streamed import Notes, library_at_work, streamed
from atoll.model.contract import Drop, TableContract
from atoll.model.identified import MalformedRow
from atoll.model.table import ColumnType

_ROWS_IN_BLOCK = 8192
_TODO = "Save the workbook again as xlsx and deliver it anew."
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_Row = list[object]


def read_excel(path: Path, table: TableContract, parts: Sequence[TableContract]) -> Reading:
    """The rows of the table's sheet below its first row, which is the header.

    All columns are String: numbers without a needless point, dates and times as ISO
    8601, durations in seconds, null where empty. Rows of nothing are none. Rows are
    numbered through all sheets of the workbook. A row with an error (`#N/A`), or with a
    formula whose value was never saved, is malformed (rules `cell_error`, `no_value`).

    Raises:
        FileRefused: the file is none (rule `format`), damaged, too large when unpacked
            (`too_large`), has a sheet that no table names or lacks the table's
            (`sheets`), or the sheet's columns are not the contract's.
    """
    check_workbook(path)
    with library_at_work("The workbook is damaged, or locked by a password.", _TODO):
        book = CalamineWorkbook.from_path(str(path))
        names = [sheet.name for sheet in book.sheets_metadata]
    _check_sheets(names, [str(sheet.visible).endswith("isible") for sheet in book.sheets_metadata], table, parts)
    at = names.index(str(table.sheet))
    with library_at_work(f"Sheet {at + 1} of the workbook is damaged.", _TODO):
        before = sum(book.get_sheet_by_index(i).total_height for i in range(at))
        sheet = book.get_sheet_by_index(at)
        rows: list[_Row] = [list(row) for row in sheet.to_python(skip_empty_area=False)] if sheet.total_height else []
    filled = [number for number, row in enumerate(rows) if any(value != "" for value in row)]
    if not filled:
        raise FileRefused(f"Sheet {at + 1} is empty; it has no header.", rule="empty", todo=_TODO)
    header = [_text(value) or "" for value in rows[filled[0]]]
    while header and not header[-1] and all(row[len(header) - 1] == "" for row in rows):
        header.pop()
    drift = check_columns(table, header)
    source = _Source(path, table, at, before, tuple(header), rows, filled)
    return streamed(dict.fromkeys(header, pl.String()), source.frames, "EXCEL").drifting(drift)


def _check_sheets(
    names: Sequence[str], seen: Sequence[bool], table: TableContract, parts: Sequence[TableContract]
) -> None:
    known = {part.sheet for part in parts} | {name for part in parts for name in part.other_sheets}
    strange = [
        f"{at} (hidden)" if not visible else str(at)
        for at, (name, visible) in enumerate(zip(names, seen, strict=True), 1)
        if name not in known
    ]
    faults = [f"no table takes sheet number {', '.join(strange)}"] if strange else []
    if table.sheet not in names:
        faults.append(f"sheet `{table.sheet}` is missing")
    if faults:
        raise FileRefused(
            f"The workbook's sheets are not those of the contract: {'; '.join(faults)}.",
            rule="sheets",
            todo="Deliver the sheets that the contract names, or have them named: as a table, or in `other_sheets`.",
        )


@dataclass(frozen=True)
class _Source:
    path: Path
    table: TableContract
    sheet: int
    before: int
    header: tuple[str, ...]
    rows: list[_Row]
    filled: list[int]

    def frames(self, notes: Notes) -> Iterator[pl.DataFrame]:
        bad = bad_cells(self.path, self.sheet)
        wanted = sorted({*self.filled[1:], *(row for row in bad if row > self.filled[0])})
        for start in range(0, len(wanted), _ROWS_IN_BLOCK):
            numbers = wanted[start : start + _ROWS_IN_BLOCK]
            for number in numbers:
                if number in bad:
                    notes.malformed.append(self._malformed(number, bad[number]))
            sound = [number for number in numbers if number not in bad]
            width = len(self.header)
            columns = zip(*(map(_text, self.rows[n][:width]) for n in sound), strict=True) if sound else [()] * width
            series = [self._column(n, c) for n, c in zip(self.header, columns, strict=True)]
            place = pl.Series("__row", [self._row(n) for n in sound], dtype=pl.Int64)
            yield pl.DataFrame([place, *series])

    def _column(self, name: str, texts: Sequence[str | None]) -> pl.Series:
        """The texts; where the contract wants moments, a day is its midnight, as Excel has it."""
        rule = self.table.columns[name]
        if not isinstance(rule, Drop) and rule.type is ColumnType.DATETIME:
            texts = [f"{t}T00:00:00" if t is not None and _DAY.match(t) else t for t in texts]
        return pl.Series(name, texts, dtype=pl.String)

    def _row(self, number: int) -> int:
        return self.before + number + 1

    def _malformed(self, number: int, cell: BadCell) -> MalformedRow:
        row = self.rows[number] if number < len(self.rows) else []
        return MalformedRow(self._row(number), cell.rule, cell.message, repr([_text(value) for value in row]))


def _text(value: object) -> str | None:
    match value:
        case bool():
            text = "true" if value else "false"
        case float():
            text = str(int(value)) if value.is_integer() and abs(value) < 2**63 else repr(value)
        case dt.datetime() if value.time() == dt.time():
            text = value.date().isoformat()
        case dt.timedelta():
            text = f"{value.total_seconds():g}"
        case dt.date() | dt.time():
            text = value.isoformat()
        case _:
            text = "" if value is None else str(value)
    return text or None

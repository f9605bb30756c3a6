"""CDISC Dataset-JSON 1.1, as one JSON object or as NDJSON, to the rows that XPT would give.

Source of the form: CDISC, Dataset-JSON v1.1 Specification. The file's own account of
itself (originator, paths, times) does not enter; of its metadata only the columns'
names and the number of records are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import polars as pl

from atoll.deid.readers.columns import check_columns
from atoll.deid.readers.dataset_json_layout import Layout, json_rows, read_layout
from atoll.deid.readers.json_lines import MAX_LINE_BYTES, line_blocks
from atoll.deid.readers.reading import Reading
from atoll.deid.readers.refusal import FileRefused
from atoll.deid.readers.streamed import Notes, streamed
from atoll.model.contract import TableContract
from atoll.model.identified import MalformedRow

_RAW_MAX = 1 << 16


def read_dataset_json(path: Path, table: TableContract) -> Reading:
    """The records of a Dataset-JSON file, lazily.

    All columns are String, as XPT would show them: whole numbers without a point,
    trailing blanks gone, null where empty. A record that is no array, has another number
    of values than there are columns, or holds an array or object is malformed (rules
    `malformed`, `ragged`, `nested_value`).

    Raises:
        FileRefused: the file is none (rule `format`), damaged or cut off, of another
            version, or its columns are not the contract's. While reading: it ends early
            (`cut_off`), or its records are not as many as it says (`records`).
    """
    layout = read_layout(path)
    drift = check_columns(table, layout.columns)
    source = _Source(path, layout)
    return streamed(dict.fromkeys(layout.columns, pl.String()), source.frames, "DATASET-JSON").drifting(drift)


@dataclass(frozen=True)
class _Source:
    path: Path
    layout: Layout

    def frames(self, notes: Notes) -> Iterator[pl.DataFrame]:
        number = 0
        blocks = self._lines() if self.layout.lines else json_rows(self.path)
        for block in blocks:
            yield self._frame(block, number, notes)
            number += len(block)
        if number != self.layout.records:
            less = number < self.layout.records
            raise FileRefused(
                f"The file holds {number} records where it says {self.layout.records}.",
                rule="cut_off" if less else "records",
                todo="Write the file again and deliver it anew.",
            )

    def _lines(self) -> Iterator[list[object]]:
        first = True
        for lines in line_blocks(self.path):
            rows: list[object] = [_parsed(line) for line in lines]
            yield rows[1:] if first else rows
            first = False

    def _frame(self, rows: list[object], before: int, notes: Notes) -> pl.DataFrame:
        numbers: list[int] = []
        kept: list[list[object]] = []
        for number, row in enumerate(rows, before + 1):
            if isinstance(row, list) and len(row) == len(self.layout.columns) and not _nested(row):
                numbers.append(number)
                kept.append(row)
            else:
                notes.malformed.append(self._malformed(number, row))
        columns = zip(*kept, strict=True) if kept else [()] * len(self.layout.columns)
        series = [_texts(n, list(c)) for n, c in zip(self.layout.columns, columns, strict=True)]
        return pl.DataFrame([pl.Series("__row", numbers, dtype=pl.Int64), *series])

    def _malformed(self, number: int, row: object) -> MalformedRow:
        raw = row.decode("utf-8", "backslashreplace") if isinstance(row, bytes) else orjson.dumps(row).decode()
        if isinstance(row, bytes):
            rule, message = "malformed", f"The line is not JSON, or longer than {MAX_LINE_BYTES} bytes."
        elif not isinstance(row, list):
            rule, message = "malformed", "The record is no array."
        elif len(row) != len(self.layout.columns):
            rule, message = "ragged", f"The record has {len(row)} values for {len(self.layout.columns)} columns."
        else:
            rule, message = "nested_value", "The record has an array or object where a value should be."
        return MalformedRow(row=number, rule=rule, message=message, raw=raw[:_RAW_MAX])


def _parsed(line: bytes) -> object:
    """The line's JSON; the line itself when it is none."""
    if len(line) > MAX_LINE_BYTES:
        return line[:_RAW_MAX]
    try:
        parsed: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line[:_RAW_MAX]
    return parsed


def _nested(row: list[object]) -> bool:
    return any(isinstance(value, list | dict) for value in row)


def _texts(name: str, values: list[object]) -> pl.Series:
    if not all(value is None or isinstance(value, str) for value in values):
        values = [_text(value) for value in values]
    texts = pl.Series(name, values, dtype=pl.String).str.strip_chars_end(" ")
    return texts.set(texts == "", None)


def _text(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    return str(value)

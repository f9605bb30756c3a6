"""SAS data sets (sas7bdat), read in blocks of rows by pyreadstat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyreadstat

from atoll.deid.readers.columns import check_columns, check_kinds
from atoll.deid.readers.reading import Reading
from atoll.deid.readers.refusal import FileRefused
from atoll.deid.readers.sas_missing import MISSING, missing_columns
from atoll.deid.readers.streamed import Notes, library_at_work, streamed
from atoll.deid.readers.xpt_fields import moments, plain_numbers
from atoll.model.contract import Drop, TableContract
from atoll.model.table import ColumnType

#: Every block is found by reading up to it, so blocks are large.
_CELLS_IN_BLOCK = 4_000_000
_MAGIC = b"\0" * 12 + b"\xc2\xea\x81\x60"
_TODO = "Write the data set again with SAS, or as a transport file, and deliver it anew."
_DAMAGED = "The data set is damaged or cut off, its text is not in its encoding, or it is encrypted."
_MOMENTS = (ColumnType.DATE, ColumnType.DATETIME, ColumnType.PARTIAL_DATE)


@dataclass(frozen=True)
class Variable:
    """A variable of a data set: its name, label and display format (`DATE9`), and whether it is a number."""

    name: str
    label: str
    format: str
    numeric: bool


def read_sas7bdat(path: Path, table: TableContract) -> Reading:
    """The rows of a data set, lazily, in the columns that `read_xpt` would give, special missing values too.

    Raises:
        FileRefused: the file is none (rule `format`), damaged, encrypted or in another
            encoding (`damaged`), or its columns are not the contract's. While reading: it
            ends before the last of the rows that it says it has (`cut_off`).
    """
    variables, rows = describe(path, table)
    letters = missing_columns(table, [v.name for v in variables if v.numeric])
    drift = check_columns(table, [*(v.name for v in variables), *letters])
    drift += check_kinds(table, {v.name: v.numeric for v in variables})
    source = _Source(path, table, variables, rows, letters)
    return streamed(source.schema(), source.frames, "SAS7BDAT").drifting(drift)


def describe(path: Path, table: TableContract | None = None) -> tuple[tuple[Variable, ...], int]:
    """The variables in the file's order, and how many rows it says it has. Raises `FileRefused`."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise FileRefused("The file does not start as a SAS data set.", rule="format", todo=_TODO)
    with library_at_work(_DAMAGED, _TODO):
        _, meta = pyreadstat.read_sas7bdat(
            str(path), metadataonly=True, output_format="dict", encoding=_encoding(table)
        )
        variables = tuple(
            Variable(name, label or "", (meta.original_variable_types[name] or "").upper(), kind != "string")
            for name, label, kind in zip(
                meta.column_names, meta.column_labels, meta.readstat_variable_types.values(), strict=True
            )
        )
    if not variables:
        raise FileRefused("The data set has no variables.", rule="damaged", todo=_TODO)
    return variables, int(meta.number_rows or 0)


def _encoding(table: TableContract | None) -> str | None:
    given = table is not None and "encoding" in table.model_fields_set
    return table.encoding if table is not None and given else None


@dataclass(frozen=True)
class _Source:
    path: Path
    table: TableContract
    variables: tuple[Variable, ...]
    rows: int
    letters: Sequence[str]

    def schema(self) -> dict[str, pl.DataType]:
        types = {v.name: pl.Float64() if self._is_float(v) else pl.String() for v in self.variables}
        return {**types, **dict.fromkeys(self.letters, pl.String())}

    def frames(self, notes: Notes) -> Iterator[pl.DataFrame]:
        count = max(1, _CELLS_IN_BLOCK // len(self.variables))
        for first in range(0, self.rows, count):
            with library_at_work(_DAMAGED, _TODO):
                found, _ = pyreadstat.read_sas7bdat(
                    str(self.path),
                    row_offset=first,
                    row_limit=count,
                    user_missing=True,
                    disable_datetime_conversion=True,
                    output_format="dict",
                    encoding=_encoding(self.table),
                )
                frame = self._frame(found, first, notes)
            if frame.height < min(count, self.rows - first):
                raise FileRefused("The data set ends before the last of its rows.", rule="cut_off", todo=_TODO)
            yield frame

    def _frame(self, found: Mapping[str, Any], first: int, notes: Notes) -> pl.DataFrame:
        columns: list[pl.Series] = []
        for variable in self.variables:
            values = found[variable.name]
            if not variable.numeric:
                texts = pl.Series(variable.name, list(values), dtype=pl.String).str.strip_chars_end(" \0")
                columns.append(texts.set(texts == "", None))
                continue
            numbers, letters = _numbers(values)
            columns.append(self._numeric(variable, numbers))
            name = variable.name + MISSING
            if name in self.letters:
                columns.append(pl.Series(name, letters, dtype=pl.String))
            elif letters.count(None) < len(letters) and not isinstance(self.table.columns[variable.name], Drop):
                special = len(letters) - letters.count(None)
                notes.unknown[name] = notes.unknown.get(name, 0) + special
        frame = pl.DataFrame(columns)
        return frame.insert_column(0, pl.Series("__row", np.arange(first + 1, first + 1 + frame.height)))

    def _numeric(self, variable: Variable, values: np.ndarray[Any, np.dtype[np.float64]]) -> pl.Series:
        if self._is_float(variable):
            return pl.Series(variable.name, values, dtype=pl.Float64, nan_to_null=True)
        rule = self.table.columns[variable.name]
        if not isinstance(rule, Drop) and rule.type in _MOMENTS:
            return moments(variable.name, values, variable.format, rule.type)
        return plain_numbers(variable.name, values)

    def _is_float(self, variable: Variable) -> bool:
        rule = self.table.columns[variable.name]
        wanted = not isinstance(rule, Drop) and rule.type in (ColumnType.INTEGER, ColumnType.NUMBER)
        return variable.numeric and wanted


def _numbers(
    values: Sequence[object] | np.ndarray[Any, Any],
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], list[str | None]]:
    """Numbers (NaN where missing) and the letters of special missing values."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        return values.astype(np.float64), [None] * len(values)
    letters = [v if isinstance(v, str) else None for v in values]
    numbers = [np.nan if v is None or isinstance(v, str) else float(str(v)) for v in values]
    return np.array(numbers, dtype=np.float64), letters

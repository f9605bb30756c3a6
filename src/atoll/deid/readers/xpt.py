"""SAS transport (XPT) files of version 5 or 8, read in blocks of rows with NumPy."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from atoll.deid.readers.columns import check_columns, check_kinds
from atoll.deid.readers.fixed_text import Bytes
from atoll.deid.readers.sas_missing import MISSING, count_special, missing_columns, missing_letters
from atoll.deid.readers.xpt_fields import moment_column, number_column, plain_number_column, text_column
from atoll.deid.readers.xpt_layout import XptMember, XptVariable, read_member
from atoll.model.contract import Drop, TableContract
from atoll.model.identified import IdentifiedBatch, MalformedRow
from atoll.model.table import ColumnType

_BLOCK_BYTES = 4 << 20
_THREADS = 2
_Block = tuple[pl.DataFrame, list[MalformedRow], Counter[str]]
_MOMENTS = (ColumnType.DATE, ColumnType.DATETIME, ColumnType.PARTIAL_DATE)


def read_xpt(path: Path, table: TableContract) -> IdentifiedBatch:
    """The only member of a transport file, lazily.

    Numeric variables are Float64 where the contract says integer or number, ISO 8601
    text where it says date or datetime (by SAS's day or second count), and plain text
    else. Missing numbers and blank texts are null. A row whose text is not in the
    table's encoding is malformed (rule `encoding`). A rule of the key `AVAL.missing` takes
    the letter of a special missing value (`A` to `Z`, `_`) of the numeric variable AVAL;
    without such a rule the rows that have one are counted in `unknown`.

    Raises:
        FileRefused: the file is none, damaged or cut off, has several members, lacks
            a column, or has one that no rule names.
    """
    member = read_member(path)
    letters = missing_columns(table, [v.name for v in member.variables if v.numeric])
    drift = check_columns(table, [*(v.name for v in member.variables), *letters])
    drift += check_kinds(table, {v.name: v.numeric for v in member.variables})
    batch = IdentifiedBatch(pl.LazyFrame(), drift=drift)
    source = _Source(path, table, member, letters, batch.malformed, batch.unknown)
    rows = register_io_source(source.frames, schema=source.schema(), is_pure=True, explain_name="XPT")
    return replace(batch, rows=rows)


@dataclass(frozen=True)
class _Source:
    path: Path
    table: TableContract
    member: XptMember
    letters: tuple[str, ...]
    malformed: list[MalformedRow]
    unknown: dict[str, int]

    def schema(self) -> dict[str, pl.DataType]:
        variables = {v.name: self._dtype(v) for v in self.member.variables}
        return {"__row": pl.Int64(), **variables, **dict.fromkeys(self.letters, pl.String())}

    def frames(
        self, with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        """What Polars asks of a source: frames of the wanted columns, filtered."""
        del batch_size
        bad: list[MalformedRow] = []
        unknown: Counter[str] = Counter()
        left = self.member.rows if n_rows is None else min(n_rows, self.member.rows)
        try:
            for frame, malformed, special in self._side_by_side(left, with_columns):
                bad += malformed
                unknown += special
                yield frame if predicate is None else frame.filter(predicate)
        finally:
            # Put in place at once: a plan may read the source more than once, and side by side.
            self.malformed[:] = bad
            self.unknown.update(unknown)

    def _side_by_side(self, rows: int, with_columns: list[str] | None) -> Iterator[_Block]:
        """The blocks in their order; one is decoded while the one before it is used."""
        waiting: deque[Future[_Block]] = deque()
        with self.path.open("rb") as file, ThreadPoolExecutor(_THREADS) as threads:
            file.seek(self.member.data_offset_bytes)
            first = 1
            while first <= rows or waiting:
                while first <= rows and len(waiting) < _THREADS:
                    count = min(rows - first + 1, max(1, _BLOCK_BYTES // self.member.row_bytes))
                    block = np.frombuffer(file.read(count * self.member.row_bytes), dtype=np.uint8)
                    records = block.reshape(count, self.member.row_bytes)
                    waiting.append(threads.submit(self._block, records, first, with_columns))
                    first += count
                yield waiting.popleft().result()

    def _block(self, records: Bytes, first: int, with_columns: list[str] | None) -> _Block:
        malformed: list[MalformedRow] = []
        unknown: Counter[str] = Counter()
        return self._frame(records, first, with_columns, malformed, unknown), malformed, unknown

    def _frame(
        self,
        records: Bytes,
        first: int,
        with_columns: list[str] | None,
        malformed: list[MalformedRow],
        unknown: Counter[str],
    ) -> pl.DataFrame:
        numbers = pl.Series("__row", np.arange(first, first + len(records), dtype=np.int64))
        columns, bad = [numbers], set[int]()
        # Every text is decoded, wanted or not: which rows are malformed must not depend on the question.
        for variable in self.member.variables:
            wanted = with_columns is None or variable.name in with_columns
            if not wanted and (variable.numeric or self.table.encoding == "latin-1"):
                continue
            column, faults = self._column(variable, records)
            columns.append(column)
            bad.update(faults)
            if variable.numeric and not isinstance(self.table.columns[variable.name], Drop):
                columns += self._letters(variable, records, column.is_null(), unknown)
        frame = pl.DataFrame(columns)
        if bad:
            frame = frame.filter(~pl.col("__row").is_in([first + i for i in bad]))
            malformed.extend(self._malformed(first + i, bytes(records[i])) for i in sorted(bad))
        return frame if with_columns is None else frame.select(with_columns)

    def _column(self, variable: XptVariable, records: Bytes) -> tuple[pl.Series, list[int]]:
        field = records[:, variable.offset_bytes : variable.offset_bytes + variable.length_bytes]
        if not variable.numeric:
            return text_column(variable.name, field, self.table.encoding)
        wanted = self._type(variable)
        if wanted in _MOMENTS:
            return moment_column(variable.name, field, variable.format, wanted), []
        if wanted in (ColumnType.INTEGER, ColumnType.NUMBER):
            return number_column(variable.name, field), []
        return plain_number_column(variable.name, field), []

    def _letters(
        self, variable: XptVariable, records: Bytes, missing: pl.Series, unknown: Counter[str]
    ) -> list[pl.Series]:
        """The column of special missing values, where the contract has it; else they are counted."""
        name = variable.name + MISSING
        field = records[:, variable.offset_bytes : variable.offset_bytes + variable.length_bytes]
        if name in self.letters:
            return [missing_letters(name, field)]
        if missing.any() and (special := count_special(field[missing.to_numpy()])):
            unknown[name] += special
        return []

    def _dtype(self, variable: XptVariable) -> pl.DataType:
        is_float = variable.numeric and self._type(variable) in (ColumnType.INTEGER, ColumnType.NUMBER)
        return pl.Float64() if is_float else pl.String()

    def _type(self, variable: XptVariable) -> ColumnType:
        rule = self.table.columns[variable.name]
        return ColumnType.STRING if isinstance(rule, Drop) else rule.type

    def _malformed(self, row: int, record: bytes) -> MalformedRow:
        message = f"The text is not in the encoding {self.table.encoding}."
        return MalformedRow(row=row, rule="encoding", message=message, raw=record.decode("latin-1").rstrip())

"""Parquet files, read in batches of rows and given as text, whatever their types.

What the footer says beside the columns (key-value metadata, comments, statistics) does not enter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from atoll.deid.readers.columns import check_columns, check_kinds, shown
from atoll.deid.readers.reading import Reading
from atoll.deid.readers.refusal import FileRefused
from atoll.deid.readers.streamed import Notes, library_at_work, streamed
from atoll.model.contract import Drop, RedactText, TableContract
from atoll.model.identified import MalformedRow
from atoll.model.table import ColumnType

_MAGIC = b"PAR1"
_ROWS_IN_BLOCK = 16_384
_TODO = "Write the file again as Parquet and deliver it anew."


def read_parquet(path: Path, table: TableContract) -> Reading:
    """The rows of a Parquet file, lazily, a batch of a row group at a time.

    Columns are Float64 where they are floating point and the contract says integer or
    number; else String: dates and times as ISO 8601 (a time without a zone is taken as
    UTC), decimals with their digits, `true` and `false`; null where null or empty.

    Raises:
        FileRefused: the file is none (rule `format`), damaged or cut off, has nested or
            binary columns that the contract does not drop (`nested_value`, `binary`), or its
            columns are not the contract's.
    """
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, path.stat().st_size - 4))
        tail = file.read(4)
    if head != _MAGIC:
        raise FileRefused("The file does not start as Parquet.", rule="format", todo=_TODO)
    if tail != _MAGIC:
        raise FileRefused("The file is cut off: it does not end as Parquet.", rule="cut_off", todo=_TODO)
    with library_at_work("The footer of the file is damaged.", _TODO), pq.ParquetFile(path) as opened:
        schema = opened.schema_arrow
    drift = check_columns(table, schema.names)
    needed = _needed(table)
    wanted = {n: t for n, t in zip(schema.names, schema.types, strict=True) if n in needed}
    _check_types(wanted)
    drift += check_kinds(table, {n: _numeric(t) for n, t in wanted.items() if not _empty(t)})
    source = _Source(path, table, wanted)
    return streamed({n: source.dtype(n) for n in wanted}, source.frames, "PARQUET").drifting(drift)


def _empty(kind: pa.DataType) -> bool:
    """Whether the column can hold nothing but nulls, and so says nothing of its kind."""
    return bool(pa.types.is_null(kind))


def _numeric(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_integer(value) or pa.types.is_floating(value) or pa.types.is_decimal(value))


def _needed(table: TableContract) -> set[str]:
    """Columns that enter, and dropped ones whose names are taken out of texts."""
    entering = {name: rule for name, rule in table.columns.items() if not isinstance(rule, Drop)}
    texts = [rule for rule in entering.values() if isinstance(rule, RedactText)]
    return {*entering, *(name for rule in texts for name in rule.names)}


def _check_types(wanted: dict[str, pa.DataType]) -> None:
    for name, kind in wanted.items():
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_nested(value):
            what, rule = f"The column {shown(name)} holds lists or records, which a table cannot take.", "nested_value"
        elif pa.types.is_binary(value) or pa.types.is_large_binary(value) or pa.types.is_fixed_size_binary(value):
            what, rule = f"The column {shown(name)} holds bytes that do not say what they are.", "binary"
        else:
            continue
        raise FileRefused(what, rule=rule, todo="Deliver it as columns of single values, or have the contract drop it.")


@dataclass(frozen=True)
class _Source:
    path: Path
    table: TableContract
    wanted: dict[str, pa.DataType]

    def dtype(self, name: str) -> pl.DataType:
        rule = self.table.columns[name]
        numeric = not isinstance(rule, Drop) and rule.type in (ColumnType.INTEGER, ColumnType.NUMBER)
        return pl.Float64() if numeric and pa.types.is_floating(self.wanted[name]) else pl.String()

    def frames(self, notes: Notes) -> Iterator[pl.DataFrame]:
        first = 1
        for batch in self._batches():
            frame, bad = self._frame(batch)
            rows = np.arange(first, first + batch.num_rows, dtype=np.int64)
            frame = frame.insert_column(0, pl.Series("__row", rows))
            if bad:
                message = "A text of the row is not UTF-8."
                notes.malformed += [MalformedRow(first + i, "encoding", message, _raw(batch, i)) for i in sorted(bad)]
                frame = frame.filter(~pl.col("__row").is_in([first + i for i in bad]))
            yield frame
            first += batch.num_rows

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with library_at_work("The file is damaged within its rows.", _TODO), pq.ParquetFile(self.path) as opened:
            groups = opened.iter_batches(batch_size=_ROWS_IN_BLOCK, columns=list(self.wanted), use_threads=False)
            yield from groups

    def _frame(self, batch: pa.RecordBatch) -> tuple[pl.DataFrame, set[int]]:
        columns, bad = [], set[int]()
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            if pa.types.is_string(plain.type) or pa.types.is_large_string(plain.type):
                plain, faults = _sound(plain)
                bad.update(faults)
            with library_at_work(f"The column {shown(name)} cannot be read as values.", _TODO):
                columns.append(_column(name, plain, self.dtype(name)))
        return pl.DataFrame(columns), bad


def _sound(texts: pa.Array) -> tuple[pa.Array, list[int]]:
    """The texts, and the places of those that are no UTF-8, which become null: Parquet does not vouch for it."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        values: list[str | None] = []
        bad: list[int] = []
        for i, raw in enumerate(texts.cast(pa.large_binary(), safe=False).to_pylist()):
            try:
                values.append(None if raw is None else raw.decode())
            except UnicodeDecodeError:
                values.append(None)
                bad.append(i)
        return pa.array(values, pa.large_string()), bad
    return texts, []


def _column(name: str, values: pa.Array, dtype: pl.DataType) -> pl.Series:
    column = pl.Series(name, values)
    if dtype.is_float():
        return column.cast(pl.Float64).fill_nan(None)
    match column.dtype:
        case pl.String():
            return column.set(column == "", None)
        case pl.Datetime():
            moment = column if column.dtype.time_zone is None else column.dt.convert_time_zone("UTC")
            return moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
        case pl.Float32() | pl.Float64():
            whole = column.cast(pl.Int64, strict=False)
            fits = (whole.cast(column.dtype) == column).fill_null(value=False)
            return whole.cast(pl.String).zip_with(fits, column.cast(pl.String))
        case _:
            return column.cast(pl.String)


def _raw(batch: pa.RecordBatch, row: int) -> str:
    found = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        value = column.slice(row, 1)
        if pa.types.is_string(value.type) or pa.types.is_large_string(value.type):
            value = value.cast(pa.large_binary(), safe=False)
        found.append(f"{name}={value.to_pylist()[0]!r}")
    return ", ".join(found)

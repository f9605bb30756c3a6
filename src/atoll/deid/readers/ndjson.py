"""Newline-delimited JSON: nested rows to flat columns by the paths of a contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
import polars as pl
from polars.io.plugins import register_io_source

from atoll.deid.readers.field_tree import FieldTree, Found, field_tree
from atoll.deid.readers.json_lines import MAX_LINE_BYTES, line_blocks
from atoll.model.contract import TableContract
from atoll.model.identified import IdentifiedBatch, MalformedRow

#: Paths shown in one message, and counted for one file: data must not flood either.
_PATHS_IN_MESSAGE = 5
_PATHS_COUNTED = 500
_RAW_OF_LONG_LINE = 1 << 16


def read_ndjson(path: Path, table: TableContract) -> IdentifiedBatch:
    """Rows of a file of JSON objects, one a line, lazily; blank lines are no rows.

    All columns are String: texts as they are, numbers as they were written (0.10 stays
    0.10), `true` and `false`; null where the path leads nowhere; the values of a path
    with `[*]` are joined by `|`. `__raw` is the line.

    Malformed are lines that are no JSON object (rule `malformed`), an object or array
    where a column wants one value (`nested_value`), and, unless the table leaves them
    out, rows with fields that no rule names (`unknown_field`).

    Raises:
        ContractInvalid: a rule's path is no path.
    """
    return _batch(path, _Rows(table, field_tree(table)))


def read_resources(path: Path, table: TableContract, resource: str) -> IdentifiedBatch:
    """As `read_ndjson`, for FHIR: a row of another `resourceType` is malformed."""
    return _batch(path, _Rows(table, field_tree(table, implied=("resourceType",)), resource))


def _batch(path: Path, rows: _Rows) -> IdentifiedBatch:
    source = _Source(path, rows, [], {})
    schema = {"__row": pl.Int64(), **dict.fromkeys(rows.tree.columns, pl.String()), "__raw": pl.String()}
    frame = register_io_source(source.frames, schema=schema, is_pure=True, explain_name="NDJSON")
    return IdentifiedBatch(rows=frame, malformed=source.malformed, unknown=source.unknown)


class _BadRowError(Exception):
    """A line that is no row: rule and message."""


@dataclass
class _Rows:
    """Turns lines into rows, and keeps what is not one."""

    table: TableContract
    tree: FieldTree
    resource: str | None = None
    malformed: list[MalformedRow] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)

    def afresh(self) -> _Rows:
        """The same rules with nothing noted yet, for another reading."""
        return replace(self, malformed=[], unknown={})

    def read(self, number: int, line: bytes) -> list[str | None] | None:
        """The columns' values; None when the line is no row, which is noted."""
        try:
            return self._values(line)
        except _BadRowError as bad:
            rule, message = bad.args
            cut = line if len(line) <= MAX_LINE_BYTES else line[:_RAW_OF_LONG_LINE]
            raw = cut.decode("utf-8", errors="backslashreplace")
            self.malformed.append(MalformedRow(row=number, rule=rule, message=message, raw=raw))
            return None

    def _values(self, line: bytes) -> list[str | None]:
        row = self._object(line)
        if self.resource is not None and row.get("resourceType") != self.resource:
            raise _BadRowError("resource_type", f"resourceType is not {self.resource}.")
        found = self.tree.walk(row)
        if found.inexact:
            found = self.tree.walk(_exact(line))
        if found.nested:
            raise _BadRowError("nested_value", _message("More than one value where a column wants one", found.nested))
        if found.unnamed:
            self._unnamed(found)
        return found.values

    def _object(self, line: bytes) -> dict[str, object]:
        if len(line) > MAX_LINE_BYTES:
            raise _BadRowError("malformed", f"The line is longer than {MAX_LINE_BYTES} bytes.")
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise _BadRowError("malformed", "The line is not JSON, or nested too deeply.") from None
        if not isinstance(row, dict):
            raise _BadRowError("malformed", "The line is JSON but no object.")
        return row

    def _unnamed(self, found: Found) -> None:
        if self.table.unknown_fields == "quarantine":
            raise _BadRowError("unknown_field", _message("Fields that no rule names", found.unnamed))
        for path in dict.fromkeys(found.unnamed):
            shown = path if path in self.unknown or len(self.unknown) < _PATHS_COUNTED else "?"
            self.unknown[shown] = self.unknown.get(shown, 0) + 1


def _exact(line: bytes) -> dict[str, object]:
    """The same row with numbers as their text; slower, so only for rows that need it."""
    try:
        row: dict[str, object] = json.loads(line, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise _BadRowError("malformed", "The line is not JSON, or nested too deeply.") from None
    return row


def _message(what: str, paths: list[str]) -> str:
    distinct = list(dict.fromkeys(paths))
    more = f" and {len(distinct) - _PATHS_IN_MESSAGE} more" if len(distinct) > _PATHS_IN_MESSAGE else ""
    return f"{what}: {', '.join(distinct[:_PATHS_IN_MESSAGE])}{more}."


@dataclass(frozen=True)
class _Source:
    path: Path
    rows: _Rows
    malformed: list[MalformedRow]
    unknown: dict[str, int]

    def frames(
        self, with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        """What Polars asks of a source: frames of the wanted columns, filtered."""
        del batch_size
        rows, number = self.rows.afresh(), 0
        try:
            for lines in line_blocks(self.path):
                frame = _frame(rows, lines, number, with_raw=with_columns is None or "__raw" in with_columns)
                number += len(lines)
                if n_rows is not None:
                    frame = frame.head(n_rows)
                    n_rows -= frame.height
                if with_columns is not None:
                    frame = frame.select(with_columns)
                yield frame if predicate is None else frame.filter(predicate)
                if n_rows == 0:
                    return
        finally:
            # Put in place at once: a plan may read the source more than once, and side by side.
            self.malformed[:] = rows.malformed
            self.unknown.update(rows.unknown)


def _frame(rows: _Rows, lines: list[bytes], before: int, *, with_raw: bool) -> pl.DataFrame:
    numbers, raws, values = list[int](), list[str](), list[list[str | None]]()
    for number, line in enumerate(lines, before + 1):
        row = rows.read(number, line)
        if row is None:
            continue
        numbers.append(number)
        values.append(row)
        if with_raw:
            raws.append(line.decode())
    columns = zip(*values, strict=True) if values else [()] * len(rows.tree.columns)
    series = [pl.Series("__row", numbers, dtype=pl.Int64)]
    series += [pl.Series(k, c, dtype=pl.String) for k, c in zip(rows.tree.columns, columns, strict=True)]
    if with_raw:
        series.append(pl.Series("__raw", raws, dtype=pl.String))
    return pl.DataFrame(series)

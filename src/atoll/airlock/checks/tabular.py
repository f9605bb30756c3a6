"""Tables in files of every form, read into one shape: named columns of text, numbers where they are such."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

#: More in one file is no result.
MAX_CELLS = 20_000_000


@dataclass(frozen=True)
class Table:
    """One table; every value is text or null.

    Attributes:
        title: where in the file it stands; empty when it is the file.
        data: columns of type String.
    """

    title: str
    data: pl.DataFrame

    @classmethod
    def of_rows(cls, title: str, rows: Sequence[Sequence[object]]) -> Table:
        """From rows of which the first is the head."""
        width = max(len(row) for row in rows)
        head = _names([*rows[0], *[None] * (width - len(rows[0]))])
        columns = [
            pl.Series(name, [None if len(row) <= n or row[n] is None else str(row[n]) for row in rows[1:]], pl.String)
            for n, name in enumerate(head)
        ]
        return cls(title, pl.DataFrame(columns))

    @classmethod
    def of_frame(cls, title: str, frame: pl.DataFrame) -> Table:
        """From a frame of any types; what is nested is written as JSON."""
        columns = []
        for series in frame.get_columns():
            if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
                columns.append(pl.Series(series.name, [None if v is None else str(v) for v in series], pl.String))
            else:
                columns.append(series.cast(pl.String, strict=False))
        return cls(title, pl.DataFrame(columns))

    @cached_property
    def whole(self) -> dict[str, pl.Series]:
        """The columns whose every value is a whole number, as Int64; those without any value left out."""
        found = {}
        for series in self.data.get_columns():
            plain = series.str.strip_chars().str.replace_all(r"[\s,_](\d{3})", "${1}").str.replace(r"\.0+$", "")
            plain = plain.set(plain == "", None) if plain.len() else plain
            numbers = plain.cast(pl.Int64, strict=False)
            if numbers.null_count() == plain.null_count() and numbers.null_count() < numbers.len():
                found[series.name] = numbers
        return found

    @property
    def height(self) -> int:
        """Rows, the head not counted."""
        return self.data.height


def of_delimited(text: str) -> Table | None:
    """A CSV or the like, its separator found by what fits; None when it is no table."""
    sample = text[:65_536]
    try:
        separator = csv.Sniffer().sniff(sample, ",;\t|").delimiter
    except csv.Error:
        separator = ","
    rows = []
    cells = 0
    csv.field_size_limit(2**24)
    for row in csv.reader(io.StringIO(text), delimiter=separator):
        cells += len(row)
        if cells > MAX_CELLS:
            raise MemoryError
        if any(row):
            rows.append([value if value != "" else None for value in row])
    return Table.of_rows("", rows) if rows else None


def of_json(text: str) -> Table | None:
    """A list of objects, or lines of objects, as a table; None for other JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            return None
    if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
        names = list(value)
        height = max(len(v) for v in value.values())
        rows = [[value[n][i] if i < len(value[n]) else None for n in names] for i in range(height)]
        return Table.of_rows("", [names, *rows])
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        return None
    names = list(dict.fromkeys(name for item in value for name in item))
    return Table.of_rows("", [names, *[[item.get(name) for name in names] for item in value]])


def of_columnar(content: bytes, form: str) -> Table:
    """A Parquet or Arrow file as a table. Raises `ValueError` when it cannot be read."""
    try:
        source = io.BytesIO(content)
        frame = pl.read_parquet(source) if form == "parquet" else pl.read_ipc(source)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        # What the reader says may hold values.
        raise ValueError("unreadable") from None
    if frame.height * max(frame.width, 1) > MAX_CELLS:
        raise MemoryError
    return Table.of_frame("", frame)


def _names(head: Sequence[object]) -> list[str]:
    names: list[str] = []
    for number, value in enumerate(head):
        name = str(value).strip() if value is not None else ""
        name = name or f"column {number + 1}"
        while name in names:
            name += "_"
        names.append(name)
    return names

# ruff: noqa: S608 - names are quoted; only columns of a contract get here
"""Figures of a table of treated data that are safe to show to who may not read it.

A cell (a value, a bin, the rows without a value) is told only when at least ten subjects
stand behind it (ten rows, where no column says whom a row is about), and its count is
rounded to ten, so that what is left out is not had by subtraction either. The range is
that which ten subjects reach, never one person's extreme. Pseudonyms are never told.

Pure: the SQL that asks, and what its answers make.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from atoll.model.catalog import SMALL_CELL, Bin, ColumnProfile, ValueCount
from atoll.model.table import Column, ColumnType

BINS = 20
#: So many values are listed at most, and of columns with so many different ones at most.
LISTED = 20
LISTABLE = 200
#: Columns asked about in one statement.
COLUMNS_AT_ONCE = 30
_LONGEST = 200
_DAY = 86_400
_MEASURED = frozenset({ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DATE, ColumnType.DATETIME})
_TIMES = frozenset({ColumnType.DATE, ColumnType.DATETIME})


@dataclass(frozen=True)
class Range:
    """What ten subjects reach, as numbers (times in seconds since 1970)."""

    low: float
    high: float


@dataclass(frozen=True)
class Counted:
    """Rows of a column: all, without a value, different values; and how many subjects lack one."""

    rows: int
    present: int
    distinct: int
    subjects_without: int


def counts_sql(relation: str, columns: Sequence[Column], subject: str | None) -> str:
    """One row: all rows, then for each column rows with a value, distinct values, subjects without one."""
    parts = ["count(*)"]
    for column in columns:
        name = _quoted(column.name)
        lacking = (
            f"(SELECT count(*) FROM (SELECT DISTINCT {_quoted(subject)} FROM {relation} "
            f"WHERE {name} IS NULL LIMIT {SMALL_CELL}))"
            if subject
            else f"count(*) - count({name})"
        )
        parts += [f"count({name})", f"approx_count_distinct({name})", lacking]
    return _named(parts) + f" FROM {relation}"


def counted(columns: Sequence[Column], row: Sequence[Any]) -> dict[str, Counted]:
    """What `counts_sql` answered."""
    return {
        column.name: Counted(int(row[0]), *(int(value) for value in row[1 + 3 * i : 4 + 3 * i]))
        for i, column in enumerate(columns)
    }


def measured(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns that have a range: numbers and dates, and no pseudonym."""
    return tuple(c for c in columns if c.type in _MEASURED and not _pseudonym(c))


def listable(columns: Iterable[Column], counts: Mapping[str, Counted]) -> tuple[Column, ...]:
    """The columns whose frequent values may be listed."""
    plain = (c for c in columns if c.type is not ColumnType.NUMBER and c.type not in _TIMES and not _pseudonym(c))
    return tuple(c for c in plain if 0 < counts[c.name].distinct <= LISTABLE)


def ranges_sql(relation: str, columns: Sequence[Column], subject: str | None) -> str:
    """One row: for each column how many subjects have a value (ten at most), and the least and greatest reached."""
    parts = []
    for column in columns:
        x, there = _number(column), f"isfinite({_number(column)})"
        if subject:
            s = _quoted(subject)
            least = f"SELECT min({x}) AS m FROM {relation} WHERE {there} GROUP BY {s}"
            greatest = f"SELECT max({x}) AS m FROM {relation} WHERE {there} GROUP BY {s}"
        else:
            least = greatest = f"SELECT {x} AS m FROM {relation} WHERE {there}"
        parts += [
            f"(SELECT count(*) FROM ({least} LIMIT {SMALL_CELL}))",
            f"(SELECT max(m) FROM ({least} ORDER BY m LIMIT {SMALL_CELL}))",
            f"(SELECT min(m) FROM ({greatest} ORDER BY m DESC LIMIT {SMALL_CELL}))",
        ]
    return _named(parts)


def ranges(columns: Sequence[Column], row: Sequence[Any]) -> dict[str, Range]:
    """What `ranges_sql` answered; without the columns of which too few have a value."""
    found = {}
    for i, column in enumerate(columns):
        enough, low, high = row[3 * i : 3 * i + 3]
        if enough is not None and int(enough) >= SMALL_CELL and low is not None:
            # Where few values stand far apart the tenth from below can lie above the tenth from above.
            found[column.name] = Range(*sorted((float(low), float(high))))
    return found


def cells_sql(
    relation: str, listed: Sequence[Column], binned: Sequence[tuple[Column, Range]], subject: str | None
) -> str:
    """Rows of: kind (`v` or `b`), column, value or number of the bin, rows, subjects."""
    by = f"count(DISTINCT {_quoted(subject)})" if subject else "count(*)"
    parts = []
    for column in listed:
        name = _quoted(column.name)
        parts.append(
            f"SELECT 'v' AS kind, {_literal(column.name)} AS col, CAST({name} AS VARCHAR) AS cell, count(*) AS n, "
            f"{by} AS s FROM {relation} WHERE {name} IS NOT NULL GROUP BY {name}"
        )
    for column, reach in binned:
        x = _number(column)
        edges = _edges(column, reach)
        width = edges[1] - edges[0]
        number = f"floor(({x} - {edges[0]!r}) / {width!r})"
        inside = f"CAST(greatest(0, least({len(edges) - 2}, {number})) AS INTEGER)"
        parts.append(
            f"SELECT 'b' AS kind, {_literal(column.name)} AS col, CAST({inside} AS VARCHAR) AS cell, count(*) AS n, "
            f"{by} AS s FROM {relation} WHERE isfinite({x}) GROUP BY {inside}"
        )
    return " UNION ALL ".join(parts)


def profile(
    column: Column, counts: Counted, reach: Range | None, cells: Sequence[tuple[str, str, int, int]]
) -> ColumnProfile:
    """The column's figures. `cells`: kind, value or number of the bin, rows, subjects."""
    nulls = counts.rows - counts.present
    told: dict[str, Any] = {"nulls": _rounded(nulls, counts.subjects_without), "distinct": counts.distinct}
    if reach is not None:
        told |= {
            "min": _shown(column, reach.low),
            "max": _shown(column, reach.high),
            "histogram": _histogram(column, reach, cells),
        }
    values = _values(cells)
    if values:
        listed = sum(rows for _, rows in values)
        told["values"] = tuple(ValueCount(value=value, rows=_ten(rows)) for value, rows in values)
        told["other_rows"] = _rounded(counts.present - listed, counts.present - listed)
    return ColumnProfile(
        name=column.name,
        type=column.type,
        treatment=column.treatment,
        unit=column.unit,
        withheld="" if reach or values else _why(column, counts),
        **told,
    )


def _why(column: Column, counts: Counted) -> str:
    if _pseudonym(column):
        return "pseudonym"
    return "many_values" if counts.distinct > LISTABLE else "small"


def _values(cells: Sequence[tuple[str, str, int, int]]) -> list[tuple[str, int]]:
    large = [(v, n) for kind, v, n, s in cells if kind == "v" and min(n, s) >= SMALL_CELL and len(v) <= _LONGEST]
    return sorted(large, key=lambda one: (-one[1], one[0]))[:LISTED]


def _histogram(column: Column, reach: Range, cells: Sequence[tuple[str, str, int, int]]) -> tuple[Bin, ...]:
    edges = _edges(column, reach)
    filled = {int(cell): (rows, subjects) for kind, cell, rows, subjects in cells if kind == "b"}
    return tuple(
        Bin(low=_shown(column, low), high=_shown(column, high), rows=_rounded(*filled.get(i, (0, 0))))
        for i, (low, high) in enumerate(pairwise(edges))
    )


def _edges(column: Column, reach: Range) -> list[float]:
    """Edges of bins of one width: whole numbers for whole numbers, whole days for dates."""
    span = reach.high - reach.low
    if column.type is ColumnType.NUMBER:
        width = span / BINS or 1.0
        count = BINS if span else 1
    else:
        unit = _DAY if column.type in _TIMES else 1
        width = max(1, math.ceil((span + unit) / unit / BINS)) * unit
        count = max(1, math.ceil((span + unit) / width))
    low = float(math.floor(reach.low / _DAY) * _DAY) if column.type in _TIMES else reach.low
    return [low + i * width for i in range(count + 1)]


def _rounded(rows: int, subjects: int) -> int | None:
    if rows == 0:
        return 0
    return None if min(rows, subjects) < SMALL_CELL else _ten(rows)


def _ten(rows: int) -> int:
    return (rows + 5) // 10 * 10


def _shown(column: Column, number: float) -> float | str:
    if column.type is ColumnType.DATE:
        return datetime.fromtimestamp(number, UTC).date().isoformat()
    if column.type is ColumnType.DATETIME:
        return datetime.fromtimestamp(number, UTC).isoformat(timespec="seconds")
    return number


def _number(column: Column) -> str:
    name = _quoted(column.name)
    return f"CAST(epoch({name}) AS DOUBLE)" if column.type in _TIMES else f"CAST({name} AS DOUBLE)"


def _pseudonym(column: Column) -> bool:
    return column.treatment == "pseudonymize"


def _named(parts: Iterable[str]) -> str:
    return "SELECT " + ", ".join(f"{part} AS c{i}" for i, part in enumerate(parts))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def in_pieces(columns: Sequence[Column]) -> Iterator[Sequence[Column]]:
    """So many columns at a time as one statement asks about."""
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        yield columns[start : start + COLUMNS_AT_ONCE]

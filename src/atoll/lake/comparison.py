"""How two states of a table differ, and a first question to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from atoll.model.catalog import ColumnDifference, TableDifference
from atoll.model.dataset import TableState
from atoll.model.table import Column, ColumnType

_SHOWN = 6
_CATEGORIES = frozenset({ColumnType.STRING, ColumnType.BOOLEAN, ColumnType.PARTIAL_DATE})


def compared(table: str, states: Sequence[TableState | None]) -> TableDifference:
    """The difference between the first and the last of a table's states at versions one after the other.

    Rows and bytes are counted from one version to the next, in the order of the versions: each
    either adds rows or removes some, or lays the same out anew. None: the table was not there.
    """
    before, after = states[0], states[-1]
    rows, sizes = ([0 if s is None else getattr(s, what) for s in states] for what in ("rows", "size_bytes"))
    columns = tuple(_columns(() if before is None else before.columns, () if after is None else after.columns))
    rows_added, rows_removed = _steps(rows)
    bytes_added, bytes_removed = _steps(sizes)
    if before is None or after is None:
        change = "added" if before is None else "removed"
    else:
        change = "changed" if rows_added or rows_removed or columns else "same"
    return TableDifference(
        table=table,
        change=change,
        rows_before=rows[0],
        rows_after=rows[-1],
        rows_added=rows_added,
        rows_removed=rows_removed,
        bytes_added=bytes_added,
        bytes_removed=bytes_removed,
        columns=columns,
    )


def _steps(figures: Sequence[int]) -> tuple[int, int]:
    """What was added and what was removed on the way."""
    changes = [after - before for before, after in pairwise(figures)]
    return sum(c for c in changes if c > 0), -sum(c for c in changes if c < 0)


def sample_query(dataset: str, state: TableState) -> str:
    """SQL that shows something of the table: counts by a category, or its first columns."""
    category = next((c for c in state.columns if c.type in _CATEGORIES and c.treatment != "pseudonymize"), None)
    if category is not None:
        return (
            f"SELECT {category.name}, count(*) AS rows\nFROM {dataset}.{state.table}\n"
            f"GROUP BY {category.name}\nORDER BY rows DESC\nLIMIT 20"
        )
    names = ", ".join(column.name for column in state.columns[:_SHOWN])
    return f"SELECT {names or '*'}\nFROM {dataset}.{state.table}\nLIMIT 20"


def _columns(before: Iterable[Column], after: Iterable[Column]) -> Iterator[ColumnDifference]:
    old, new = ({column.name: column for column in columns} for columns in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield ColumnDifference(column=name, change="removed")
        elif name not in old:
            yield ColumnDifference(column=name, change="added", words=f"{new[name].type}, {new[name].treatment}")
        elif words := "; ".join(_changes(old[name], new[name])):
            yield ColumnDifference(column=name, change="changed", words=words)


def _changes(old: Column, new: Column) -> Iterator[str]:
    for what in ("type", "unit", "treatment", "source_column", "description"):
        before, after = getattr(old, what), getattr(new, what)
        if before != after:
            yield f"{what.replace('_', ' ')}: {before or 'none'} -> {after or 'none'}"

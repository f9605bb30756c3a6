"""How two states of a table differ, and a first question to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from atoll.model.catalog import ColumnDifference, TableDifference
from atoll.model.dataset import TableState
from atoll.model.table import Column, ColumnType, DataFile

_SHOWN = 6
_CATEGORIES = frozenset({ColumnType.STRING, ColumnType.BOOLEAN, ColumnType.PARTIAL_DATE})


def compared(
    table: str,
    before: TableState | None,
    after: TableState | None,
    files_before: Sequence[DataFile],
    files_after: Sequence[DataFile],
) -> TableDifference:
    """The difference. Rows are counted by data files, which are never changed once committed."""
    old, new = ({file.path: file for file in files} for files in (files_before, files_after))
    came = [new[path] for path in new.keys() - old.keys()]
    went = [old[path] for path in old.keys() - new.keys()]
    columns = tuple(_columns(() if before is None else before.columns, () if after is None else after.columns))
    if before is None or after is None:
        change = "added" if before is None else "removed"
    else:
        change = "changed" if came or went or columns else "same"
    return TableDifference(
        table=table,
        change=change,
        rows_before=0 if before is None else before.rows,
        rows_after=0 if after is None else after.rows,
        rows_added=sum(file.rows for file in came),
        rows_removed=sum(file.rows for file in went),
        bytes_added=sum(file.size_bytes for file in came),
        bytes_removed=sum(file.size_bytes for file in went),
        columns=columns,
    )


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

"""A table held against those released before: what both together tell of few people.

Two tables of the same groups, from populations that differ by few, give the counts of
these few by subtraction (differencing; Handbook on Statistical Disclosure Control, 5.2).
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from atoll.airlock.checks.disclosure import counts
from atoll.airlock.checks.found import Found
from atoll.airlock.checks.tabular import Table


def check_differences(table: Table, earlier: Iterable[tuple[str, Table]], threshold: int, found: Found) -> None:
    """Hold the table against each earlier one with the same counts over the same keys."""
    counting = counts(table) or tuple(n for n in table.whole)
    for label, before in earlier:
        if table.data.equals(before.data):
            found.add("released_before", f"The same table left with {label}.", where=table.title)
            continue
        shared = [name for name in counting if name in before.whole]
        keys = [name for name in table.data.columns if name not in counting and name in before.data.columns]
        if not shared or set(table.data.columns) != set(before.data.columns):
            continue
        _hold(table, before, keys, shared, threshold, label, found)


def _hold(
    table: Table, before: Table, keys: list[str], shared: list[str], threshold: int, label: str, found: Found
) -> None:
    new, old = _keyed(table, keys, shared), _keyed(before, keys, shared)
    joined = new.join(old, on=["key", "nth"], how="inner", suffix=" before")
    if joined.height * 2 < max(new.height, old.height):
        return
    for name in shared:
        apart = (joined[name] - joined[f"{name} before"]).abs()
        close = int(((apart > 0) & (apart < threshold)).sum())
        total = abs(int(table.whole[name].sum()) - int(before.whole[name].sum()))
        if close or 0 < total < threshold:
            what = f"{close} counts differ" if close else "the sum differs"
            found.add(
                "difference",
                f"Compared with a table that left with {label}, {what} by fewer than {threshold}.",
                where=", ".join(p for p in (table.title, f"column {table.data.columns.index(name) + 1}") if p),
                todo="Release one of both only, or round both alike.",
            )


def _keyed(table: Table, keys: list[str], shared: list[str]) -> pl.DataFrame:
    key = (
        table.data.select(pl.concat_str([pl.col(k).fill_null("") for k in keys], separator="\x1f"))
        .to_series()
        .alias("key")
        if keys
        else pl.Series("key", [""] * table.height)
    )
    frame = pl.DataFrame([key, *(table.whole[name].alias(name) for name in shared)])
    return frame.with_columns(pl.int_range(pl.len()).over("key").alias("nth"))

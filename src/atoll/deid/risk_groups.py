"""Rows that share their quasi-identifiers, counted: by 64-bit keys, sorted.

Values are hashed to 64 bits, each column by a seed of its own, and a row's key is the sum of
its hashes: to sort one number is far cheaper than to group by six columns, and a column is
left out by taking its hash off. Of ten million groups two meet with a chance of 3 in a
million. Takes about 130 bytes of memory for each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

_SUBJECT, _VALUE = "__subject", "__value_"


@dataclass(frozen=True)
class Groups:
    """The groups of a table.

    Attributes:
        rows: of the table.
        people: of each group; rows, where nothing tells people apart.
        values: for each quasi-identifier, how many different values it has, null among them.
        without: for each quasi-identifier, the people of each group that there were without it;
            a person in two of the united groups counts in both.
        diversity: for each sensitive column, how many different values each group has, in the order of `people`.
    """

    rows: int
    people: Counts
    values: dict[str, int]
    without: dict[str, Counts]
    diversity: dict[str, Counts]


def groups_of(rows: pl.LazyFrame, quasi: Sequence[str], sensitive: Sequence[str], subject: str | None) -> Groups:
    """Count the groups of `rows` by the columns `quasi`; `subject` tells people apart, None: each row is one."""
    hashed = [pl.col(name).hash(seed=seed).alias(name) for seed, name in enumerate(quasi)]
    hashed += [pl.col(name).hash(seed=len(quasi)).alias(_VALUE + name) for name in sensitive]
    hashed += [] if subject is None else [pl.col(subject).hash(seed=len(quasi) + 1).alias(_SUBJECT)]
    frame = rows.select(hashed).collect(engine="streaming")
    keys = np.zeros(frame.height, dtype=np.uint64)
    for name in quasi:
        keys += frame[name].to_numpy()
    diversity = {name: _values_of_groups(keys, frame[_VALUE + name].to_numpy()) for name in sensitive}
    people, chosen = keys, None
    if subject is not None:
        chosen = _one_row_for_each_person(keys, frame[_SUBJECT].to_numpy())
        people = keys if chosen is None else keys[chosen]
    without = {}
    for name in quasi:
        column = frame[name].to_numpy()
        without[name] = _sizes(people - (column if chosen is None else column[chosen]))
    values = {name: frame[name].n_unique() for name in quasi}
    return Groups(frame.height, _sizes(people), values, without, diversity)


def _one_row_for_each_person(keys: Keys, subjects: Keys) -> npt.NDArray[np.intp] | None:
    """A row for each person of each group; None where all rows are of different people, as is usual."""
    if len(_sizes(subjects)) == len(subjects):
        return None
    return _first_rows(keys + subjects)


def _values_of_groups(keys: Keys, values: Keys) -> Counts:
    return _sizes(keys[_first_rows(keys + values)])


def _first_rows(pairs: Keys) -> npt.NDArray[np.intp]:
    """Some row of each different number."""
    order = np.argsort(pairs)
    return order[_starts(pairs[order])]


def _sizes(numbers: Keys) -> Counts:
    """How often each number stands there, by the order of the numbers."""
    starts = _starts(np.sort(numbers))
    return np.diff(starts, append=len(numbers)).astype(np.int64, copy=False)


def _starts(ordered: Keys) -> npt.NDArray[np.intp]:
    """Where each run of equal numbers begins."""
    begins = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    return np.flatnonzero(begins)

"""Sums of usage by day and by everything that usage is told by, kept for runs of records.

A report over a month adds up sums of its runs and reads only what came after the last full
one. A run is CHUNK records; its sums are made by who needs them first, and since records
are only ever added they can be made anew at any time and come out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, NamedTuple

from pydantic_core import from_json

from atoll.errors import NotFound, VersionConflict
from atoll.model.cost import NOBODY, ClosedMonth, CostChunk, CostFilter
from atoll.ports.records import ReadsTexts, RecordStore

CHUNK = 20_000
_BATCH = 1000
# 60 digits: sums of amounts stay exact for any bill.
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)

#: Day of the month, metric, user, project, dataset, product, workspace.
Key = tuple[int, str, str, str | None, str | None, str | None, str | None]


@dataclass(slots=True)
class Sums:
    """What the records of one key add up to."""

    quantity: Decimal = Decimal(0)
    amount_eur: Decimal = Decimal(0)
    records: int = 0

    def add(self, quantity: Decimal, amount_eur: Decimal, records: int = 1) -> None:
        """Add so much."""
        self.quantity = EXACT.add(self.quantity, quantity)
        self.amount_eur = EXACT.add(self.amount_eur, amount_eur)
        self.records += records


class Cell(NamedTuple):
    """The sums of one key."""

    day: int
    metric: str
    user: str
    project: str | None
    dataset: str | None
    product: str | None
    workspace: str | None
    quantity: Decimal
    amount_eur: Decimal
    records: int


def cells_of(records: RecordStore, month: str, asked: CostFilter, *, to: int | None = None) -> Iterator[Cell]:
    """The cells of the month `YYYY-MM` that are asked for, up to the record `to` (None: the last).

    A key can come more than once.
    """
    number = 0
    while to is None or number < to:
        rows, reached, full = _run(records, month, number, to)
        yield from _asked(rows, asked)
        number = reached
        if not full:
            return


def frozen_at(records: RecordStore, month: str) -> int | None:
    """The last usage record that a closed month counts; None while it is open."""
    try:
        return records.get(ClosedMonth, month).records
    except NotFound:
        return None


def seal(records: RecordStore, month: str) -> int:
    """Keep the sums of every full run; how many had none."""
    count = number = 0
    while True:
        kept = _kept(records, month, number)
        if kept is None:
            _, reached = _fresh(records, month, number, None)
            if reached < number + CHUNK:
                return count
            count += 1
        number += CHUNK


def _run(records: RecordStore, month: str, after: int, to: int | None) -> tuple[Iterable[tuple[Any, ...]], int, bool]:
    """The rows of the run behind record `after`, the last record they cover, and whether it is full."""
    kept = _kept(records, month, after) if to is None or after + CHUNK <= to else None
    if kept is not None:
        return kept, after + CHUNK, True
    rows, reached = _fresh(records, month, after, to)
    return rows, reached, reached == after + CHUNK


def _kept(records: RecordStore, month: str, after: int) -> Iterable[tuple[Any, ...]] | None:
    try:
        return records.get(CostChunk, _id(month, after)).rows
    except NotFound:
        return None


def _fresh(records: RecordStore, month: str, after: int, to: int | None) -> tuple[Iterable[tuple[Any, ...]], int]:
    """The rows of the run computed from its records, and kept if it is full; and the last record they cover."""
    end = after + CHUNK
    sums, reached = _summed(records, month, after, end if to is None else min(end, to))
    rows = tuple((*key, str(s.quantity), str(s.amount_eur), s.records) for key, s in sums.items())
    if reached == end:
        # Another process may be faster, with the same.
        with suppress(VersionConflict):
            records.put(CostChunk(id=_id(month, after), rows=rows))
    return rows, reached


def _id(month: str, after: int) -> str:
    return f"{month}/{after // CHUNK + 1:06}"


def _summed(records: RecordStore, month: str, after: int, to: int) -> tuple[dict[Key, Sums], int]:
    sums: dict[Key, Sums] = {}
    number = after
    while number < to:
        bodies = _bodies(records, f"usage/{month}", number, min(_BATCH, to - number))
        if not bodies:
            break
        for _, body in bodies:
            found = sums.get(key := _key(body))
            if found is None:
                found = sums[key] = Sums()
            found.add(Decimal(body["quantity"]), Decimal(body["amount_eur"]))
        number = bodies[-1][0]
    return sums, number


def _bodies(records: RecordStore, stream: str, after: int, limit: int) -> Sequence[tuple[int, Mapping[str, Any]]]:
    if isinstance(records, ReadsTexts) and (texts := records.read_texts(stream, after=after, limit=limit)):
        with suppress(ValueError):
            return [(number, from_json(text)) for number, text in texts]
    # A text that does not read as one is told of by `read`.
    return [(stored.number, stored.body) for stored in records.read(stream, after=after, limit=limit)]


def _key(body: Mapping[str, Any]) -> Key:
    return (
        int(body["at"][8:10]),
        body["metric"],
        body["user"],
        body.get("project"),
        body.get("dataset"),
        body.get("product"),
        body.get("workspace"),
    )


def _asked(rows: Iterable[tuple[Any, ...]], asked: CostFilter) -> Iterator[Cell]:
    values = (asked.metric, asked.user, asked.project, asked.dataset, asked.product, asked.workspace)
    wanted = [
        (place, None if value == NOBODY else value) for place, value in enumerate(values, start=1) if value is not None
    ]
    for row in rows:
        if all(row[place] == value for place, value in wanted):
            yield Cell._make((*row[:7], Decimal(row[7]), Decimal(row[8]), row[9]))

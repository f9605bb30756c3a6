"""Costs over time: cells of usage, summed by a key and a period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from atoll.errors import InvalidInput
from atoll.ledger import rollup
from atoll.ledger.months import firsts
from atoll.model.cost import NOBODY, CostFilter, CostLineOverTime, CostPoint, CostSeries, CostStep
from atoll.ports.records import RecordStore

#: Periods told at once; a year of days, or more than eight years of months.
MAX_PERIODS = 400


def series(records: RecordStore, *, by: str, step: CostStep, since: date, until: date, asked: CostFilter) -> CostSeries:
    """Amounts by key for every period from `since` to `until` (days in UTC, both counted), the dearest key first.

    Raises `InvalidInput` when the time is empty or has more than 400 periods.
    """
    if until < since:
        raise InvalidInput("The last day is before the first.", where="to", todo="Exchange them.")
    periods = tuple(_periods(step, since, until))
    if len(periods) > MAX_PERIODS:
        raise InvalidInput(
            f"That would be {len(periods)} periods; {MAX_PERIODS} are told at once.",
            where="from",
            todo="Ask by month, or for less time.",
        )
    sums: dict[str, dict[date, rollup.Sums]] = {}
    for first in firsts(since, until):
        month = f"{first:%Y-%m}"
        # Of a closed month what its report counts, so that both say the same.
        for cell in rollup.cells_of(records, month, asked, to=rollup.frozen_at(records, month)):
            day = first.replace(day=cell.day)
            if since <= day <= until:
                period = day if step is CostStep.DAY else first
                key = str(getattr(cell, by) or NOBODY)
                found = sums.setdefault(key, {}).setdefault(period, rollup.Sums())
                found.add(cell.quantity, cell.amount_eur, cell.records)
    lines = tuple(_line(key, periods, found) for key, found in sums.items())
    total = Decimal(0)
    for line in lines:
        total = rollup.EXACT.add(total, line.total_eur)
    return CostSeries(
        by=by,
        step=step,
        since=since,
        until=until,
        periods=periods,
        lines=tuple(sorted(lines, key=lambda line: (-line.total_eur, line.key))),
        total_eur=total,
    )


def _line(key: str, periods: tuple[date, ...], found: dict[date, rollup.Sums]) -> CostLineOverTime:
    points = []
    total = Decimal(0)
    for period in periods:
        sums = found.get(period) or rollup.Sums()
        total = rollup.EXACT.add(total, sums.amount_eur)
        points.append(CostPoint(period=period, amount_eur=sums.amount_eur, records=sums.records))
    return CostLineOverTime(key=key, points=tuple(points), total_eur=total)


def _periods(step: CostStep, since: date, until: date) -> Iterator[date]:
    if step is CostStep.DAY:
        yield from (since + timedelta(days=n) for n in range((until - since).days + 1))
        return
    yield from firsts(since, until)

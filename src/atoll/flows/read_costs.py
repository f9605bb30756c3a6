"""Costs are read: reports, series over time, single records, exports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.errors import InvalidInput, NotFound
from atoll.flows.rooms import Rooms
from atoll.ledger import cost_export, rollup
from atoll.ledger.months import month_before
from atoll.ledger.series import series
from atoll.model.cost import NOBODY, ClosedMonth, CostFilter, CostMonth, CostSeries, CostStep, UsagePage
from atoll.model.ledger import CostReport, UsageRecord
from atoll.model.person import Caller

#: Records looked at for one page; a page may then hold fewer than asked and still have a cursor.
_LOOKED_AT = 20_000


def report(rooms: Rooms, caller: Caller, month: str | None, by: str, asked: CostFilter) -> CostReport:
    """The costs of a month (UTC, now's if not given) by a key; without `costs:read` those of one's own use."""
    month = month or rooms.clock.now().strftime("%Y-%m")
    return rooms.usage.report(month, by, asked=_narrowed(caller, asked))


def over_time(
    rooms: Rooms, caller: Caller, *, by: str, step: CostStep, since: date, until: date, asked: CostFilter
) -> CostSeries:
    """Costs by a key for each day or month; without `costs:read` those of one's own use. Raises `InvalidInput`."""
    return series(rooms.records, by=by, step=step, since=since, until=until, asked=_narrowed(caller, asked))


def records_page(
    rooms: Rooms, caller: Caller, month: str, asked: CostFilter, *, after: int = 0, limit: int = 100
) -> UsagePage:
    """Single usage records of a month, oldest first; without `costs:read` those of one's own use."""
    asked = _narrowed(caller, asked)
    found: list[UsageRecord] = []
    for looked, (number, record) in enumerate(rooms.usage.numbered(month, after), start=1):
        if _meets(record, asked):
            found.append(record)
        if len(found) == limit or looked == _LOOKED_AT:
            return UsagePage(items=tuple(found), cursor=str(number))
    return UsagePage(items=tuple(found))


def export(
    rooms: Rooms, caller: Caller, month: str, kind: Literal["csv", "focus"], asked: CostFilter
) -> Iterator[bytes]:
    """Every usage record of a month as CSV; without `costs:read` those of one's own use."""
    asked = _narrowed(caller, asked)
    records = (record for record in rooms.usage.records_of(month) if _meets(record, asked))
    return cost_export.own_csv(records) if kind == "csv" else cost_export.focus_csv(records, month)


def list_months(rooms: Rooms, caller: Caller) -> tuple[CostMonth, ...]:
    """The last 24 months, newest first, as far as anything was used."""
    permissions.require(caller, Scope.COSTS_READ)
    month = rooms.clock.now().date().replace(day=1)
    found = []
    for _ in range(24):
        told = _month(rooms, f"{month:%Y-%m}")
        if told.records or told.state == "closed":
            found.append(told)
        month = month_before(month)
    return tuple(found)


def seal_costs(rooms: Rooms) -> int:
    """Keep sums of what was used this month, so that reports are quick; how many runs of records were new."""
    return rollup.seal(rooms.records, rooms.clock.now().strftime("%Y-%m"))


def _month(rooms: Rooms, month: str) -> CostMonth:
    try:
        return CostMonth.closed(rooms.records.get(ClosedMonth, month))
    except NotFound:
        report = rooms.usage.report(month, "metric")
        records = sum(line.records for line in report.lines)
        return CostMonth(month=month, state="open", total_eur=report.total_eur, records=records)


def _narrowed(caller: Caller, asked: CostFilter) -> CostFilter:
    permissions.require(caller, Scope.COSTS_READ_OWN)
    if permissions.has(caller, Scope.COSTS_READ):
        return asked
    if asked.user not in (None, caller.name):
        raise InvalidInput("You see your own costs only.", where="user", todo="Leave the user out.")
    return asked.but(user=caller.name)


def _meets(record: UsageRecord, asked: CostFilter) -> bool:
    return all(value is None or (getattr(record, name) or NOBODY) == value for name, value in asked)

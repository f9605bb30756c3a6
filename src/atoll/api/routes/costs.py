"""Costs: reports, series, records, exports, corrections, closed months."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from fastapi.responses import StreamingResponse

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering, number_in
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import close_month as closing
from atoll.flows import read_costs
from atoll.model.cost import Correction, CostFilter, CostMonth, CostSeries, CostStep, UsagePage
from atoll.model.ledger import CostReport, Metric, UsageRecord

routes = Routes("costs")

_ORDER = Ordering[UsageRecord](
    "at", "metric", "user", "project", "dataset", "product", "workspace", "quantity", "amount_eur", "because"
)

_MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
_Month = Annotated[str | None, Query(pattern=_MONTH, description="Month in UTC, like `2030-01`; left out, this one.")]
_TheMonth = Annotated[str, Query(pattern=_MONTH, description="Month in UTC, like `2030-01`.")]
_By = Annotated[
    Literal["user", "project", "dataset", "metric", "product", "workspace"], Query(description="What to sum by.")
]


def _filter(
    user: Annotated[str | None, Query(max_length=64, description="Of this person or source.")] = None,
    project: Annotated[str | None, Query(max_length=64, description="Of this project; `-`: of none.")] = None,
    dataset: Annotated[str | None, Query(max_length=64, description="Of this dataset; `-`: of none.")] = None,
    product: Annotated[str | None, Query(max_length=100, description="Of this product version; `-`: of none.")] = None,
    workspace: Annotated[str | None, Query(max_length=64, description="Of this workspace; `-`: of none.")] = None,
    metric: Annotated[Metric | None, Query(description="Of this metric.")] = None,
) -> CostFilter:
    return CostFilter(user=user, project=project, dataset=dataset, product=product, workspace=workspace, metric=metric)


_Filter = Annotated[CostFilter, Depends(_filter)]


@routes.get("/costs", scope=Scope.COSTS_READ_OWN)
def report_costs(
    rooms: RoomsHere, caller: CallerHere, asked: _Filter, month: _Month = None, by: _By = "project"
) -> CostReport:
    """Costs of a month: one's own, or all with `costs:read`."""
    return read_costs.report(rooms, caller, month, by, asked)


@routes.get("/costs/series", scope=Scope.COSTS_READ_OWN)
def show_cost_series(
    rooms: RoomsHere,
    caller: CallerHere,
    asked: _Filter,
    by: _By = "project",
    since: Annotated[date | None, Query(alias="from", description="First day, UTC; left out, 30 days ago.")] = None,
    until: Annotated[date | None, Query(alias="to", description="Last day, UTC; left out, today.")] = None,
    step: Annotated[CostStep, Query(description="Length of a period.")] = CostStep.DAY,
) -> CostSeries:
    """Costs over time, the dearest key first: one's own, or all with `costs:read`."""
    last = until or rooms.clock.now().date()
    first = since or last - timedelta(days=30)
    return read_costs.over_time(rooms, caller, by=by, step=step, since=first, until=last, asked=asked)


@routes.get("/costs/records", scope=Scope.COSTS_READ_OWN)
def list_usage_records(
    rooms: RoomsHere,
    caller: CallerHere,
    asked: _Filter,
    month: _TheMonth,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> UsagePage:
    """Single usage records of a month, oldest first; a page may hold few and still have a cursor."""

    def ask(cursor: str | None, limit: int) -> UsagePage:
        return read_costs.records_page(rooms, caller, month, asked, after=number_in(cursor or "0"), limit=limit)

    page = _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)
    return UsagePage(items=page.items, cursor=page.cursor)


@routes.get(
    "/costs/export",
    scope=Scope.COSTS_READ_OWN,
    response_class=StreamingResponse,
    responses={200: {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def export_costs(
    rooms: RoomsHere,
    caller: CallerHere,
    asked: _Filter,
    month: _TheMonth,
    format: Annotated[
        Literal["csv", "focus"], Query(description="Atoll's own columns, or those of FOCUS 1.2.")
    ] = "csv",
) -> StreamingResponse:
    """Every usage record of a month as CSV: one's own, or all with `costs:read`."""
    pieces = read_costs.export(rooms, caller, month, format, asked)
    head = {"Content-Disposition": f'attachment; filename="atoll-{format}-{month}.csv"'}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=head)


@routes.post("/costs/corrections", scope=Scope.COSTS_WRITE, status_code=201)
def correct_usage(rooms: RoomsHere, caller: CallerHere, body: Correction) -> UsageRecord:
    """Put right a usage record, by a record of the difference in this month."""
    return closing.correct(rooms, caller, body)


@routes.get("/costs/months", scope=Scope.COSTS_READ)
def list_cost_months(rooms: RoomsHere, caller: CallerHere) -> Listing[CostMonth]:
    """The last 24 months in which anything was used, newest first, open or closed."""
    return Listing(items=read_costs.list_months(rooms, caller))


@routes.post("/costs/months/{month}/close", scope=Scope.COSTS_WRITE)
def close_cost_month(
    rooms: RoomsHere,
    caller: CallerHere,
    month: Annotated[str, Path(max_length=16, description="Month in UTC, like `2030-01`.")],
) -> CostMonth:
    """Freeze a month that is over: nothing of it changes any more."""
    return closing.close_month(rooms, caller, month)

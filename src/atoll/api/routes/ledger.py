"""Flows, audit and costs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import read_ledger
from atoll.model.ledger import AuditEntry, ChainCheck, CostReport, FlowEvent

routes = Routes("ledger")

_Month = Annotated[
    str | None,
    Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="Month in UTC, like `2030-01`; left out, this one."),
]


@routes.get("/flows", scope=Scope.FLOWS_READ)
def list_flows(
    rooms: RoomsHere,
    caller: CallerHere,
    dataset: Annotated[str, Query(max_length=64, description="The dataset.")],
    limit: Limit = 50,
) -> Listing[FlowEvent]:
    """Where the dataset's rows came from and where they went, as OpenLineage events."""
    return Listing(items=read_ledger.flows_of(rooms, caller, dataset, limit))


@routes.get("/audit", scope=Scope.AUDIT_READ)
def list_audit(
    rooms: RoomsHere,
    caller: CallerHere,
    after: Annotated[int, Query(ge=0, description="Entries numbered above this.")] = 0,
    limit: Limit = 100,
    tail: Annotated[bool, Query(description="The last entries instead.")] = False,
) -> Listing[AuditEntry]:
    """Entries of the audit chain, oldest first; `cursor` is the `after` of the next page."""
    entries = read_ledger.audit(rooms, caller, after, limit, tail=tail)
    more = not tail and len(entries) == limit
    return Listing(items=entries, cursor=str(entries[-1].number) if more else None)


@routes.get("/audit/verification", scope=Scope.AUDIT_READ)
def verify_audit(rooms: RoomsHere, caller: CallerHere) -> ChainCheck:
    """Compute the whole audit chain anew and say whether it holds."""
    return read_ledger.verify_audit(rooms, caller)


@routes.get("/costs", scope=Scope.COSTS_READ_OWN)
def report_costs(
    rooms: RoomsHere,
    caller: CallerHere,
    month: _Month = None,
    by: Annotated[
        Literal["user", "project", "dataset", "metric", "product", "workspace"], Query(description="What to sum by.")
    ] = "project",
) -> CostReport:
    """Costs of a month: one's own, or all with `costs:read`."""
    return read_ledger.costs(rooms, caller, month, by)

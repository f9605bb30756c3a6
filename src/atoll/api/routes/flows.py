"""Where data came from and where it went."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import read_flows
from atoll.model.flow_graph import FlowGraph
from atoll.model.ledger import FlowEvent

routes = Routes("flows")

_Dataset = Annotated[str | None, Query(max_length=64, description="That read or wrote this dataset.")]
_Person = Annotated[str | None, Query(max_length=64, description="That this person caused: login or id.")]
_Since = Annotated[AwareDatetime | None, Query(description="From this time on.")]
_Until = Annotated[AwareDatetime | None, Query(description="Before this time.")]
_Events = Annotated[int, Query(ge=1, le=1000, description="The newest so many events; `more` tells of others.")]


@routes.get("/flows", scope=Scope.FLOWS_READ)
def list_flows(
    rooms: RoomsHere,
    caller: CallerHere,
    dataset: _Dataset = None,
    person: _Person = None,
    since: _Since = None,
    until: _Until = None,
    limit: Limit = 50,
) -> Listing[FlowEvent]:
    """The last OpenLineage events, oldest first: of one's own projects, or all with `grants:read`."""
    found = read_flows.list_flows(rooms, caller, dataset=dataset, person=person, since=since, until=until, limit=limit)
    return Listing(items=found)


@routes.get("/flows/graph", scope=Scope.FLOWS_READ)
def show_flow_graph(
    rooms: RoomsHere,
    caller: CallerHere,
    dataset: _Dataset = None,
    person: _Person = None,
    since: _Since = None,
    until: _Until = None,
    limit: _Events = 200,
) -> FlowGraph:
    """The graph from source to result: of one's own projects, or all with `grants:read`."""
    return read_flows.flow_graph_of(
        rooms, caller, dataset=dataset, person=person, since=since, until=until, limit=limit
    )


@routes.get("/datasets/{name}/lineage", scope=Scope.FLOWS_READ)
def show_lineage(
    rooms: RoomsHere,
    caller: CallerHere,
    name: str,
    since: _Since = None,
    until: _Until = None,
    limit: _Events = 200,
) -> FlowGraph:
    """The graph of one dataset: what came in, and where it went."""
    return read_flows.lineage(rooms, caller, name, since=since, until=until, limit=limit)

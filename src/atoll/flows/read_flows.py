"""Where data came from and where it went: events, and the graph they make."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.errors import InvalidInput, NotFound
from atoll.flows.rooms import Rooms
from atoll.ledger import flow_graph
from atoll.ledger.flow_log import FoundFlows
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.flow_graph import FlowGraph
from atoll.model.grant import Grant
from atoll.model.ledger import FlowEvent
from atoll.model.person import Caller, Person, Project
from atoll.ports.records import every

#: Machines of which what left them is looked for.
_MACHINES = 50


def list_flows(
    rooms: Rooms,
    caller: Caller,
    *,
    dataset: str | None = None,
    person: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
) -> tuple[FlowEvent, ...]:
    """The last events of all that is asked, oldest first.

    Who has not `grants:read` sees those of their own projects, and how data was admitted.
    Raises `NotFound` for an unknown dataset.
    """
    return _found(rooms, caller, dataset, person, since, until, limit).events


def flow_graph_of(
    rooms: Rooms,
    caller: Caller,
    *,
    dataset: str | None = None,
    person: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 200,
) -> FlowGraph:
    """The graph of the last events, `more` when there are older ones. Raises as `list_flows`.

    Of machines that are in it, what they let out by the airlock is in it, too.
    """
    found = _found(rooms, caller, dataset, person, since, until, limit)
    events = list(found.events)
    more = found.more
    if dataset is not None:
        machines = sorted(
            {
                str(event.run["facets"]["atoll_mount"]["workspace"])
                for event in events
                if "atoll_mount" in event.run.get("facets", {})
            }
        )
        more = more or len(machines) > _MACHINES
        for machine in machines[:_MACHINES]:
            out = rooms.flow_log.find(workspace=machine, since=since, until=until, limit=limit)
            events += [event for event in out.events if "atoll_transfer" in event.run.get("facets", {})]
            more = more or out.more
        events.sort(key=lambda event: event.eventTime)
    return flow_graph.graph_of(events, _lookups(rooms), more=more)


def lineage(
    rooms: Rooms,
    caller: Caller,
    dataset: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 200,
) -> FlowGraph:
    """The graph of one dataset. Raises `NotFound`."""
    return flow_graph_of(rooms, caller, dataset=dataset, since=since, until=until, limit=limit)


def index_flows(rooms: Rooms) -> int:
    """Index the events that came since the last time, so that nobody waits for it."""
    return rooms.flow_log.index()


def _found(
    rooms: Rooms,
    caller: Caller,
    dataset: str | None,
    person: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> FoundFlows:
    permissions.require(caller, Scope.FLOWS_READ)
    if dataset is not None:
        rooms.records.get(Dataset, dataset)
    for name, when in (("since", since), ("until", until)):
        if when is not None and when.tzinfo is None:
            raise InvalidInput("The time has no zone.", where=name, todo="Write it like 2030-01-31T12:00:00Z.")
    return rooms.flow_log.find(
        dataset=dataset,
        person=None if person is None else _person_id(rooms, person),
        projects=_own_projects(rooms, caller),
        since=since,
        until=until,
        limit=limit,
    )


def _own_projects(rooms: Rooms, caller: Caller) -> frozenset[str] | None:
    """The projects of which the caller may see flows; None: all."""
    if permissions.has(caller, Scope.GRANTS_READ):
        return None
    return frozenset(p.name for p in every(rooms.records, Project) if permissions.is_member(caller, p))


def _person_id(rooms: Rooms, person: str) -> str:
    """The id of who is named by login or id; what is unknown finds nothing."""
    found = rooms.records.find(Person, where={"login": person}, limit=1).records
    return found[0].id if found else person


def _lookups(rooms: Rooms) -> flow_graph.Lookups:
    @cache
    def versions(delivery: str) -> tuple[DatasetVersion, ...]:
        return rooms.records.find(DatasetVersion, where={"delivery": delivery}, limit=1000).records

    @cache
    def grants(project: str, dataset: str) -> tuple[Grant, ...]:
        return tuple(every(rooms.records, Grant, {"project": project, "dataset": dataset}))

    @cache
    def login(person: str) -> str:
        try:
            return rooms.records.get(Person, person).login
        except NotFound:
            return person

    def version(delivery: str, name: str, snapshot: str) -> int | None:
        table = name.partition(".")[2]
        for made in versions(delivery):
            if any(state.table == table and str(state.snapshot_id) == snapshot for state in made.tables):
                return made.number
        return None

    def grant(project: str, dataset: str, at: datetime) -> str | None:
        held = (one for one in grants(project, dataset) if one.granted_at <= at and _held(one, at))
        return next((one.id for one in held), None)

    return flow_graph.Lookups(version=version, grant=grant, person=login)


def _held(grant: Grant, at: datetime) -> bool:
    return all(end is None or at <= end for end in (grant.revoked_at, grant.expires_at))

"""Flow events as a graph: source, delivery, contract, table version, grant, query, mount, workspace, release."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from atoll.ledger.openlineage import AIRLOCK, LAKE, MACHINES, SOURCES
from atoll.model.flow_graph import FlowEdge, FlowGraph, FlowNode, NodeKind
from atoll.model.ledger import FlowEvent


@dataclass(frozen=True)
class Lookups:
    """What an event does not say by itself.

    Attributes:
        version: number of the dataset version that a delivery made with this snapshot of a table.
        grant: id of the project's grant to a dataset at a time.
        person: what a person is called, by id.
    """

    version: Callable[[str, str, str], int | None]
    grant: Callable[[str, str, datetime], str | None]
    person: Callable[[str], str]


def graph_of(events: Iterable[FlowEvent], lookups: Lookups, *, more: bool) -> FlowGraph:
    """The graph of the events, which come oldest first."""
    drawn = _Drawing(lookups)
    count = 0
    oldest: datetime | None = None
    for event in events:
        oldest = oldest or event.eventTime
        count += 1
        drawn.add(event)
    drawn.join_versions()
    return FlowGraph(
        nodes=tuple(drawn.nodes.values()), edges=tuple(drawn.edges.values()), events=count, more=more, oldest=oldest
    )


@dataclass
class _Drawing:
    lookups: Lookups
    nodes: dict[str, FlowNode] = field(default_factory=dict)
    edges: dict[tuple[str, str, str], FlowEdge] = field(default_factory=dict)
    #: Versions of each table that are drawn.
    versions: dict[str, dict[int, str]] = field(default_factory=dict)

    def add(self, event: FlowEvent) -> None:
        facets: Mapping[str, Any] = event.run.get("facets", {})
        for name, draw in _DRAWN.items():
            if name in facets:
                draw(self, event, facets[name])

    def node(self, kind: NodeKind, id: str, label: str, at: datetime | None, **facts: object) -> str:
        key = f"{kind.value}/{id}"
        known = self.nodes[key].facts if key in self.nodes else {}
        told = {name: value for name, value in facts.items() if value is not None}
        self.nodes[key] = FlowNode(id=key, kind=kind, label=label, at=at, facts={**known, **told})
        return key

    def edge(self, start: str, end: str, kind: str, at: datetime | None) -> None:
        known = self.edges.get((start, end, kind))
        times = 1 if known is None else known.times + 1
        self.edges[start, end, kind] = FlowEdge(from_=start, to=end, kind=kind, at=at, times=times)

    def table(self, name: str, version: int | None, at: datetime | None) -> str:
        """The node of a table at a dataset version (None: not known)."""
        dataset, _, table = name.partition(".")
        id = name if version is None else f"{name}@{version}"
        label = name if version is None else f"{name}, version {version}"
        key = self.node(NodeKind.TABLE, id, label, at, dataset=dataset, table=table, version=version)
        if version is not None:
            self.versions.setdefault(name, {})[version] = key
        return key

    def tables_read(self, event: FlowEvent, versions: Iterable[str]) -> list[tuple[str, str]]:
        """Dataset and node of each table that an event read at these versions."""
        numbers = {dataset: int(number) for dataset, _, number in (v.partition("@") for v in versions)}
        found = []
        for side in event.inputs:
            if side.get("namespace") == LAKE:
                dataset = str(side["name"]).split(".")[0]
                found.append((dataset, self.table(str(side["name"]), numbers.get(dataset), None)))
        return found

    def grants(self, event: FlowEvent, project: str, datasets: Iterable[str], end: str) -> None:
        """Edges from the grants that let it happen."""
        for dataset in sorted(set(datasets)):
            grant = self.lookups.grant(project, dataset, event.eventTime)
            if grant is not None:
                key = self.node(
                    NodeKind.GRANT, grant, f"{project} may read {dataset}", None, project=project, dataset=dataset
                )
                self.edge(key, end, "granted", event.eventTime)

    def join_versions(self) -> None:
        """Each version of a table leads to the next that is drawn: its rows are in it."""
        for drawn in self.versions.values():
            ordered = sorted(drawn)
            for before, after in pairwise(ordered):
                self.edge(drawn[before], drawn[after], "became", None)


def _admission(drawing: _Drawing, event: FlowEvent, facts: Mapping[str, Any]) -> None:
    delivery = str(facts["delivery"])
    at = event.eventTime
    end = drawing.node(
        NodeKind.DELIVERY,
        delivery,
        delivery,
        at,
        rows_in=facts.get("rowsIn"),
        rows_committed=facts.get("rowsCommitted"),
        rows_quarantined=facts.get("rowsQuarantined"),
        failed=event.eventType == "FAIL" or None,
    )
    namespaces = {str(side["namespace"]) for side in event.inputs}
    for namespace in sorted(n for n in namespaces if n.startswith(f"{SOURCES}/")):
        source = namespace.removeprefix(f"{SOURCES}/")
        drawing.edge(drawing.node(NodeKind.SOURCE, source, source, at), end, "delivered", at)
    contract = str(facts["contract"])
    governs = drawing.node(NodeKind.CONTRACT, contract, contract.replace("@", ", contract "), at)
    for side in event.outputs:
        name = str(side["name"])
        snapshot = str(side.get("facets", {}).get("version", {}).get("datasetVersion", ""))
        table = drawing.table(name, drawing.lookups.version(delivery, name, snapshot), at)
        drawing.edge(end, table, "admitted", at)
        drawing.edge(governs, table, "governed", at)


def _query(drawing: _Drawing, event: FlowEvent, facts: Mapping[str, Any]) -> None:
    side = next(iter(event.outputs), {})
    id = str(side.get("name") or event.run["runId"])
    person, project = str(facts["person"]), str(facts["project"])
    rows = side.get("outputFacets", {}).get("outputStatistics", {}).get("rowCount")
    label = f"Query by {drawing.lookups.person(person)}"
    failed = event.eventType == "FAIL" or None
    end = drawing.node(
        NodeKind.QUERY, id, label, event.eventTime, person=person, project=project, rows=rows, failed=failed
    )
    read = drawing.tables_read(event, facts.get("versions", ()))
    for _, table in read:
        drawing.edge(table, end, "read", event.eventTime)
    drawing.grants(event, project, (dataset for dataset, _ in read), end)


def _mount(drawing: _Drawing, event: FlowEvent, facts: Mapping[str, Any]) -> None:
    workspace, project, person = str(facts["workspace"]), str(facts["project"]), str(facts["person"])
    at = event.eventTime
    versions = [str(version) for version in facts.get("versions", ())]
    shown = ", ".join(versions)
    mount = drawing.node(
        NodeKind.MOUNT, f"{workspace}/{shown}", shown.replace("@", ", version "), at, person=person, project=project
    )
    for _, table in drawing.tables_read(event, versions):
        drawing.edge(table, mount, "mounted", at)
    grant = str(facts["grant"])
    dataset = versions[0].partition("@")[0] if versions else ""
    given = drawing.node(NodeKind.GRANT, grant, f"{project} may read {dataset}", None, project=project, dataset=dataset)
    drawing.edge(given, mount, "granted", at)
    drawing.edge(mount, _workspace(drawing, workspace, person, project, at), "mounted", at)


def _transfer(drawing: _Drawing, event: FlowEvent, facts: Mapping[str, Any]) -> None:
    at = event.eventTime
    project, person = str(facts["project"]), str(facts["person"])
    out = facts["direction"] == "out"
    kind = NodeKind.RELEASE if out else NodeKind.INCOMING
    sides = (*event.inputs, *event.outputs)
    lock = next(str(s["name"]) for s in sides if str(s["namespace"]).startswith(f"{AIRLOCK}/"))
    inside = next(str(s["name"]) for s in sides if str(s["namespace"]).startswith(f"{MACHINES}/"))
    label = f"{'Released to' if out else 'Brought in by'} {drawing.lookups.person(person)}"
    passed = drawing.node(kind, lock, label, at, person=person, project=project, size_bytes=facts.get("sizeBytes"))
    place = inside.split("/")[0] if out else "project"
    end = (
        drawing.node(NodeKind.WORKSPACE, f"share/{project}", f"Share of {project}", at, project=project)
        if place == "project"
        else _workspace(drawing, place, None, project, at)
    )
    drawing.edge(end if out else passed, passed if out else end, "released" if out else "placed", at)


def _upkeep(drawing: _Drawing, event: FlowEvent, facts: Mapping[str, Any]) -> None:
    """Both versions of each table; that one became the other is drawn with the rest of them."""
    for sides, number in ((event.inputs, facts["before"]), (event.outputs, facts["after"])):
        for side in sides:
            drawing.table(str(side["name"]), int(number), event.eventTime)


def _workspace(drawing: _Drawing, id: str, person: str | None, project: str, at: datetime) -> str:
    label = id if person is None else f"Machine of {drawing.lookups.person(person)}"
    known = drawing.nodes.get(f"{NodeKind.WORKSPACE.value}/{id}")
    label = known.label if known is not None and person is None else label
    return drawing.node(NodeKind.WORKSPACE, id, label, at, person=person, project=project)


_DRAWN: Mapping[str, Callable[[_Drawing, FlowEvent, Mapping[str, Any]], None]] = {
    "atoll_admission": _admission,
    "atoll_query": _query,
    "atoll_mount": _mount,
    "atoll_transfer": _transfer,
    "atoll_upkeep": _upkeep,
}

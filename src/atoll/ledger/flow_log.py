"""The log of flow events: what data came from where and went where."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atoll.ledger.openlineage import LAKE, MACHINES
from atoll.ledger.stream_index import StreamIndex
from atoll.model.ledger import FlowEvent
from atoll.ports.clock import Clock
from atoll.ports.records import Append, RecordStore

STREAM = "flows"


@dataclass(frozen=True)
class FoundFlows:
    """Events, oldest first, and whether older ones were left out."""

    events: tuple[FlowEvent, ...]
    more: bool


class FlowLog:
    """Keeps flow events, OpenLineage RunEvents, in the order they came."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        """Keep them in the stream `flows` of `records`, and an index of it beside."""
        self._records = records
        self._clock = clock
        self._index = StreamIndex(records, STREAM, _described)

    def append(self, event: FlowEvent) -> Append:
        """The write that adds the event, to join a transaction."""
        return Append(STREAM, (json.loads(event.model_dump_json()),))

    def emit(self, event: FlowEvent) -> None:
        """Add the event by itself."""
        self._records.transact([self.append(event)])

    def index(self) -> int:
        """Index what came since the last time; how many events. Done by every search, too."""
        return self._index.catch_up()

    def of_dataset(self, name: str, limit: int = 50) -> tuple[FlowEvent, ...]:
        """The last `limit` events that read or wrote a table of dataset `name`, oldest first."""
        return self.find(dataset=name, limit=limit).events

    def find(
        self,
        *,
        dataset: str | None = None,
        workspace: str | None = None,
        person: str | None = None,
        projects: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> FoundFlows:
        """The last `limit` events of all that is asked.

        `dataset`: read or wrote a table of it. `workspace`: into or out of the machine.
        `person`: id of who caused it. `projects`: of one of these, or of none.
        `since` is counted in, `until` is not.
        """
        self._index.catch_up()
        numbers: list[int] = []
        more = False
        for entry in self._index.newest_first(_key(dataset, workspace, person)):
            if not _asked(entry, dataset, workspace, person, projects, since, until):
                continue
            if len(numbers) == limit:
                more = True
                break
            numbers.append(int(entry["n"]))
        stored = self._index.load(sorted(numbers))
        return FoundFlows(tuple(FlowEvent.model_validate(one.body) for one in stored), more)


def _key(dataset: str | None, workspace: str | None, person: str | None) -> str | None:
    for kind, id in (("workspace", workspace), ("dataset", dataset), ("person", person)):
        if id is not None:
            return f"{kind}/{id}"
    return None


def _asked(
    entry: Mapping[str, Any],
    dataset: str | None,
    workspace: str | None,
    person: str | None,
    projects: Collection[str] | None,
    since: datetime | None,
    until: datetime | None,
) -> bool:
    at = datetime.fromisoformat(str(entry["at"]))
    return (
        (dataset is None or dataset in entry["datasets"])
        and (workspace is None or workspace in entry["workspaces"])
        and (person is None or entry["person"] == person)
        and (projects is None or entry["project"] is None or entry["project"] in projects)
        and (since is None or at >= since)
        and (until is None or at < until)
    )


def _described(body: Mapping[str, Any]) -> tuple[frozenset[str], dict[str, Any]]:
    """Keys of an event, and what the index keeps of it."""
    sides = [*body.get("inputs", ()), *body.get("outputs", ())]
    datasets = sorted({str(s["name"]).split(".")[0] for s in sides if s.get("namespace") == LAKE})
    machines = (s for s in sides if str(s.get("namespace", "")).startswith(f"{MACHINES}/"))
    workspaces = sorted({str(s["name"]).split("/")[0] for s in machines} - {"", "project"})
    facts: dict[str, Any] = {}
    for name, facet in body.get("run", {}).get("facets", {}).items():
        if name.startswith("atoll_"):
            facts.update(facet)
    person, project = facts.get("person"), facts.get("project")
    keys = {f"dataset/{name}" for name in datasets} | {f"workspace/{id}" for id in workspaces}
    if person is not None:
        keys.add(f"person/{person}")
    kept = {
        "at": body["eventTime"],
        "datasets": datasets,
        "workspaces": workspaces,
        "person": person,
        "project": project,
    }
    return frozenset(keys), kept

"""The log of flow events: what data came from where and went where."""

from __future__ import annotations

import json

from atoll.ledger.openlineage import LAKE
from atoll.model.ledger import FlowEvent
from atoll.ports.clock import Clock
from atoll.ports.records import Append, RecordStore

STREAM = "flows"
BATCH = 1000


class FlowLog:
    """Keeps flow events, OpenLineage RunEvents, in the order they came."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        """Keep them in the stream `flows` of `records`."""
        self._records = records
        self._clock = clock

    def append(self, event: FlowEvent) -> Append:
        """The write that adds the event, to join a transaction."""
        return Append(STREAM, (json.loads(event.model_dump_json()),))

    def emit(self, event: FlowEvent) -> None:
        """Add the event by itself."""
        self._records.transact([self.append(event)])

    def of_dataset(self, name: str, limit: int = 50) -> tuple[FlowEvent, ...]:
        """The last `limit` events that read or wrote a table of dataset `name`, oldest first."""
        last = self._records.tail(STREAM, limit=1)
        before = last[0].number + 1 if last else 1
        newest_first: list[FlowEvent] = []
        while before > 1 and len(newest_first) < limit:
            start = max(0, before - 1 - BATCH)
            batch = self._records.read(STREAM, after=start, limit=before - 1 - start)
            events = (FlowEvent.model_validate(stored.body) for stored in reversed(batch))
            newest_first += [event for event in events if _touches(event, name)]
            before = start + 1
        return tuple(reversed(newest_first[:limit]))


def _touches(event: FlowEvent, dataset: str) -> bool:
    sides = (*event.inputs, *event.outputs)
    return any(s.get("namespace") == LAKE and str(s.get("name", "")).split(".")[0] == dataset for s in sides)

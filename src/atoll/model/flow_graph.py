"""The graph of where data came from and where it went."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from atoll.model.record import Frozen
from atoll.model.said import Sentence


class NodeKind(StrEnum):
    """What a node stands for."""

    SOURCE = "source"
    DELIVERY = "delivery"
    CONTRACT = "contract"
    TABLE = "table"
    GRANT = "grant"
    QUERY = "query"
    MOUNT = "mount"
    WORKSPACE = "workspace"
    RELEASE = "release"
    INCOMING = "incoming"


class FlowNode(Frozen):
    """A thing that data passed. Id `<kind>/<id>`."""

    id: str
    kind: NodeKind
    #: What people call it: `lab`, `trial.visits, version 3`.
    label: Sentence
    #: When data passed it last.
    at: datetime | None = None
    #: Facts, never values: `person`, `project`, `rows`, `version`.
    facts: dict[str, Any] = {}


class FlowEdge(Frozen):
    """That data went from one node to another."""

    model_config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, serialize_by_alias=True, frozen=True, extra="forbid"
    )

    from_: str = Field(alias="from")
    to: str
    #: `delivered`, `admitted`, `governed`, `granted`, `read`, `mounted`, `released`, `placed`.
    kind: str
    #: Last time.
    at: datetime | None = None
    #: How often.
    times: int = 1


class FlowGraph(Frozen):
    """Nodes and edges of the newest events that were asked for."""

    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]
    #: How many events it shows.
    events: int
    #: Whether older events were left out; narrow the time or raise `limit`.
    more: bool
    #: Time of the oldest event shown: ask with `until` this for what came before.
    oldest: datetime | None = None

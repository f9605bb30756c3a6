"""The rooms of one platform, as every story gets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atoll.deid import KeyRing
from atoll.deliveries import Landing, Quarantine
from atoll.lake import Lake
from atoll.ledger import AuditTrail, FlowLog, UsageBook
from atoll.operations import Locks, Operations
from atoll.ports.backend import Backend
from atoll.ports.clock import Clock
from atoll.ports.records import RecordStore
from atoll.query import QueryEngine
from atoll.settings import Settings
from atoll.workspaces.catalog import Catalog


@dataclass(frozen=True)
class Rooms:
    """Everything a story works with. Made by `wiring`, closed by it."""

    settings: Settings
    clock: Clock
    records: RecordStore
    audit: AuditTrail
    flow_log: FlowLog
    usage: UsageBook
    operations: Operations
    locks: Locks
    landing: Landing
    quarantine: Quarantine
    keyring: KeyRing
    lake: Lake
    engine: QueryEngine
    catalog: Catalog
    #: Where machines run, by name; the first is taken where several would do.
    backends: Mapping[str, Backend]

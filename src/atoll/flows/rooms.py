"""The rooms of one platform, as every story gets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from atoll.access.sign_on import LOCAL_ONLY, SignOn
from atoll.airlock import Vault
from atoll.deid import KeyRing
from atoll.deliveries import Landing, Quarantine
from atoll.lake import Lake
from atoll.ledger import AuditTrail, FlowLog, UsageBook
from atoll.operations import DutyBoard, Locks, Operations
from atoll.ports.backend import Backend
from atoll.ports.clock import Clock
from atoll.ports.executor import Executor
from atoll.ports.records import RecordStore
from atoll.ports.repositories import RepositoryBackups, RepositoryHost
from atoll.query import KeptResults, QueryEngine
from atoll.settings import Settings
from atoll.workspaces.catalog import Catalog
from atoll.workspaces.project_shares import ProjectShares


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
    #: Results of queued queries, for a while.
    results: KeptResults
    catalog: Catalog
    #: A directory for each project, which its machines see at `/project`.
    shares: ProjectShares
    #: Git repositories of projects, and the generations of their backups.
    repositories: RepositoryHost
    repository_backups: RepositoryBackups
    #: Files that ask to leave or enter a project, encrypted.
    airlock: Vault
    #: Where machines run, by name; the first is taken where several would do.
    backends: Mapping[str, Backend]
    #: What signing on stands on beside the accounts on record.
    sign_on: SignOn = LOCAL_ONLY
    #: Where admissions are carried out; None: in this process.
    executor: Executor | None = None
    #: How the housekeeping of this process stands.
    duties: DutyBoard = field(default_factory=DutyBoard)

"""Flows, audit and costs are read; reading the audit is itself on record."""

from __future__ import annotations

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset
from atoll.model.ledger import AuditEntry, AuditEvent, ChainCheck, CostReport, FlowEvent
from atoll.model.person import Caller


def flows_of(rooms: Rooms, caller: Caller, dataset: str, limit: int = 50) -> tuple[FlowEvent, ...]:
    """The last events that read or wrote the dataset, oldest first. Raises `NotFound`."""
    rooms.records.get(Dataset, dataset)
    return rooms.flow_log.of_dataset(dataset, limit)


def audit(
    rooms: Rooms, caller: Caller, after: int | None = None, limit: int = 100, *, tail: bool = False
) -> tuple[AuditEntry, ...]:
    """Audit entries: the last ones, or those numbered above `after`."""
    if tail or after is None:
        return rooms.audit.tail(limit)
    return rooms.audit.read(after, limit)


def verify_audit(rooms: Rooms, caller: Caller) -> ChainCheck:
    """Whether the chain of audit entries holds from its first to its last; that it was asked is recorded."""
    check = rooms.audit.verify()
    rooms.audit.record(
        AuditEvent(
            action="audit.verify",
            target="audit",
            caller=caller,
            details={"entries": check.entries, "intact": check.intact},
        )
    )
    return check


def costs(rooms: Rooms, caller: Caller, month: str | None = None, by: str = "user") -> CostReport:
    """The costs of a month (UTC, now's if not given) by a key.

    A person without `costs:read` sees the lines of their own use only.
    """
    month = month or rooms.clock.now().strftime("%Y-%m")
    everybody = permissions.has(caller, Scope.COSTS_READ)
    return rooms.usage.report(month, by, user=None if everybody else caller.name)

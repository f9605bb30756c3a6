"""The audit chain is read, verified and exported; that it was verified or exported is itself on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.flows.rooms import Rooms
from atoll.flows.sign_audit import checkpoints
from atoll.model.ledger import AuditCheckpoint, AuditEntry, AuditEvent, ChainCheck
from atoll.model.person import Caller
from atoll.model.record import Frozen

#: Entries looked at for one page; a page may then hold fewer than asked and still have a cursor.
LOOKED_AT = 50_000
_BATCH = 1000


class AuditFilter(Frozen):
    """Of which entries; what is None is not asked."""

    #: Login or id of who did it.
    person: str | None = None
    #: `grant.add`, or `grant.` for all of the noun.
    action: str | None = None
    #: What it was done to, or how that begins: `grant/grt_...`, `grant/`.
    target: str | None = None
    #: Whether it was let, or refused.
    allowed: bool | None = None
    #: Counted in.
    since: datetime | None = None
    #: Not counted in.
    until: datetime | None = None

    def meets(self, entry: AuditEntry) -> bool:
        """Whether the entry is asked for; times aside."""
        event = entry.event
        return (
            self.person in (None, event.caller.name, event.caller.subject_id)
            and (self.action is None or event.action == self.action or _begins(event.action, self.action, "."))
            and (self.target is None or event.target == self.target or _begins(event.target, self.target, "/"))
            and self.allowed in (None, event.allowed)
        )


@dataclass(frozen=True)
class AuditPage:
    """Entries, and the number from which to go on (None: nothing more)."""

    entries: tuple[AuditEntry, ...]
    cursor: int | None


def audit(
    rooms: Rooms, caller: Caller, after: int | None = None, limit: int = 100, *, tail: bool = False
) -> tuple[AuditEntry, ...]:
    """Audit entries: the last ones, or those numbered above `after`."""
    if tail or after is None:
        return rooms.audit.tail(limit)
    return rooms.audit.read(after, limit)


def find_audit(
    rooms: Rooms,
    caller: Caller,
    asked: AuditFilter,
    *,
    cursor: int | None = None,
    newest_first: bool = False,
    limit: int = 100,
) -> AuditPage:
    """Entries of all that is asked. At most 50,000 are looked at: a page may hold few and still have a cursor."""
    permissions.require(caller, Scope.AUDIT_READ)
    low = 0 if asked.since is None else rooms.audit.number_before(asked.since)
    high = rooms.audit.end() if asked.until is None else rooms.audit.number_before(asked.until)
    if newest_first:
        return _backwards(rooms, asked, low, high if cursor is None else min(high, cursor - 1), limit)
    return _forwards(rooms, asked, max(low, cursor or 0), high, limit)


def verify_audit(rooms: Rooms, caller: Caller) -> ChainCheck:
    """Whether the chain of audit entries holds from its first to its last and agrees with its signed
    checkpoints; that it was asked is recorded.
    """
    check = rooms.audit.verify(checkpoints(rooms))
    rooms.audit.record(
        AuditEvent(
            action="audit.verify",
            target="audit",
            caller=caller,
            details={"entries": check.entries, "intact": check.intact, "checkpoints": check.checkpoints},
        )
    )
    return check


def list_checkpoints(rooms: Rooms, caller: Caller) -> tuple[AuditCheckpoint, ...]:
    """The signed checkpoints, oldest first."""
    permissions.require(caller, Scope.AUDIT_READ)
    return tuple(checkpoint for checkpoint, _ in checkpoints(rooms))


def export_audit(rooms: Rooms, caller: Caller, after: int = 0) -> Iterator[bytes]:
    """Entries numbered above `after` as they are chained, one JSON object a line; that it was asked is recorded."""
    permissions.require(caller, Scope.AUDIT_READ)
    end = rooms.audit.end()
    event = AuditEvent(action="audit.export", target="audit", caller=caller, details={"after": after, "to": end})
    rooms.audit.record(event)
    return rooms.audit.lines(after, end)


def _forwards(rooms: Rooms, asked: AuditFilter, after: int, to: int, limit: int) -> AuditPage:
    found: list[AuditEntry] = []
    stop = min(to, after + LOOKED_AT)
    while after < stop:
        for entry in rooms.audit.read(after, min(_BATCH, stop - after)):
            after = entry.number
            if asked.meets(entry):
                found.append(entry)
                if len(found) == limit:
                    return AuditPage(tuple(found), after if after < to else None)
    return AuditPage(tuple(found), after if after < to else None)


def _backwards(rooms: Rooms, asked: AuditFilter, low: int, high: int, limit: int) -> AuditPage:
    found: list[AuditEntry] = []
    stop = max(low, high - LOOKED_AT)
    while high > stop:
        start = max(stop, high - _BATCH)
        for entry in reversed(rooms.audit.read(start, high - start)):
            if asked.meets(entry):
                found.append(entry)
                if len(found) == limit:
                    return AuditPage(tuple(found), entry.number if entry.number - 1 > low else None)
        high = start
    return AuditPage(tuple(found), high + 1 if high > low else None)


def _begins(text: str, asked: str, mark: str) -> bool:
    return asked.endswith(mark) and text.startswith(asked)

"""Machines rest when their owner may use them no more: left, deactivated, no longer of the project, or lapsed."""

from __future__ import annotations

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import NotFound, VersionConflict
from atoll.flows.callers import caller_now
from atoll.flows.rooms import Rooms
from atoll.flows.write_workspace import wanting
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM, Person
from atoll.model.workspace import Desired, HibernateKind, Workspace
from atoll.ports.records import Put, every


def rest_machines(rooms: Rooms) -> int:
    """Hibernate every running machine whose owner may use it no more; how many."""
    standing = list(every(rooms.records, Workspace, {"standing": "standing"}))
    return sum(_rest(rooms, one) for one in standing if one.desired is Desired.RUNNING)


def rest_machines_of(rooms: Rooms, person: Person) -> int:
    """The same for the machines of one person."""
    standing = list(every(rooms.records, Workspace, {"owner": person.id, "standing": "standing"}))
    return sum(_rest(rooms, one) for one in standing if one.desired is Desired.RUNNING)


def _rest(rooms: Rooms, workspace: Workspace) -> int:
    reason = _reason(rooms, workspace)
    if reason is None:
        return 0
    backend = rooms.backends.get(workspace.backend)
    keeps = backend is None or backend.capabilities.hibernate is not HibernateKind.NONE
    changed = wanting(workspace, Desired.HIBERNATED if keeps else Desired.STOPPED, reason)
    event = AuditEvent(
        action="workspace.hibernate" if keeps else "workspace.stop",
        target=f"workspace/{workspace.id}",
        caller=PLATFORM,
        because=f"person/{workspace.owner}",
        details={"reason": reason},
    )
    try:
        rooms.audit.record(event, Put(changed))
    except VersionConflict:
        # Somebody changed it in between; the next pass looks anew.
        return 0
    return 1


def _reason(rooms: Rooms, workspace: Workspace) -> str | None:
    """Why the owner may use the machine no more, None when they may."""
    try:
        owner = rooms.records.get(Person, workspace.owner)
        project = project_by_name(rooms.records, workspace.project)
    except NotFound:
        return "Its owner is gone."
    caller = caller_now(rooms, owner)
    if not owner.active:
        return "Its owner has left." if owner.left_at else "Its owner is deactivated."
    if not permissions.is_member(caller, project):
        return "Its owner is no longer a member of the project."
    if caller.lapsed:
        return f"Data is closed to its owner: {' '.join(caller.lapsed)}"
    return None

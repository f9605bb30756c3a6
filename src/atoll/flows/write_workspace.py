"""One way to change a workspace on record: read, decide, write with the audit, again when somebody wrote between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import Conflict, NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Project
from atoll.model.workspace import Desired, Workspace
from atoll.ports.records import Put
from atoll.workspaces.gate import pass_through, stand_at

#: Pollers write what they see; a change that people ask for finds its place between.
_TRIES = 50

Permission = Callable[[Caller, Workspace, Project], None]
#: The workspace as it is to be; the same one when there is nothing to change.
Change = Callable[[Workspace, Project], Workspace]


def find_workspace(rooms: Rooms, workspace_id: str) -> tuple[Workspace, Project]:
    """The workspace with its project, without asking who wants it. Raises `NotFound`."""
    try:
        workspace = rooms.records.get(Workspace, workspace_id)
    except NotFound:
        raise permissions.not_found("workspace", workspace_id) from None
    return workspace, project_by_name(rooms.records, workspace.project)


def write_workspace(
    rooms: Rooms,
    caller: Caller,
    workspace_id: str,
    *,
    action: str,
    may: Permission,
    change: Change,
    details: Mapping[str, Any] | None = None,
    takes_room: bool = False,
) -> Workspace:
    """Apply `change` once `may` lets the caller, and give the workspace as it is then.

    With `takes_room` the gate of launches is passed, so that `change` may reckon with
    quotas. Raises `NotFound`, and what `may` and `change` raise.
    """
    for _ in range(_TRIES):
        gate = stand_at(rooms.records) if takes_room else None
        workspace, project = find_workspace(rooms, workspace_id)
        may(caller, workspace, project)
        changed = change(workspace, project)
        if changed == workspace:
            return workspace
        event = AuditEvent(
            action=action,
            target=f"workspace/{workspace_id}",
            caller=caller,
            details={"owner": workspace.owner_login, "project": workspace.project, **(details or {})},
        )
        try:
            rooms.audit.record(event, Put(changed), *([] if gate is None else [pass_through(gate)]))
        except VersionConflict:
            continue
        rooms.operations.wished.set()
        return rooms.records.get(Workspace, workspace_id)
    raise VersionConflict(
        "The workspace is written to without end.", where=f"workspace/{workspace_id}", todo="Try again."
    )


def wanting(workspace: Workspace, desired: Desired, because: str) -> Workspace:
    """The workspace wanted so, a new generation."""
    return workspace.but(desired=desired, desired_because=because, generation=workspace.generation + 1)


def still_standing(workspace: Workspace) -> None:
    """Raise `Conflict` when the workspace is terminated, or is to be."""
    if workspace.desired is Desired.TERMINATED or workspace.terminated_at is not None:
        raise Conflict(
            "The workspace is terminated.",
            where=f"workspace/{workspace.id}",
            todo="Launch another: `atoll workspace create`.",
        )


def not_queued(workspace: Workspace) -> None:
    """Raise `Conflict` when the workspace waits for room, so that nothing is made of it yet."""
    if workspace.queued:
        raise Conflict(
            "The workspace waits for room; there is no machine yet.",
            where=f"workspace/{workspace.id}",
            todo="Wait for its turn, or terminate it and launch another.",
        )

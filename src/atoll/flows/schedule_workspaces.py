"""Workspaces start with their hours, and at the end of their life they are warned of, rest and go."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime

from atoll.access import permissions
from atoll.errors import AtollError, Conflict, NotFound, NotPermitted, VersionConflict
from atoll.flows.change_workspace import wake
from atoll.flows.rooms import Rooms
from atoll.flows.workspace_owner import owner_of
from atoll.flows.write_workspace import find_workspace, still_standing, wanting
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM, Caller
from atoll.model.schedule import WeeklyHours, WorkspaceSchedule
from atoll.model.workspace import Desired, HibernateKind, LifetimeRule, ProductVersion, Workspace
from atoll.ports.records import Put, every
from atoll.workspaces.reasons import WISH
from atoll.workspaces.schedule import Stage, ends_at, last_start, stage

log = logging.getLogger(__name__)


def set_hours(rooms: Rooms, caller: Caller, workspace_id: str, hours: WeeklyHours | None) -> WorkspaceSchedule:
    """Set the weekly hours of a workspace, or take them away.

    When hours begin it is woken; outside them it rests as soon as nothing was done for a
    few minutes, and a running cell keeps it alive. Raises `NotFound`, `NotPermitted`,
    `Conflict` when it is terminated.
    """
    workspace, project = find_workspace(rooms, workspace_id)
    permissions.run_workspace(caller, workspace, project)
    still_standing(workspace)
    # Hours that go on already wake nothing: it is as its owner left it.
    started_for = last_start(hours, rooms.clock.now()) if hours else None
    schedule = _schedule(rooms, workspace_id).but(hours=hours, started_for=started_for)
    event = AuditEvent(
        action="workspace.hours",
        target=f"workspace/{workspace_id}",
        caller=caller,
        details={"hours": None if hours is None else hours.model_dump(mode="json")},
    )
    rooms.audit.record(event, Put(schedule))
    return rooms.records.get(WorkspaceSchedule, workspace_id)


def show_hours(rooms: Rooms, caller: Caller, workspace_id: str) -> WeeklyHours | None:
    """The weekly hours, None when it has none. Raises `NotFound`."""
    workspace, project = find_workspace(rooms, workspace_id)
    permissions.see_workspace(caller, workspace, project)
    return _schedule(rooms, workspace_id).hours


def schedule_workspaces(rooms: Rooms) -> int:
    """Act on hours and ends of life that have come; how many acts.

    An owner is warned as many days before the end as the product says. At the end the
    workspace rests, and as many days later, a day at least, it is terminated; until then
    it can be extended. The error of one workspace stops no other.
    """
    count = 0
    for workspace in list(_standing(rooms)):
        try:
            count += _live(rooms, workspace) or _start(rooms, workspace)
        except VersionConflict:
            continue
        except AtollError as error:
            facts = {"workspace": workspace.id, "error_code": error.code}
            log.warning("A schedule could not be kept now.", extra={"fields": facts})
    return count


def _live(rooms: Rooms, workspace: Workspace) -> int:
    now, rule = rooms.clock.now(), _lifetime(rooms, workspace)
    found = stage(workspace.expires_at, rule, now)
    done = _schedule(rooms, workspace.id)
    until = f"{ends_at(workspace.expires_at, rule):%Y-%m-%d %H:%M} UTC"
    if found is Stage.WARNED and done.warned_of != workspace.expires_at:
        details = {"expires_at": workspace.expires_at.isoformat(), "owner": workspace.owner_login}
        _record(rooms, workspace, "workspace.warn", details, Put(done.but(warned_of=workspace.expires_at)))
        return 1
    if found is Stage.EXPIRED and done.rested_for != workspace.expires_at:
        reason = WISH.say("expired", day=f"{workspace.expires_at:%Y-%m-%d}", until=until)
        mark = Put(done.but(rested_for=workspace.expires_at))
        if workspace.desired is Desired.RUNNING:
            rested = wanting(workspace, _rest(rooms, workspace), reason)
            _record(rooms, workspace, "workspace.expire", {"reason": reason}, mark, Put(rested))
        else:
            _record(rooms, workspace, "workspace.expire", {"reason": reason}, mark)
        return 1
    if found is Stage.OVER:
        reason = WISH.say("over", day=f"{workspace.expires_at:%Y-%m-%d}")
        gone = wanting(workspace, Desired.TERMINATED, reason)
        _record(rooms, workspace, "workspace.terminate", {"reason": reason}, Put(gone))
        return 1
    return 0


def _start(rooms: Rooms, workspace: Workspace) -> int:
    done = _schedule(rooms, workspace.id)
    now = rooms.clock.now()
    begun: datetime | None = last_start(done.hours, now) if done.hours else None
    if begun is None or (done.started_for is not None and begun <= done.started_for):
        return 0
    try:
        if workspace.desired is not Desired.RUNNING and workspace.expires_at > now:
            # As its owner, under the owner's rights and quotas; a full one is tried again.
            wake(rooms, owner_of(rooms, workspace), workspace.id)
    except (NotFound, NotPermitted, Conflict) as error:
        if isinstance(error, VersionConflict):
            raise
        details = {"hours": begun.isoformat(), "error_code": error.code}
        _record(rooms, workspace, "workspace.start", details, Put(done.but(started_for=begun)), allowed=False)
        return 0
    _record(rooms, workspace, "workspace.start", {"hours": begun.isoformat()}, Put(done.but(started_for=begun)))
    return 1


def _record(
    rooms: Rooms, workspace: Workspace, action: str, details: Mapping[str, object], *writes: Put, allowed: bool = True
) -> None:
    event = AuditEvent(
        action=action,
        target=f"workspace/{workspace.id}",
        caller=PLATFORM,
        allowed=allowed,
        because="schedule",
        details=dict(details),
    )
    rooms.audit.record(event, *writes)


def _rest(rooms: Rooms, workspace: Workspace) -> Desired:
    backend = rooms.backends.get(workspace.backend)
    keeps = backend is None or backend.capabilities.hibernate is not HibernateKind.NONE
    return Desired.HIBERNATED if keeps else Desired.STOPPED


def _lifetime(rooms: Rooms, workspace: Workspace) -> LifetimeRule:
    return rooms.records.get(ProductVersion, workspace.product).product.lifetime


def _schedule(rooms: Rooms, workspace_id: str) -> WorkspaceSchedule:
    try:
        return rooms.records.get(WorkspaceSchedule, workspace_id)
    except NotFound:
        return WorkspaceSchedule(id=workspace_id)


def _standing(rooms: Rooms) -> Iterator[Workspace]:
    found = every(rooms.records, Workspace, {"standing": "standing"})
    return (one for one in found if one.desired is not Desired.TERMINATED)

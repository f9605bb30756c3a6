"""Launches that wait for room: their places, and that they start by themselves when it comes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import AtollError, BudgetExceeded, LimitExceeded, NotFound, NotPermitted, VersionConflict
from atoll.flows.hold_quota import room_quotas, standing_workspaces
from atoll.flows.rooms import Rooms
from atoll.flows.watch_budgets import check_launch
from atoll.flows.workspace_owner import owner_of
from atoll.flows.write_workspace import wanting
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.workspace import Desired, ProductState, ProductVersion, Size, Workspace
from atoll.ports.records import Put, every
from atoll.workspaces import quotas
from atoll.workspaces.gate import pass_through, stand_at
from atoll.workspaces.queue import Place, Waiting, line_up
from atoll.workspaces.quotas import Amount, Quota
from atoll.workspaces.reasons import WISH

log = logging.getLogger(__name__)


def admit_queued(rooms: Rooms) -> int:
    """Start whatever waits and has room now, in its order; how many.

    One whose owner may not launch it any more is ended. The gate of launches is passed
    for each, so that no launch takes the same place.
    """
    count = 0
    passed_over: set[str] = set()
    while next(_queued(rooms), None) is not None:
        gate = stand_at(rooms.records)
        found = {one.id: one for one in _queued(rooms)}
        first = next((p for p in places(rooms) if p.starts and p.id in found and p.id not in passed_over), None)
        if first is None:
            return count
        workspace = found[first.id]
        passed_over.add(first.id)
        try:
            ended = _may_no_longer(rooms, workspace)
            changed = wanting(workspace, Desired.TERMINATED, ended) if ended else _admitted(rooms, workspace)
            event = AuditEvent(
                action="workspace.terminate" if ended else "workspace.admit",
                target=f"workspace/{workspace.id}",
                caller=PLATFORM,
                because=changed.desired_because,
            )
            rooms.audit.record(event, Put(changed), pass_through(gate))
        except VersionConflict:
            # Somebody launched or changed something in between; the next pass looks anew.
            return count
        except AtollError as error:
            facts = {"workspace": workspace.id, "error_code": error.code}
            log.warning("A workspace that waits could not be started now.", extra={"fields": facts})
            continue
        count += not ended
    return count


def places(rooms: Rooms) -> tuple[Place, ...]:
    """The places of all that wait, in their order."""
    standing = standing_workspaces(rooms)
    return line_up(_waiting(rooms, workspace, standing) for workspace in _in_order(standing))


def room_or_queue(
    rooms: Rooms, size: Size, standing: Sequence[Workspace], *, owner: str, owner_login: str, project: str, queue: bool
) -> str:
    """Why a new machine of the size has to wait; empty when it may start at once.

    Raises `LimitExceeded` when it is not to wait (`queue`) and would have to, and
    when it could never start, however long it waits.
    """
    held = room_quotas(rooms, standing, owner=owner, owner_login=owner_login, project=project)
    asked = Amount.of(size)
    if not queue:
        quotas.check(asked, held)
    quotas.check(asked, [replace(quota, taken=Amount()) for quota in held])
    line = [_waiting(rooms, workspace, standing) for workspace in _in_order(standing)]
    mine = line_up([*line, Waiting("", asked, held)])[-1]
    if not mine.starts and not queue:
        raise LimitExceeded(
            mine.reason,
            where=f"project/{project}",
            todo="Launch it with --queue (`queue` by API) and it starts when its turn has come.",
        )
    return mine.reason


def _waiting(rooms: Rooms, workspace: Workspace, standing: Sequence[Workspace]) -> Waiting:
    held = room_quotas(
        rooms,
        [other for other in standing if other.id != workspace.id],
        owner=workspace.owner,
        owner_login=workspace.owner_login,
        project=workspace.project,
    )
    return Waiting(workspace.id, _amount(rooms, workspace), held, _barred(rooms, workspace, held))


def _amount(rooms: Rooms, workspace: Workspace) -> Amount:
    try:
        return Amount.of(rooms.catalog.size(workspace.size))
    except NotFound:
        return Amount()


def _barred(rooms: Rooms, workspace: Workspace, held: Sequence[Quota]) -> str:
    """What room alone does not mend: a budget that is used up, a quota that was lowered below it."""
    try:
        check_launch(rooms, user=workspace.owner_login, project=workspace.project)
        quotas.check(_amount(rooms, workspace), [replace(quota, taken=Amount()) for quota in held])
    except (BudgetExceeded, LimitExceeded) as error:
        return error.what
    return ""


def _admitted(rooms: Rooms, workspace: Workspace) -> Workspace:
    days = rooms.records.get(ProductVersion, workspace.product).product.lifetime.days
    because = WISH.say("admitted", who=workspace.owner_login)
    return wanting(workspace, Desired.RUNNING, because).but(expires_at=rooms.clock.now() + timedelta(days=days))


def _may_no_longer(rooms: Rooms, workspace: Workspace) -> str:
    """Why it is not launched any more; empty when it is."""
    try:
        permissions.launch_under(owner_of(rooms, workspace), project_by_name(rooms.records, workspace.project))
        state = rooms.records.get(ProductVersion, workspace.product).state
    except (NotFound, NotPermitted):
        return WISH.say("may_no_longer")
    return WISH.say("retired", product=workspace.product) if state is ProductState.RETIRED else ""


def _queued(rooms: Rooms) -> Iterator[Workspace]:
    return every(rooms.records, Workspace, {"queue": "queued"})


def _in_order(standing: Sequence[Workspace]) -> list[Workspace]:
    return sorted((one for one in standing if one.queued), key=lambda one: (one.queued_at or one.created_at, one.id))

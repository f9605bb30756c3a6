"""A person wants a workspace otherwise: stopped, hibernated, awake, of another size, longer, gone.

Only what is wanted is written; a reconciler makes it true. Each gives the workspace
as it is on record then; what is so already changes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from atoll.access import permissions
from atoll.errors import Conflict, InvalidInput
from atoll.flows.hold_quota import check_room, standing_workspaces
from atoll.flows.rooms import Rooms
from atoll.flows.watch_budgets import check_launch
from atoll.flows.write_workspace import not_queued, still_standing, wanting, write_workspace
from atoll.model.person import Caller, Project
from atoll.model.workspace import Desired, HibernateKind, MachineState, Product, Workspace
from atoll.workspaces import prices
from atoll.workspaces.reasons import WISH

_DOWN = (MachineState.STOPPED, MachineState.ABSENT)


def stop(rooms: Rooms, caller: Caller, workspace_id: str) -> Workspace:
    """End its processes; the home stays. Raises `NotFound`, `NotPermitted`, `Conflict` when terminated."""

    def change(workspace: Workspace, _: Project) -> Workspace:
        still_standing(workspace)
        if workspace.desired is Desired.STOPPED:
            return workspace
        return wanting(workspace, Desired.STOPPED, _asked_by(caller))

    return write_workspace(
        rooms, caller, workspace_id, action="workspace.stop", may=permissions.end_workspace, change=change
    )


def hibernate(rooms: Rooms, caller: Caller, workspace_id: str) -> Workspace:
    """Have it stand still with its state kept. Where its backend cannot, it is stopped if its product says so.

    Raises `NotFound`, `NotPermitted`, `Conflict` when it does not run or cannot.
    """

    def change(workspace: Workspace, _: Project) -> Workspace:
        still_standing(workspace)
        if workspace.desired is Desired.HIBERNATED:
            return workspace
        if workspace.desired is Desired.STOPPED:
            raise Conflict(
                "The workspace is stopped, so there is no state to keep.",
                where=f"workspace/{workspace_id}",
                todo="Start it first: `atoll workspace wake`.",
            )
        not_queued(workspace)
        backend = rooms.backends.get(workspace.backend)
        if backend is None or backend.capabilities.hibernate is not HibernateKind.NONE:
            return wanting(workspace, Desired.HIBERNATED, _asked_by(caller))
        if _product(rooms, workspace).fallback.get("hibernate") == "stop":
            because = WISH.say("stopped_instead", who=caller.name, backend=workspace.backend)
            return wanting(workspace, Desired.STOPPED, because)
        raise Conflict(
            f"Machines of {workspace.backend} cannot hibernate.",
            where=f"workspace/{workspace_id}",
            todo="Stop it instead.",
        )

    return write_workspace(
        rooms, caller, workspace_id, action="workspace.hibernate", may=permissions.change_workspace, change=change
    )


def wake(rooms: Rooms, caller: Caller, workspace_id: str) -> Workspace:
    """Have it run again, from hibernation or from its start.

    Raises `NotFound`, `NotPermitted`, `Conflict` when terminated or expired, `LimitExceeded` when a
    quota is full, `BudgetExceeded`.
    """

    def change(workspace: Workspace, _: Project) -> Workspace:
        still_standing(workspace)
        # A machine that ended, or could not be started, is wanted anew; one on its way is not.
        if workspace.desired is Desired.RUNNING and not _has_ended(rooms, workspace):
            return workspace
        if workspace.expires_at <= rooms.clock.now():
            raise Conflict(
                "The workspace has expired.",
                where=f"workspace/{workspace_id}",
                todo="Extend it: `atoll workspace extend`.",
            )
        check_launch(rooms, user=workspace.owner_login, project=workspace.project)
        _check_room(rooms, workspace, workspace.size)
        return wanting(workspace, Desired.RUNNING, _asked_by(caller))

    return write_workspace(
        rooms,
        caller,
        workspace_id,
        action="workspace.wake",
        may=permissions.run_workspace,
        change=change,
        takes_room=True,
    )


def resize(
    rooms: Rooms, caller: Caller, workspace_id: str, size_name: str, confirm_eur_per_hour: Decimal | None
) -> Workspace:
    """Give it another size of its product, at the price in force.

    Raises `NotFound`, `NotPermitted`, `InvalidInput` for a size its product does not have,
    `LimitExceeded`, and `Conflict` for a price that was not confirmed or a machine that
    must be stopped first.
    """

    def change(workspace: Workspace, _: Project) -> Workspace:
        still_standing(workspace)
        allowed = _product(rooms, workspace).sizes
        if size_name not in allowed:
            raise InvalidInput(
                "The product is not launched in this size.",
                where=f"size {size_name}",
                todo=f"Choose among: {', '.join(allowed)}.",
            )
        size = rooms.catalog.size(size_name)
        prices.confirm(size, confirm_eur_per_hour)
        if workspace.size == size_name:
            return workspace
        not_queued(workspace)
        _resizable(rooms, workspace)
        if workspace.desired is not Desired.STOPPED:
            _check_room(rooms, workspace, size_name)
        return workspace.but(
            size=size_name,
            eur_per_hour=size.eur_per_hour,
            size_before=workspace.size,
            eur_per_hour_before=workspace.eur_per_hour,
            generation=workspace.generation + 1,
            desired_because=WISH.say("resized", size=size_name, who=caller.name),
        )

    return write_workspace(
        rooms,
        caller,
        workspace_id,
        action="workspace.resize",
        may=permissions.run_workspace,
        change=change,
        details={"size": size_name, "eur_per_hour": str(confirm_eur_per_hour)},
        takes_room=True,
    )


def extend(rooms: Rooms, caller: Caller, workspace_id: str, days: int | None = None) -> Workspace:
    """Let it stand until so many days from now; None: as many as its product gives.

    Raises `NotFound`, `NotPermitted`, `InvalidInput` for more days than that, `Conflict` when it
    stands as long already or its product gives none.
    """

    def change(workspace: Workspace, _: Project) -> Workspace:
        still_standing(workspace)
        most = _product(rooms, workspace).lifetime.extend_days
        if most == 0:
            raise Conflict(
                "Workspaces of this product are not extended.",
                where=f"workspace/{workspace_id}",
                todo="Launch another.",
            )
        if days is not None and not 1 <= days <= most:
            raise InvalidInput(f"It is extended by 1 to {most} days from now.", where="days", todo=f"Ask for {most}.")
        until = rooms.clock.now() + timedelta(days=most if days is None else days)
        if until <= workspace.expires_at:
            raise Conflict(
                f"It stands until {workspace.expires_at:%Y-%m-%d} already, which is as long.",
                where=f"workspace/{workspace_id}",
                todo="Extend it later.",
            )
        return workspace.but(expires_at=until)

    return write_workspace(
        rooms, caller, workspace_id, action="workspace.extend", may=permissions.run_workspace, change=change
    )


def terminate(rooms: Rooms, caller: Caller, workspace_id: str) -> Workspace:
    """Take it away for good, its home too. Legal from every state, again changes nothing.

    Raises `NotFound`, `NotPermitted`.
    """

    def change(workspace: Workspace, _: Project) -> Workspace:
        if workspace.desired is Desired.TERMINATED or workspace.terminated_at is not None:
            return workspace
        return wanting(workspace, Desired.TERMINATED, _asked_by(caller))

    return write_workspace(
        rooms, caller, workspace_id, action="workspace.terminate", may=permissions.end_workspace, change=change
    )


def _asked_by(caller: Caller) -> str:
    return WISH.say("asked", who=caller.name)


def _product(rooms: Rooms, workspace: Workspace) -> Product:
    return rooms.catalog.version(workspace.product).product


def _has_ended(rooms: Rooms, workspace: Workspace) -> bool:
    """Whether nothing is under way that would make it run."""
    if workspace.observed.state not in _DOWN or workspace.operation_id is None:
        return False
    return not rooms.operations.get(workspace.operation_id).open


def _resizable(rooms: Rooms, workspace: Workspace) -> None:
    """A backend resizes live or not at all; any starts a stopped machine in its new size."""
    if workspace.desired is Desired.STOPPED and workspace.observed.state in _DOWN:
        return
    backend = rooms.backends.get(workspace.backend)
    if backend is None or backend.capabilities.resize != "live":
        raise Conflict(
            "The machine cannot be resized while it stands.",
            where=f"workspace/{workspace.id}",
            todo="Stop it first: `atoll workspace stop`.",
        )


def _check_room(rooms: Rooms, workspace: Workspace, size_name: str) -> None:
    check_room(
        rooms,
        rooms.catalog.size(size_name),
        [other for other in standing_workspaces(rooms) if other.id != workspace.id],
        owner=workspace.owner,
        owner_login=workspace.owner_login,
        project=workspace.project,
    )

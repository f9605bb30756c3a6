"""A person launches a workspace: price and room first, then what is wanted is put on record.

No backend is called here. A reconciler makes what is wanted true (`converge_workspace`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.errors import Conflict, InvalidInput, VersionConflict
from atoll.flows.claim_warm import claim, ready_machine
from atoll.flows.hold_quota import standing_workspaces
from atoll.flows.queue_workspaces import room_or_queue
from atoll.flows.rooms import Rooms
from atoll.flows.watch_budgets import check_launch
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller
from atoll.model.record import new_id
from atoll.model.workspace import Observed, ProductState, ProductVersion, Size, WarmMachine, Workspace
from atoll.ports.records import Put
from atoll.workspaces import names, parameters, prices
from atoll.workspaces.gate import pass_through, stand_at
from atoll.workspaces.placement import place
from atoll.workspaces.reasons import WISH

_TRIES = 20


@dataclass(frozen=True)
class Launch:
    """What is to be launched.

    Attributes:
        product: its name, or `<name>@<number>` for one version.
        project: name of the project it works in.
        name: of the workspace; None: made from the product's.
        size: one of the product's; None: its default.
        parameters: of the product.
        backend: where; None: the first that fits.
        queue: wait for room where there is none, instead of being refused.
    """

    product: str
    project: str
    name: str | None = None
    size: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    backend: str | None = None
    queue: bool = False


@dataclass(frozen=True)
class Quote:
    """What a launch would come to at this time.

    `warnings` are sentences for people; `waits` says why it would wait in the queue, and is
    empty when it would start at once. `ready` is a machine that answers already and would be taken.
    """

    at: datetime
    product: ProductVersion
    project: str
    name: str
    size: Size
    parameters: Mapping[str, Any]
    backend: str
    eur_per_working_month: Decimal
    expires_at: datetime
    warnings: tuple[str, ...]
    waits: str = ""
    ready: WarmMachine | None = None


def quote(rooms: Rooms, caller: Caller, launch: Launch) -> Quote:
    """What the launch would come to; nothing is written.

    Raises what `create` raises, but for the confirmation of the price.
    """
    project = project_by_name(rooms.records, launch.project)
    permissions.launch_under(caller, project)
    version = _launchable(rooms, launch.product, project.name)
    product = version.product
    size = _size(rooms, version, launch.size)
    settled = parameters.settled(product, launch.parameters)
    placement = place(product, {name: b.capabilities for name, b in rooms.backends.items()}, launch.backend)
    standing = standing_workspaces(rooms)
    taken = {ws.name for ws in standing if ws.owner == caller.subject_id}
    name = names.chosen(launch.name, product.name, taken)
    check_launch(rooms, user=caller.name, project=project.name)
    waits = room_or_queue(
        rooms,
        size,
        standing,
        owner=caller.subject_id,
        owner_login=caller.name,
        project=project.name,
        queue=launch.queue,
    )
    now = rooms.clock.now()
    warnings = placement.fallbacks
    if version.state is ProductState.DEPRECATED:
        warnings += (f"{version.id} is deprecated; it will be retired.",)
    return Quote(
        at=now,
        product=version,
        project=project.name,
        name=name,
        size=size,
        parameters=settled,
        backend=placement.backend,
        eur_per_working_month=prices.working_month_eur(size),
        expires_at=now + timedelta(days=product.lifetime.days),
        warnings=warnings,
        waits=waits,
        # One that waits for room finds its machine when its turn has come, not now.
        ready=None if waits else ready_machine(rooms, version, size, placement.backend, settled),
    )


def create(
    rooms: Rooms, caller: Caller, launch: Launch, confirm_eur_per_hour: Decimal | None
) -> tuple[Quote, Workspace]:
    """Want a workspace. It is there at once, its machine some seconds later.

    Raises `NotFound` (project, product, size, backend), `NotPermitted`, `InvalidInput`
    (parameters, name), `LimitExceeded` (a quota), `BudgetExceeded`, `Unavailable` (no backend), and
    `Conflict` (a retired product, a name that is taken, a price that was not confirmed).
    """
    for _ in range(_TRIES):
        # The gate is read first: a launch that goes through after this makes ours look again.
        gate = stand_at(rooms.records)
        quoted = quote(rooms, caller, launch)
        prices.confirm(quoted.size, confirm_eur_per_hour)
        ready = quoted.ready
        workspace = _workspace(caller, quoted, new_id("wsp") if ready is None else ready.id)
        claimed = () if ready is None else claim(rooms, ready, workspace)
        try:
            rooms.audit.record(_event(caller, workspace), Put(workspace), pass_through(gate), *claimed)
        except VersionConflict:
            continue
        made = rooms.records.get(Workspace, workspace.id)
        rooms.operations.wished.set()
        return quoted, made
    raise VersionConflict("Many launch at the same time.", where=f"project/{launch.project}", todo="Try again.")


def _launchable(rooms: Rooms, product: str, project: str) -> ProductVersion:
    version = rooms.catalog.version(product) if "@" in product else rooms.catalog.latest(product)
    if version.projects is not None and project not in version.projects:
        raise permissions.not_found("product", product)
    if version.state is ProductState.RETIRED:
        raise Conflict(
            f"{version.id} is retired; nothing is launched from it.",
            where=f"product/{version.name}",
            todo="Choose another: `atoll product list`.",
        )
    return version


def _size(rooms: Rooms, version: ProductVersion, asked: str | None) -> Size:
    allowed = version.product.sizes
    if asked is not None and asked not in allowed:
        raise InvalidInput(
            f"{version.name} is not launched in this size.",
            where=f"size {asked}",
            todo=f"Choose among: {', '.join(allowed)}.",
        )
    return rooms.catalog.size(asked or allowed[0])


def _workspace(caller: Caller, quoted: Quote, workspace_id: str) -> Workspace:
    return Workspace(
        id=workspace_id,
        name=quoted.name,
        owner=caller.subject_id,
        owner_login=caller.name,
        project=quoted.project,
        product=quoted.product.id,
        size=quoted.size.name,
        backend=quoted.backend,
        parameters=dict(quoted.parameters),
        eur_per_hour=quoted.size.eur_per_hour,
        created_at=quoted.at,
        expires_at=quoted.expires_at,
        desired_because=WISH.say("asked", who=caller.name),
        observed=Observed(at=quoted.at),
        queued_at=quoted.at if quoted.waits else None,
        queued_generation=1 if quoted.waits else 0,
    )


def _event(caller: Caller, workspace: Workspace) -> AuditEvent:
    return AuditEvent(
        action="workspace.create",
        target=f"workspace/{workspace.id}",
        caller=caller,
        details={
            "project": workspace.project,
            "product": workspace.product,
            "size": workspace.size,
            "backend": workspace.backend,
            "eur_per_hour": str(workspace.eur_per_hour),
            "queued": workspace.queued,
        },
    )

"""What a workspace's page tells beside its state: why it is kept alive or was put to rest, its cost, its mounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from atoll.errors import NotFound
from atoll.flows.mount_datasets import INSIDE
from atoll.flows.rooms import Rooms
from atoll.model.meter import MachineMeter, Use
from atoll.model.mount import DatasetMount, MountedBy
from atoll.model.schedule import IdleWatch
from atoll.model.workspace import MachineState, Workspace
from atoll.workspaces.project_shares import INSIDE as SHARE_INSIDE

_MICRO_EUR = Decimal("0.000001")


@dataclass(frozen=True)
class MountedPlace:
    """What is seen inside at `target`: a dataset version, or (`dataset_version` empty) the project's share."""

    target: str
    dataset_version: str
    writable: bool


@dataclass(frozen=True)
class WorkspaceFacts:
    """Facts as of now.

    Attributes:
        idle_reason: `kept alive because ...` or `hibernated because ...`; empty when nothing was judged yet.
        idle_since: since when nobody has used it, while it is not in use.
        last_seen_at: the last sign of use that the idle rule saw.
        uptime_seconds: how long it has run without a break; None while it does not.
        spent_eur: for running and storage since it was launched, to the micro-euro.
    """

    idle_reason: str = ""
    idle_since: datetime | None = None
    last_seen_at: datetime | None = None
    uptime_seconds: float | None = None
    spent_eur: Decimal = Decimal(0)
    mounts: tuple[MountedPlace, ...] = ()


def facts_of(rooms: Rooms, workspace: Workspace) -> WorkspaceFacts:
    """Read them."""
    now = rooms.clock.now()
    meter = _meter(rooms, workspace)
    reason, since, seen = _idle(rooms, workspace)
    return WorkspaceFacts(
        idle_reason=reason,
        idle_since=since,
        last_seen_at=seen,
        uptime_seconds=_uptime(workspace, meter, now),
        spent_eur=_spent(workspace, meter, now),
        mounts=_mounts(rooms, workspace),
    )


def _idle(rooms: Rooms, workspace: Workspace) -> tuple[str, datetime | None, datetime | None]:
    try:
        watch = rooms.records.get(IdleWatch, workspace.id)
    except NotFound:
        return "", None, None
    if workspace.observed.state is MachineState.RUNNING:
        # A judgement from before it came up tells nothing of it now.
        if watch.judged_at is None or watch.judged_at < workspace.observed.at:
            return "", None, watch.last_seen_at
        return watch.sentence, watch.idle_since, watch.last_seen_at
    by_rule = watch.sentence == workspace.desired_because
    return (watch.sentence if by_rule else ""), watch.idle_since if by_rule else None, watch.last_seen_at


def _meter(rooms: Rooms, workspace: Workspace) -> MachineMeter | None:
    try:
        return rooms.records.get(MachineMeter, workspace.id)
    except NotFound:
        return None


def _uptime(workspace: Workspace, meter: MachineMeter | None, now: datetime) -> float | None:
    if workspace.observed.state is not MachineState.RUNNING:
        return None
    begun = workspace.observed.at
    if meter is not None and meter.point.use is Use.RUNNING:
        # What is said of a machine may change while it runs on; its meter remembers from when on.
        begun = min(begun, meter.point.begun)
    return max((now - begun).total_seconds(), 0.0)


def _spent(workspace: Workspace, meter: MachineMeter | None, now: datetime) -> Decimal:
    """What is settled, and what has come up since for running; storage is settled within minutes."""
    spent = meter.spent_eur if meter is not None else Decimal(0)
    if meter is not None and meter.point.use is Use.RUNNING and not meter.closed:
        until = workspace.terminated_at or now
        seconds = Decimal(str(max((until - meter.point.since).total_seconds(), 0.0)))
        spent += seconds * meter.point.eur_per_hour / 3600
    return spent.quantize(_MICRO_EUR)


def _mounts(rooms: Rooms, workspace: Workspace) -> tuple[MountedPlace, ...]:
    try:
        held = rooms.records.get(MountedBy, workspace.id)
    except NotFound:
        return ()
    places = []
    for key in held.mounts:
        try:
            mount = rooms.records.get(DatasetMount, key)
        except NotFound:
            continue
        places.append(MountedPlace(f"{INSIDE}/{mount.dataset}", mount.dataset_version, writable=False))
    if held.told:
        places.append(MountedPlace(SHARE_INSIDE, "", writable=True))
    return tuple(places)

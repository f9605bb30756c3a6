"""Machines that nobody uses are put to rest, and of all others it is said why they are not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from atoll.errors import AtollError, NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.schedule import IdleWatch, WorkspaceSchedule
from atoll.model.workspace import (
    STREAMED,
    Desired,
    HibernateKind,
    IdleRule,
    MachineState,
    Product,
    ProductVersion,
    Workspace,
)
from atoll.ports.backend import Backend
from atoll.ports.records import Put, every
from atoll.workspaces.idle import Facts, judge
from atoll.workspaces.jupyter_activity import Activity, ask
from atoll.workspaces.schedule import within

log = logging.getLogger(__name__)

#: Machines asked at once; one that does not answer holds up no other.
_AT_ONCE = 16
#: Outside its hours a machine rests as soon as nothing was done for this long.
_AFTER_HOURS_MINUTES = 5
#: CPU is measured between two passes; over less than this it would be noise.
_LEAST_SECONDS = 20.0


@dataclass(frozen=True)
class Visits:
    """What the proxy knows of a machine: pages open now, and when somebody last asked something."""

    connections: int = 0
    last_request: datetime | None = None


def nobody(workspace_id: str) -> Visits:
    """Where no proxy tells: nobody is seen."""
    return Visits()


def idle_workspaces(rooms: Rooms, visits: Callable[[str], Visits] = nobody) -> int:
    """Judge every running machine by the idle rule of its product; how many were put to rest.

    Only what is wanted is written, with the sentence that explains it; the last sentence
    of each machine is kept, see `why`. The error of one workspace stops no other.
    """
    running = [one for one in every(rooms.records, Workspace, {"standing": "standing"}) if _runs(one)]
    if not running:
        return 0
    with ThreadPoolExecutor(min(_AT_ONCE, len(running)), thread_name_prefix="idle") as pool:
        return sum(pool.map(partial(_watch, rooms, visits), running))


def why(rooms: Rooms, workspace_id: str) -> str:
    """The sentence of the last judgement: `kept alive because ...`, `hibernated because ...`; empty before it."""
    try:
        return rooms.records.get(IdleWatch, workspace_id).sentence
    except NotFound:
        return ""


def _watch(rooms: Rooms, visits: Callable[[str], Visits], workspace: Workspace) -> int:
    try:
        return _judge_and_act(rooms, visits, workspace)
    except VersionConflict:
        # Somebody changed it in between; the next pass looks anew.
        return 0
    except AtollError as error:
        facts = {"workspace": workspace.id, "error_code": error.code}
        log.warning("A workspace could not be judged idle or not.", extra={"fields": facts})
        return 0


def _judge_and_act(rooms: Rooms, visits: Callable[[str], Visits], workspace: Workspace) -> int:
    backend = rooms.backends.get(workspace.backend)
    if backend is None:
        return 0
    product = rooms.records.get(ProductVersion, workspace.product).product
    rule = _rule(rooms, workspace, product, backend)
    watch, cpu = _measured(rooms, workspace, backend, rule)
    asked = partial(_facts, visits, workspace, product, backend, watch, cpu)
    verdict = judge(asked(), rule, rooms.clock.now())
    if verdict.act:
        # Asked once more, since a cell may have begun meanwhile.
        verdict = judge(asked(), rule, rooms.clock.now())
    watch = watch.but(
        sentence=verdict.sentence,
        judged_at=rooms.clock.now(),
        last_seen_at=verdict.last_sign_at,
        idle_since=None if verdict.in_use else verdict.last_sign_at,
    )
    if not verdict.act:
        rooms.records.put(watch)
        return 0
    desired = Desired.HIBERNATED if rule.action == "hibernate" else Desired.STOPPED
    changed = workspace.but(desired=desired, desired_because=verdict.sentence, generation=workspace.generation + 1)
    event = AuditEvent(
        action=f"workspace.{rule.action}",
        target=f"workspace/{workspace.id}",
        caller=PLATFORM,
        because="idle rule",
        details={"reason": verdict.sentence},
    )
    rooms.audit.record(event, Put(changed), Put(watch))
    return 1


def _rule(rooms: Rooms, workspace: Workspace, product: Product, backend: Backend) -> IdleRule:
    """The rule of the product, as far as its backend can follow it, and sooner outside the workspace's hours."""
    rule = product.idle
    if _after_hours(rooms, workspace):
        action = "hibernate" if rule.action == "none" else rule.action
        rule = rule.but(action=action, after_minutes=min(rule.after_minutes, _AFTER_HOURS_MINUTES))
    if rule.action == "hibernate" and backend.capabilities.hibernate is HibernateKind.NONE:
        rule = rule.but(action="stop" if product.fallback.get("hibernate") == "stop" else "none")
    return rule


def _after_hours(rooms: Rooms, workspace: Workspace) -> bool:
    try:
        hours = rooms.records.get(WorkspaceSchedule, workspace.id).hours
    except NotFound:
        return False
    return hours is not None and not within(hours, rooms.clock.now())


def _measured(rooms: Rooms, workspace: Workspace, backend: Backend, rule: IdleRule) -> tuple[IdleWatch, float | None]:
    """The watch as it is now, and the use of one core since the last pass, None when it cannot be told."""
    now = rooms.clock.now()
    try:
        watch = rooms.records.get(IdleWatch, workspace.id)
    except NotFound:
        watch = IdleWatch(id=workspace.id, at=now)
    try:
        figures = backend.figures(workspace.id)
    except AtollError:
        figures = None
    if figures is None:
        return watch.but(at=now, cpu_seconds=None), None
    cpu = _use(watch, now, figures.cpu_seconds)
    busy_at = now if cpu is not None and cpu >= rule.busy_cpu else watch.busy_at
    if cpu is None and watch.cpu_seconds is not None and figures.cpu_seconds >= watch.cpu_seconds:
        # Too soon to tell: measure on from where it was.
        return watch, None
    return watch.but(at=now, cpu_seconds=figures.cpu_seconds, busy_at=busy_at), cpu


def _use(watch: IdleWatch, now: datetime, cpu_seconds: float) -> float | None:
    seconds = (now - watch.at).total_seconds()
    if watch.cpu_seconds is None or seconds < _LEAST_SECONDS or cpu_seconds < watch.cpu_seconds:
        return None
    return (cpu_seconds - watch.cpu_seconds) / seconds


def _facts(
    visits: Callable[[str], Visits],
    workspace: Workspace,
    product: Product,
    backend: Backend,
    watch: IdleWatch,
    cpu: float | None,
) -> Facts:
    activity = _activity(workspace, product, backend)
    visit = visits(workspace.id)
    return Facts(
        running_since=workspace.observed.at,
        kernels=activity.kernels,
        terminal_activity=activity.terminals,
        cpu=cpu,
        cpu_busy_at=watch.busy_at,
        # A screen is looked at, or it is left open on a desk: what its viewer does is the sign.
        connections=0 if product.service in STREAMED else visit.connections,
        jobs=1 if product.service == "batch" else 0,
        last_request=visit.last_request,
        silent=activity.silent,
    )


def _activity(workspace: Workspace, product: Product, backend: Backend) -> Activity:
    if product.service == "batch" or product.service in STREAMED:
        return Activity()
    seen = backend.observe(workspace.id)
    if seen.state is not MachineState.RUNNING or seen.socket is None:
        return Activity(silent=("its service",))
    return ask(seen.socket, f"/w/{workspace.id}/")


def _runs(workspace: Workspace) -> bool:
    met = workspace.observed_generation == workspace.generation
    return workspace.desired is Desired.RUNNING and met and workspace.observed.state is MachineState.RUNNING

"""The life of a workspace as a pure state machine: what is wanted, what is seen, what is done next.

Nothing here reads a clock, a record or a backend. A reconciler asks `decide` again and
again; whatever was lost in between (an answer, a process, a host), the next answer is
made from what is true now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from atoll.model.workspace import Desired, HibernateKind, MachineState, Observed, Workspace
from atoll.ports.backend import Capabilities
from atoll.workspaces.reasons import WISH
from atoll.workspaces.tries import Tries


class Task(StrEnum):
    """What an operation does to a workspace; the name of its story."""

    START = "start_workspace"
    WAKE = "wake_workspace"
    HIBERNATE = "hibernate_workspace"
    STOP = "stop_workspace"
    RESIZE = "resize_workspace"
    TERMINATE = "terminate_workspace"


#: The visible steps of each, in order.
STEPS: Mapping[Task, tuple[str, ...]] = {
    Task.START: ("reserve", "start", "answer", "settle"),
    Task.WAKE: ("thaw", "settle"),
    Task.HIBERNATE: ("freeze", "settle"),
    Task.STOP: ("stop", "settle"),
    Task.RESIZE: ("resize", "settle"),
    Task.TERMINATE: ("destroy", "forget_home", "settle"),
}

#: How long one step may wait for its machine; what is not so by then has failed, and is decided anew.
STEP_SECONDS: Mapping[Task, float] = {
    Task.START: 300.0,
    Task.WAKE: 120.0,
    Task.HIBERNATE: 300.0,
    Task.STOP: 120.0,
    Task.RESIZE: 120.0,
    Task.TERMINATE: 300.0,
}

#: How long a whole operation may take, with the time in which it waits for a worker.
DEADLINE_SECONDS = 6 * 3600.0

#: States that meet what is wanted.
MEETS: Mapping[Desired, frozenset[MachineState]] = {
    Desired.RUNNING: frozenset({MachineState.RUNNING}),
    Desired.HIBERNATED: frozenset({MachineState.FROZEN}),
    Desired.STOPPED: frozenset({MachineState.STOPPED, MachineState.ABSENT}),
    Desired.TERMINATED: frozenset(),
}

#: A machine that ended by itself is started again so often within an hour, then it is left stopped.
MAX_STARTS_AN_HOUR = 3
#: Failed operations in a row after which only a new wish starts another. Terminate never gives up.
MAX_FAILED = 3
_FIRST_WAIT_SECONDS = 5.0
_LONGEST_WAIT_SECONDS = 300.0


@dataclass(frozen=True)
class Open:
    """Open an operation."""

    task: Task
    because: str


@dataclass(frozen=True)
class Settle:
    """Want something else, since what is wanted cannot be had; the reason is shown."""

    desired: Desired
    because: str


@dataclass(frozen=True)
class Meet:
    """Nothing is to be done: note that this generation is met."""


@dataclass(frozen=True)
class Rest:
    """Nothing can be done before `until` (None: before something else changes), for this reason."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class Keep:
    """Have it of the size that it has, since the one that was wanted could not be given; the reason is shown."""

    size: str
    because: str


Action = Open | Settle | Meet | Rest | Keep


def settled(workspace: Workspace) -> bool:
    """Whether there is nothing to decide: a cheap look, for thousands at once."""
    if workspace.terminated_at is not None or workspace.queued:
        return True
    return (
        workspace.observed_generation == workspace.generation and workspace.observed.state in MEETS[workspace.desired]
    )


def decide(
    workspace: Workspace,
    observed: Observed,
    now: datetime,
    *,
    capabilities: Capabilities,
    fallback: Mapping[str, str],
    tries: Tries,
    made_size: str | None = None,
) -> Action | None:
    """The next action for a workspace on which no operation works now, None when all is as wanted.

    Args:
        workspace: what is wanted, and which generation of it was met.
        observed: what was last seen of the machine.
        now: the time.
        capabilities: of its backend.
        fallback: of its product: what is done instead, by capability.
        tries: what operations for this generation came to.
        made_size: name of the size that the machine has; None when not known.
    """
    if workspace.terminated_at is not None:
        return None
    if workspace.desired is Desired.TERMINATED:
        return _paced(Open(Task.TERMINATE, workspace.desired_because), tries, now)
    if workspace.queued or observed.state is MachineState.UNKNOWN:
        unknown = observed.detail or WISH.say("unknown_how")
        return Rest(WISH.say("waits") if workspace.queued else unknown)
    if workspace.desired is Desired.RUNNING:
        action = _running(workspace, observed, capabilities, tries, made_size)
    elif workspace.desired is Desired.HIBERNATED:
        action = _hibernated(workspace, observed, capabilities, fallback)
    elif observed.state in MEETS[Desired.STOPPED]:
        action = None
    else:
        action = Open(Task.STOP, workspace.desired_because)
    if action is None:
        return Meet() if workspace.observed_generation != workspace.generation else None
    if isinstance(action, Open) and action.task is Task.RESIZE and made_size is not None and _given_up(tries):
        return Keep(made_size, f"It could not be resized to {workspace.size}: {tries.message}")
    return _paced(action, tries, now) if isinstance(action, Open) else action


def _running(
    workspace: Workspace, observed: Observed, capabilities: Capabilities, tries: Tries, made_size: str | None
) -> Open | Settle | None:
    met = workspace.observed_generation == workspace.generation
    match observed.state:
        case MachineState.RUNNING:
            if made_size in (None, workspace.size) or capabilities.resize != "live":
                return None
            return Open(Task.RESIZE, workspace.desired_because)
        case MachineState.FROZEN:
            return Open(Task.WAKE, workspace.desired_because)
        case MachineState.STOPPED | MachineState.ABSENT if met:
            return _ended(workspace, observed, tries)
        case _:
            return Open(Task.START, workspace.desired_because)


def _ended(workspace: Workspace, observed: Observed, tries: Tries) -> Open | Settle:
    """It ran as was wanted, and runs no more."""
    if observed.exit_status is not None:
        return Settle(Desired.STOPPED, WISH.say("job_ended", status=observed.exit_status))
    if tries.starts >= MAX_STARTS_AN_HOUR:
        why = observed.detail or "The backend gives no reason."
        return Settle(Desired.STOPPED, f"It ended by itself {tries.starts} times within an hour. {why}")
    return Open(Task.START, observed.detail or workspace.desired_because)


def _hibernated(
    workspace: Workspace, observed: Observed, capabilities: Capabilities, fallback: Mapping[str, str]
) -> Open | Settle | None:
    if observed.state is MachineState.FROZEN:
        return None
    if observed.state in MEETS[Desired.STOPPED]:
        return Settle(Desired.STOPPED, observed.detail or WISH.say("nothing_to_keep"))
    if capabilities.hibernate is not HibernateKind.NONE:
        return Open(Task.HIBERNATE, workspace.desired_because)
    why = f"{workspace.desired_because or 'Hibernation was asked for'}; this backend cannot hibernate"
    if fallback.get("hibernate") == "stop":
        return Settle(Desired.STOPPED, f"{why}, so it is stopped, as its product says.")
    return Settle(Desired.RUNNING, f"{why} and its product names nothing instead, so it runs on.")


def _paced(action: Open, tries: Tries, now: datetime) -> Open | Rest:
    """The action, or a rest after failures: 5 s, then twice as long each time, 5 min at most."""
    if tries.failed == 0 or tries.last_failed_at is None:
        return action
    if action.task is not Task.TERMINATE and _given_up(tries):
        return Rest(tries.message)
    wait = min(_FIRST_WAIT_SECONDS * 2.0 ** (tries.failed - 1), _LONGEST_WAIT_SECONDS)
    until = tries.last_failed_at + timedelta(seconds=wait)
    return action if now >= until else Rest(tries.message, until)


def _given_up(tries: Tries) -> bool:
    """Whether only a new wish starts another operation."""
    return tries.hopeless or tries.failed >= MAX_FAILED

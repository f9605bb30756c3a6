"""What people are told of a workspace: derived from what is wanted, seen and done, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from atoll.model.operation import Operation
from atoll.model.workspace import Desired, MachineState, Workspace
from atoll.workspaces.lifecycle import MEETS, Task
from atoll.workspaces.reasons import WISH
from atoll.workspaces.tries import given_way

_DOING: Mapping[str, str] = {
    Task.START: "starting",
    Task.WAKE: "waking",
    Task.HIBERNATE: "hibernating",
    Task.STOP: "stopping",
    Task.RESIZE: "resizing",
    Task.TERMINATE: "terminating",
}
_BEING: Mapping[MachineState, str] = {
    MachineState.ABSENT: "stopped",
    MachineState.STARTING: "starting",
    MachineState.RUNNING: "running",
    MachineState.FROZEN: "hibernated",
    MachineState.STOPPED: "stopped",
    MachineState.UNKNOWN: "unknown",
}


@dataclass(frozen=True)
class DisplayedState:
    """A word for people, and why it is so.

    Attributes:
        word: queued, provisioning, starting, running, resizing, hibernating, hibernated, waking,
            stopping, stopped, terminating, terminated, unknown or failed.
        reason: in a sentence; empty when there is nothing to add.
        progress: of the operation under way, 0 to 1.
        changing: whether the word will change without anybody's doing.
    """

    word: str
    reason: str = ""
    progress: float | None = None
    changing: bool = False


def displayed(workspace: Workspace, operation: Operation | None, now: datetime) -> DisplayedState:
    """The state as shown. `operation` is the one of `workspace.operation_id`, if any."""
    if workspace.terminated_at is not None:
        return DisplayedState("terminated", workspace.desired_because)
    if workspace.queued:
        return DisplayedState("queued", workspace.desired_because, changing=True)
    failure = _failure(workspace, operation)
    if workspace.desired is Desired.TERMINATED:
        progress = _progress(operation)
        return DisplayedState("terminating", failure or workspace.desired_because, progress, changing=True)
    if operation is not None and operation.open:
        return _under_way(workspace, operation, now)
    return _standing_still(workspace, failure)


def _under_way(workspace: Workspace, operation: Operation, now: datetime) -> DisplayedState:
    word = _DOING.get(operation.story, "starting")
    if word == "starting" and workspace.observed_generation == 0:
        word = "provisioning"
    waits = operation.retry_at is not None and operation.retry_at > now and operation.failure is not None
    reason = operation.failure.message if waits and operation.failure else str(operation.params.get("because", ""))
    return DisplayedState(word, reason, _progress(operation), changing=True)


def _standing_still(workspace: Workspace, failure: str) -> DisplayedState:
    state = workspace.observed.state
    if state is MachineState.UNKNOWN:
        return DisplayedState("unknown", workspace.observed.detail or WISH.say("unknown"))
    if state in MEETS[workspace.desired]:
        return DisplayedState(_BEING[state], _why(workspace))
    if failure:
        # A machine that could not be hibernated or stopped still runs, and costs: that is the word then.
        down = state in MEETS[Desired.STOPPED]
        return DisplayedState("failed" if down else _BEING[state], failure)
    return DisplayedState(_next(workspace), workspace.desired_because, changing=True)


def _failure(workspace: Workspace, operation: Operation | None) -> str:
    """Why the last operation for the present wish failed; empty when it did not."""
    if operation is None or operation.failure is None or given_way(operation):
        return ""
    return operation.failure.message if operation.params.get("generation") == workspace.generation else ""


def _progress(operation: Operation | None) -> float | None:
    return operation.progress if operation is not None and operation.open else None


def _why(workspace: Workspace) -> str:
    if workspace.observed.detail and workspace.observed.detail not in workspace.desired_because:
        return f"{workspace.desired_because} {workspace.observed.detail}".strip()
    return workspace.desired_because


def _next(workspace: Workspace) -> str:
    if workspace.desired is Desired.RUNNING:
        if workspace.observed.state is MachineState.FROZEN:
            return "waking"
        return "provisioning" if workspace.observed_generation == 0 else "starting"
    return "hibernating" if workspace.desired is Desired.HIBERNATED else "stopping"

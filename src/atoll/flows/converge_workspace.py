"""Workspaces become what is wanted: whatever differs gets an operation, whatever cannot be is settled.

Level-triggered and safe in several processes: an operation and the workspace that
names it are written together against the version that was looked at, and the store
lets one open operation stand for a workspace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from atoll.errors import AlreadyExists, AtollError, Unavailable, VersionConflict
from atoll.flows import drive_machine as drive
from atoll.flows.observe_machine import backend_of, look, note
from atoll.flows.resource_ledger import live_rows, matched
from atoll.flows.rooms import Rooms
from atoll.flows.surroundings import Surroundings
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Failure, Operation
from atoll.model.person import PLATFORM
from atoll.model.workspace import Desired, MachineState, ProductVersion, Workspace
from atoll.operations import StepContext, Story
from atoll.operations.live import Cancelled
from atoll.ports.records import Put, Write, every
from atoll.workspaces.lifecycle import DEADLINE_SECONDS, STEPS, Action, Keep, Meet, Open, Settle, Task, decide, settled
from atoll.workspaces.tries import tries

log = logging.getLogger(__name__)

_HISTORY = 20
#: Two writes each, and a transaction takes 50.
_AT_ONCE = 20

StepOfDrive = Callable[[drive.Drive], Mapping[str, Any]]

_STEPS: Mapping[Task, tuple[StepOfDrive, ...]] = {
    Task.START: (drive.reserve_machine, drive.start_machine, drive.await_answer, drive.settle_start),
    Task.WAKE: (drive.thaw_machine, drive.settle_as("thaw")),
    Task.HIBERNATE: (drive.freeze_machine, drive.settle_as("freeze")),
    Task.STOP: (drive.stop_machine, drive.settle_as("stop")),
    Task.RESIZE: (drive.resize_machine, drive.settle_resize),
    Task.TERMINATE: (drive.destroy_machine, drive.forget_home, drive.settle_termination),
}


def stories(rooms: Rooms, around: Surroundings) -> Mapping[str, Story]:
    """The stories for the runner, by name."""
    return {
        task.value: Story(
            name=task.value,
            steps=tuple(
                (name, partial(_step, rooms, around, name, step))
                for name, step in zip(STEPS[task], _STEPS[task], strict=True)
            ),
            abandon=partial(_abandon, rooms, around),
        )
        for task in Task
    }


def converge_workspaces(rooms: Rooms, *, unmet_only: bool = False) -> int:
    """Look at every standing workspace and do the next thing for each; how many were changed.

    With `unmet_only` only those with a new wish: cheap, for often. An error with one
    workspace is told in the log and stops no other.
    """
    busy: set[str] | None = None
    openings: list[tuple[Write, ...]] = []
    count = 0
    for workspace in standing(rooms, unmet_only=unmet_only):
        if settled(workspace):
            continue
        if busy is None:
            busy = busy_subjects(rooms)
        if f"workspace/{workspace.id}" in busy:
            continue
        try:
            action = _next(rooms, workspace)
            if isinstance(action, Open):
                openings.append(_opening(rooms, workspace, action)[1])
            else:
                count += _do(rooms, workspace, action)
        except Exception as error:
            _tell(workspace.id, error)
        if len(openings) == _AT_ONCE:
            count += _open(rooms, openings)
            openings = []
    return count + _open(rooms, openings)


def converge(rooms: Rooms, workspace: Workspace) -> bool:
    """Do the next thing for one workspace as it was read; whether anything was written.

    Nothing happens when somebody else has written it since, or works on it.
    """
    action = _next(rooms, workspace)
    if isinstance(action, Open):
        return _open(rooms, [_opening(rooms, workspace, action)[1]]) == 1
    return _do(rooms, workspace, action)


def open_operation(rooms: Rooms, workspace: Workspace, action: Open) -> Operation:
    """Put an operation on record. Raises `VersionConflict` or `AlreadyExists` when somebody was faster."""
    operation, writes = _opening(rooms, workspace, action)
    rooms.records.transact(writes)
    rooms.operations.woken.set()
    return operation


def standing(rooms: Rooms, *, unmet_only: bool = False) -> Iterator[Workspace]:
    """Every workspace that is not gone."""
    return every(rooms.records, Workspace, {"unmet": "unmet"} if unmet_only else {"standing": "standing"})


def busy_subjects(rooms: Rooms) -> set[str]:
    """Subjects of every open operation."""
    return {operation.subject for operation in rooms.operations.open()}


def _next(rooms: Rooms, workspace: Workspace) -> Action | None:
    now = rooms.clock.now()
    return decide(
        workspace,
        workspace.observed,
        now,
        capabilities=backend_of(rooms, workspace).capabilities,
        fallback=_fallback(rooms, workspace),
        tries=tries(_history(rooms, workspace), workspace.generation, now),
        made_size=_made_size(rooms, workspace),
    )


def _do(rooms: Rooms, workspace: Workspace, action: Action | None) -> bool:
    try:
        if isinstance(action, Settle):
            _settle(rooms, workspace, action)
        elif isinstance(action, Meet):
            rooms.records.put(workspace.but(observed_generation=workspace.generation))
        elif isinstance(action, Keep):
            _keep_size(rooms, workspace, action)
        else:
            return False
    except (VersionConflict, AlreadyExists):
        return False
    return True


def _opening(rooms: Rooms, workspace: Workspace, action: Open) -> tuple[Operation, tuple[Write, ...]]:
    """An operation, and the writes that begin it: bound to the workspace as it was read."""
    operation = rooms.operations.plan(
        story=action.task.value,
        subject=f"workspace/{workspace.id}",
        steps=STEPS[action.task],
        caller=PLATFORM,
        deadline_seconds=DEADLINE_SECONDS,
        params={"workspace": workspace.id, "generation": workspace.generation, "because": action.because},
    )
    return operation, (Put(operation), Put(workspace.but(operation_id=operation.id)))


def _open(rooms: Rooms, openings: Sequence[tuple[Write, ...]]) -> int:
    """Together, or one by one when somebody was faster with one of them; how many were opened."""
    if not openings:
        return 0
    try:
        rooms.records.transact([write for writes in openings for write in writes])
    except (VersionConflict, AlreadyExists):
        return sum(_open(rooms, [writes]) for writes in openings) if len(openings) > 1 else 0
    rooms.operations.woken.set()
    return len(openings)


def _tell(workspace_id: str, error: Exception) -> None:
    code = error.code if isinstance(error, AtollError) else type(error).__name__
    log.warning(
        "A workspace could not be looked after now.",
        extra={"fields": {"workspace": workspace_id, "error_code": code}},
    )


def _step(rooms: Rooms, around: Surroundings, name: str, step: StepOfDrive, context: StepContext) -> Mapping[str, Any]:
    return step(drive.Drive(rooms, around, context, name))


def _settle(rooms: Rooms, workspace: Workspace, action: Settle) -> None:
    changed = workspace.but(desired=action.desired, desired_because=action.because, generation=workspace.generation + 1)
    rooms.audit.record(
        AuditEvent(
            action="workspace.settle",
            target=f"workspace/{workspace.id}",
            caller=PLATFORM,
            because=action.because,
            details={"wanted": workspace.desired.value, "instead": action.desired.value},
        ),
        Put(changed),
    )


def _keep_size(rooms: Rooms, workspace: Workspace, action: Keep) -> None:
    """The size it has, at the price agreed for that, goes back on record."""
    agreed = workspace.eur_per_hour_before if workspace.size_before == action.size else None
    kept = workspace.but(
        size=action.size,
        eur_per_hour=rooms.catalog.size(action.size).eur_per_hour if agreed is None else agreed,
        desired_because=action.because,
        generation=workspace.generation + 1,
    )
    rooms.audit.record(
        AuditEvent(
            action="workspace.keep_size",
            target=f"workspace/{workspace.id}",
            caller=PLATFORM,
            because=action.because,
            details={"wanted": workspace.size, "instead": action.size},
        ),
        Put(kept),
    )


def _abandon(rooms: Rooms, around: Surroundings, context: StepContext, failure: Failure) -> None:
    """After a start that failed nothing is left but the home; anything else is left to the next operation."""
    operation = rooms.operations.get(context.operation.id)
    gave_way = failure.error_code == Cancelled.code and not operation.cancel_requested
    if gave_way or operation.story != Task.START:
        return
    workspace = rooms.records.get(Workspace, operation.params["workspace"])
    if workspace.generation != operation.params["generation"] or workspace.backend not in rooms.backends:
        return
    seen = look(rooms, workspace)
    if seen.state is MachineState.RUNNING:
        note(rooms, workspace, seen)
        return
    backend_of(rooms, workspace).destroy(workspace.id)
    seen = look(rooms, workspace)
    workspace = note(rooms, workspace, seen)
    if seen.state is not MachineState.ABSENT:
        raise Unavailable("What is left of a failed start is still there.", where=f"workspace/{workspace.id}")
    rooms.records.transact(matched(rooms, workspace, None))
    around.release(workspace)


def _history(rooms: Rooms, workspace: Workspace) -> tuple[Operation, ...]:
    if workspace.operation_id is None:
        return ()
    found = rooms.operations.find(subject=f"workspace/{workspace.id}", limit=_HISTORY).records
    return tuple(sorted(found, key=lambda operation: operation.created_at, reverse=True))


def _fallback(rooms: Rooms, workspace: Workspace) -> Mapping[str, str]:
    if workspace.desired is not Desired.HIBERNATED:
        return {}
    return rooms.records.get(ProductVersion, workspace.product).product.fallback


def _made_size(rooms: Rooms, workspace: Workspace) -> str | None:
    if workspace.desired is not Desired.RUNNING or workspace.observed.state is not MachineState.RUNNING:
        return None
    return next((row.size for row in live_rows(rooms, workspace.id) if row.seen_at is not None and row.size), None)

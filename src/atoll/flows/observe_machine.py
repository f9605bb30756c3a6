"""What is seen of a machine goes on record: on its workspace, and each transition in the stream `workspace/<id>`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from atoll.errors import Unavailable, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.workspace import MachineState, Observed, Workspace
from atoll.ports.backend import Backend, Observation
from atoll.ports.records import Append, Put, Write

_TRIES = 50


def backend_of(rooms: Rooms, workspace: Workspace) -> Backend:
    """The workspace's backend. Raises `Unavailable` when none of that name is plugged in here."""
    backend = rooms.backends.get(workspace.backend)
    if backend is None:
        raise Unavailable(
            f"No backend named {workspace.backend} is plugged in.",
            where=f"workspace/{workspace.id}",
            todo="Start the platform with the backend on which the workspace was made.",
        )
    return backend


def look(rooms: Rooms, workspace: Workspace) -> Observation:
    """Ask the backend; a backend that does not answer means `unknown`, never `absent`."""
    try:
        return as_its_owner_sees(backend_of(rooms, workspace).observe(workspace.id))
    except Unavailable as error:
        return Observation(workspace.id, None, MachineState.UNKNOWN, detail=error.what)


def as_its_owner_sees(seen: Observation) -> Observation:
    """A machine that was made ready for nobody does not run for its owner before it was given to them."""
    if seen.anonymous and seen.state is MachineState.RUNNING:
        return replace(seen, state=MachineState.STARTING, socket=None)
    return seen


def changes(workspace: Workspace, seen: Observation, now: datetime) -> tuple[Workspace, tuple[Write, ...]] | None:
    """The workspace with what was seen, and the writes that put it on record; None when nothing is new."""
    if workspace.terminated_at is not None:
        # What is found after the end is the platform's to take away, and costs its owner nothing.
        return None
    before = workspace.observed
    if (before.state, before.detail, before.exit_status) == (seen.state, seen.detail, seen.exit_status):
        return None
    observed = Observed(state=seen.state, at=now, detail=seen.detail, exit_status=seen.exit_status)
    changed = workspace.but(observed=observed)
    writes: tuple[Write, ...] = (Put(changed),)
    if before.state is not seen.state:
        because = seen.detail or (f"operation/{workspace.operation_id}" if workspace.operation_id else "")
        writes += (transition(workspace, seen.state.value, because, now),)
    return changed, writes


def transition(workspace: Workspace, to: str, because: str, now: datetime) -> Append:
    """The entry that says when a machine went from its last seen state to another, and why.

    `size` and `eur_per_hour` are those of the workspace at that time.
    """
    entry = {
        "at": now.isoformat(),
        "from": workspace.observed.state.value,
        "to": to,
        "because": because,
        "size": workspace.size,
        "eur_per_hour": str(workspace.eur_per_hour),
    }
    return Append(f"workspace/{workspace.id}", [entry])


def note(rooms: Rooms, workspace: Workspace, seen: Observation) -> Workspace:
    """Put on record what an operation has just seen; returns the workspace as it is then."""
    for _ in range(_TRIES):
        change = changes(workspace, seen, rooms.clock.now())
        if change is None:
            return workspace
        changed, writes = change
        try:
            rooms.records.transact(writes)
            return changed.but(version=workspace.version + 1)
        except VersionConflict:
            workspace = rooms.records.get(Workspace, workspace.id)
    raise VersionConflict("The workspace is written to without end.", where=f"workspace/{workspace.id}")

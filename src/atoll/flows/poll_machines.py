"""What backends say of all their machines goes on record: one listing each, not a question for each machine."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from atoll.errors import Unavailable, VersionConflict
from atoll.flows.converge_workspace import busy_subjects, standing
from atoll.flows.observe_machine import as_its_owner_sees, changes
from atoll.flows.rooms import Rooms
from atoll.model.workspace import MachineState, Workspace
from atoll.ports.backend import Observation
from atoll.ports.records import Write

log = logging.getLogger(__name__)

#: Two writes each, and a transaction takes 50.
_AT_ONCE = 20


def poll_machines(rooms: Rooms) -> int:
    """See every standing workspace's machine; how many were found in another state.

    Those on which an operation works are left to it: it looks itself, and more often.
    Records are read before the backends are asked, so that what an operation writes in
    between wins over a listing that may be older.
    """
    busy = busy_subjects(rooms)
    idle: dict[str, list[Workspace]] = defaultdict(list)
    for workspace in standing(rooms):
        # Of one that waits for room nothing was ever made, so there is nothing to see.
        if f"workspace/{workspace.id}" not in busy and not workspace.queued:
            idle[workspace.backend].append(workspace)
    return sum(_record(rooms, workspaces, _listing(rooms, name)) for name, workspaces in idle.items())


def _listing(rooms: Rooms, name: str) -> dict[str, Observation] | str:
    """What the backend has, by workspace; or why it could not tell."""
    backend = rooms.backends.get(name)
    if backend is None:
        return f"No backend named {name} is plugged in."
    try:
        return {seen.workspace: as_its_owner_sees(seen) for seen in backend.list_machines()}
    except Unavailable as error:
        return error.what
    except Exception as error:
        log.error(
            "A backend failed unexpectedly.",
            extra={"fields": {"backend": name, "error_class": type(error).__name__}},
        )
        return "The backend failed to tell."


def _record(rooms: Rooms, workspaces: Sequence[Workspace], listing: dict[str, Observation] | str) -> int:
    now = rooms.clock.now()
    found: list[tuple[Write, ...]] = []
    for workspace in workspaces:
        if isinstance(listing, str):
            seen = Observation(workspace.id, None, MachineState.UNKNOWN, detail=listing)
        else:
            seen = listing.get(workspace.id) or Observation(workspace.id, None, MachineState.ABSENT)
        change = changes(workspace, seen, now)
        if change is not None:
            found.append(change[1])
    return sum(_write(rooms, found[i : i + _AT_ONCE]) for i in range(0, len(found), _AT_ONCE))


def _write(rooms: Rooms, batch: Sequence[tuple[Write, ...]]) -> int:
    """Together, or one by one when somebody wrote one of them in between."""
    try:
        rooms.records.transact([write for writes in batch for write in writes])
        return len(batch)
    except VersionConflict:
        if len(batch) == 1:
            return 0
        return sum(_write(rooms, [writes]) for writes in batch)

"""Workspaces as people see them: with their derived state, the operation behind it, and the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.access.scopes import Scope
from atoll.errors import NotFound, Unavailable
from atoll.flows.queue_workspaces import places
from atoll.flows.rooms import Rooms
from atoll.flows.workspace_facts import WorkspaceFacts, facts_of
from atoll.flows.write_workspace import find_workspace
from atoll.model.operation import Operation
from atoll.model.person import Caller, Project
from atoll.model.workspace import Workspace
from atoll.workspaces.displayed import DisplayedState, displayed
from atoll.workspaces.queue import Place

Line = Callable[[], Sequence[Place]]

#: Operations whose lines are told in a log, the newest.
_OPERATIONS_TOLD = 20


@dataclass(frozen=True)
class WorkspaceView:
    """A workspace with what is derived of it.

    Attributes:
        changing: whether its state or size will change without anybody's doing.
        inside: whether the caller may see what is in it (its parameters, its output).
        facts: why it is kept alive, what it has cost, what is mounted.
        queue_place: 1 for the next to start; None for one that does not wait for room.
    """

    workspace: Workspace
    state: DisplayedState
    operation: Operation | None
    changing: bool
    inside: bool
    facts: WorkspaceFacts
    queue_place: int | None = None


@dataclass(frozen=True)
class WorkspacePage:
    """Workspaces, and the cursor to ask for more (None: no more)."""

    views: tuple[WorkspaceView, ...]
    cursor: str | None


@dataclass(frozen=True)
class WorkspaceLine:
    """A line that an operation on the workspace said."""

    at: datetime
    operation: str
    story: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class WorkspaceLog:
    """What was done to the machine, oldest first; and the end of what it printed.

    `output` is None for those who may not see inside, or while the backend cannot tell.
    """

    lines: tuple[WorkspaceLine, ...]
    output: str | None


def show(rooms: Rooms, caller: Caller, workspace_id: str) -> WorkspaceView:
    """One workspace, also when it is terminated. Raises `NotFound`, also for one the caller may not see."""
    permissions.require(caller, Scope.WORKSPACES_READ_OWN)
    workspace, project = find_workspace(rooms, workspace_id)
    permissions.see_workspace(caller, workspace, project)
    return view(rooms, caller, workspace, project)


def list_workspaces(
    rooms: Rooms,
    caller: Caller,
    *,
    project: str | None = None,
    ended: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> WorkspacePage:
    """Workspaces that the caller may see, newest first, of one project if given; with `ended` the terminated too.

    A page may hold fewer than `limit` and still have a cursor.
    """
    permissions.require(caller, Scope.WORKSPACES_READ_OWN)
    where = ({"project": project} if project is not None else {}) | ({} if ended else {"standing": "standing"})
    page = rooms.records.find(Workspace, where=where or None, cursor=cursor, limit=limit, newest_first=True)
    projects: dict[str, Project] = {}
    line: Line = cache(lambda: places(rooms))
    seen = []
    for workspace in page.records:
        if workspace.project not in projects:
            projects[workspace.project] = project_by_name(rooms.records, workspace.project)
        try:
            permissions.see_workspace(caller, workspace, projects[workspace.project])
        except NotFound:
            continue
        seen.append(view(rooms, caller, workspace, projects[workspace.project], line))
    return WorkspacePage(tuple(seen), page.cursor)


def log(rooms: Rooms, caller: Caller, workspace_id: str, *, last_bytes: int = 65_536) -> WorkspaceLog:
    """What was done to the workspace and, for those inside, the end of what it printed. Raises `NotFound`."""
    seen = show(rooms, caller, workspace_id)
    operations = rooms.operations.find(subject=f"workspace/{workspace_id}", limit=_OPERATIONS_TOLD).records
    lines = tuple(
        WorkspaceLine(entry.at, operation.id, operation.story, entry.body)
        for operation in reversed(operations)
        for entry in rooms.operations.log(operation.id)
    )
    return WorkspaceLog(lines, _output(rooms, seen.workspace, last_bytes) if seen.inside else None)


def view(
    rooms: Rooms, caller: Caller, workspace: Workspace, project: Project, line: Line | None = None
) -> WorkspaceView:
    """The workspace with its state as of now; `line` gives the places of those that wait, if they are known."""
    operation = _operation(rooms, workspace)
    state = displayed(workspace, operation, rooms.clock.now())
    place: int | None = None
    if workspace.queued:
        place, reason = _place(workspace, line() if line is not None else places(rooms))
        state = replace(state, reason=reason)
    return WorkspaceView(
        workspace,
        state,
        operation,
        state.changing or _waits(workspace, operation),
        permissions.is_inside(caller, workspace, project),
        facts_of(rooms, workspace),
        place,
    )


def _place(workspace: Workspace, line: Sequence[Place]) -> tuple[int, str]:
    """Its place in the queue and why it waits."""
    mine = next((place for place in line if place.id == workspace.id), None)
    if mine is None or mine.starts:
        return 1, "There is room now; it starts in a moment."
    return mine.number, f"Place {mine.number} in the queue. {mine.reason}"


def _operation(rooms: Rooms, workspace: Workspace) -> Operation | None:
    if workspace.operation_id is None:
        return None
    try:
        return rooms.operations.get(workspace.operation_id)
    except NotFound:
        return None


def _waits(workspace: Workspace, operation: Operation | None) -> bool:
    """Whether a wish waits that the state does not show: a running machine that is to have another size."""
    if workspace.unmet is None:
        return False
    tried = operation is not None and operation.params.get("generation") == workspace.generation
    return not (tried and operation is not None and operation.failure is not None)


def _output(rooms: Rooms, workspace: Workspace, last_bytes: int) -> str | None:
    backend = rooms.backends.get(workspace.backend)
    if backend is None:
        return None
    try:
        return backend.log(workspace.id, last_bytes=last_bytes)
    except (Unavailable, NotFound):
        return None

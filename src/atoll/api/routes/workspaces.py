"""Workspaces: launched, changed, shared, looked at.

What changes one answers at once with what is wanted then; the state follows.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.workspaces import (
    Extension,
    LaunchAnswer,
    NewSize,
    NewWorkspace,
    QuoteAnswer,
    WorkspaceAnswer,
    WorkspaceLogAnswer,
)
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import change_workspace, open_workspace, read_workspace, share_workspace

routes = Routes("workspaces")

_ORDER = Ordering[WorkspaceAnswer](
    *("name", "project", "owner", "product", "size", "state", "created_at", "expires_at", "idle_reason"),
    *("uptime_seconds", "eur_per_hour", "spent_eur"),
)

_Project = Annotated[str | None, Query(max_length=64, description="Those of this project.")]
_Ended = Annotated[bool, Query(description="The terminated too.")]
_LastBytes = Annotated[int, Query(ge=0, le=2**20, description="Most bytes of what the machine printed.")]


@routes.get("/workspaces", scope=Scope.WORKSPACES_READ_OWN)
def list_workspaces(
    rooms: RoomsHere,
    caller: CallerHere,
    project: _Project = None,
    ended: _Ended = False,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[WorkspaceAnswer]:
    """Workspaces, newest first: one's own and those shared with one, or all with `workspaces:read`."""

    def ask(cursor: str | None, limit: int) -> Listing[WorkspaceAnswer]:
        page = read_workspace.list_workspaces(rooms, caller, project=project, ended=ended, cursor=cursor, limit=limit)
        return Listing(items=tuple(map(WorkspaceAnswer.of, page.views)), cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.post(
    "/workspaces",
    scope=Scope.WORKSPACES_RUN,
    status_code=201,
    responses={200: {"model": LaunchAnswer, "description": "A dry run: what it would come to"}},
)
def create_workspace(rooms: RoomsHere, caller: CallerHere, body: NewWorkspace, response: Response) -> LaunchAnswer:
    """Launch a workspace at a confirmed price, or say by a dry run what it would come to."""
    if body.dry_run:
        response.status_code = 200
        return LaunchAnswer(quote=QuoteAnswer.of(open_workspace.quote(rooms, caller, body.launch())), workspace=None)
    quote, workspace = open_workspace.create(rooms, caller, body.launch(), body.confirm_eur_per_hour)
    return LaunchAnswer(quote=QuoteAnswer.of(quote), workspace=_shown(rooms, caller, workspace.id))


@routes.get("/workspaces/{id}", scope=Scope.WORKSPACES_READ_OWN)
def show_workspace(rooms: RoomsHere, caller: CallerHere, id: str) -> WorkspaceAnswer:
    """One workspace: its state and why, its price, the operation on it."""
    return _shown(rooms, caller, id)


@routes.post("/workspaces/{id}/stop", scope=Scope.WORKSPACES_END_OWN, status_code=202)
def stop_workspace(rooms: RoomsHere, caller: CallerHere, id: str) -> WorkspaceAnswer:
    """End its processes; the home stays."""
    return _shown(rooms, caller, change_workspace.stop(rooms, caller, id).id)


@routes.post("/workspaces/{id}/hibernate", scope=Scope.WORKSPACES_RUN, status_code=202)
def hibernate_workspace(rooms: RoomsHere, caller: CallerHere, id: str) -> WorkspaceAnswer:
    """Have it stand still, with what is in memory kept."""
    return _shown(rooms, caller, change_workspace.hibernate(rooms, caller, id).id)


@routes.post("/workspaces/{id}/wake", scope=Scope.WORKSPACES_RUN, status_code=202)
def wake_workspace(rooms: RoomsHere, caller: CallerHere, id: str) -> WorkspaceAnswer:
    """Have it run again, from hibernation or from its start."""
    return _shown(rooms, caller, change_workspace.wake(rooms, caller, id).id)


@routes.post("/workspaces/{id}/resize", scope=Scope.WORKSPACES_RUN, status_code=202)
def resize_workspace(rooms: RoomsHere, caller: CallerHere, id: str, body: NewSize) -> WorkspaceAnswer:
    """Give it another size of its product at a confirmed price."""
    changed = change_workspace.resize(rooms, caller, id, body.size, body.confirm_eur_per_hour)
    return _shown(rooms, caller, changed.id)


@routes.post("/workspaces/{id}/extend", scope=Scope.WORKSPACES_RUN)
def extend_workspace(rooms: RoomsHere, caller: CallerHere, id: str, body: Extension) -> WorkspaceAnswer:
    """Let it stand longer, counted from now."""
    return _shown(rooms, caller, change_workspace.extend(rooms, caller, id, body.days).id)


@routes.post("/workspaces/{id}/terminate", scope=Scope.WORKSPACES_END_OWN, status_code=202)
def terminate_workspace(rooms: RoomsHere, caller: CallerHere, id: str) -> WorkspaceAnswer:
    """Take it away for good, its home too; from every state, and again is no harm."""
    return _shown(rooms, caller, change_workspace.terminate(rooms, caller, id).id)


@routes.put("/workspaces/{id}/shares/{login}", scope=Scope.WORKSPACES_RUN)
def share_workspace_with(
    rooms: RoomsHere,
    caller: CallerHere,
    id: str,
    login: str,
    look_on: Annotated[bool, Query(description="Of a screen: to look, without keys and pointer.")] = False,
) -> WorkspaceAnswer:
    """Let another member of the project see it and what is in it; again changes how."""
    return _shown(rooms, caller, share_workspace.share(rooms, caller, id, login, look_on=look_on).id)


@routes.delete("/workspaces/{id}/shares/{login}", scope=Scope.WORKSPACES_RUN)
def unshare_workspace(rooms: RoomsHere, caller: CallerHere, id: str, login: str) -> WorkspaceAnswer:
    """Let them see it no longer."""
    return _shown(rooms, caller, share_workspace.unshare(rooms, caller, id, login).id)


@routes.get("/workspaces/{id}/log", scope=Scope.WORKSPACES_READ_OWN)
def show_workspace_log(
    rooms: RoomsHere, caller: CallerHere, id: str, last_bytes: _LastBytes = 65_536
) -> WorkspaceLogAnswer:
    """What was done to it; and for those inside, what it printed."""
    return WorkspaceLogAnswer.of(read_workspace.log(rooms, caller, id, last_bytes=last_bytes))


def _shown(rooms: RoomsHere, caller: CallerHere, workspace_id: str) -> WorkspaceAnswer:
    return WorkspaceAnswer.of(read_workspace.show(rooms, caller, workspace_id))

"""The owner of a workspace lets others of the project see it."""

from __future__ import annotations

from atoll.access import permissions
from atoll.access.directory import person_by_login
from atoll.errors import Conflict, NotFound
from atoll.flows.rooms import Rooms
from atoll.flows.write_workspace import still_standing, write_workspace
from atoll.model.person import Caller, Person, Project
from atoll.model.workspace import STREAMED, ProductVersion, Workspace


def share(rooms: Rooms, caller: Caller, workspace_id: str, login: str, *, look_on: bool = False) -> Workspace:
    """Let another member of the project see it and what is in it; again changes how, or nothing.

    With `look_on` they see its screen, and neither keys nor pointer of theirs reach it. Raises
    `NotFound`, also for somebody who is no member, `NotPermitted`, `Conflict` for its owner and
    for looking on at what is no screen.
    """

    def change(workspace: Workspace, project: Project) -> Workspace:
        still_standing(workspace)
        if login == workspace.owner_login:
            raise Conflict("It is the owner's own.", where=f"workspace/{workspace_id}", todo="Nothing to do.")
        _member(rooms, project, login)
        if look_on and rooms.records.get(ProductVersion, workspace.product).product.service not in STREAMED:
            raise Conflict(
                "Only at a screen can somebody look on.",
                where=f"workspace/{workspace_id}",
                todo="Share it whole, or launch a desktop.",
            )
        looks_on = workspace.looks_on | {login} if look_on else workspace.looks_on - {login}
        return workspace.but(shared_with=workspace.shared_with | {login}, looks_on=looks_on)

    return write_workspace(
        rooms,
        caller,
        workspace_id,
        action="workspace.share",
        may=permissions.run_workspace,
        change=change,
        details={"login": login, "look_on": look_on},
    )


def unshare(rooms: Rooms, caller: Caller, workspace_id: str, login: str) -> Workspace:
    """Let them see it no longer; again changes nothing. Raises `NotFound`, `NotPermitted`."""
    return write_workspace(
        rooms,
        caller,
        workspace_id,
        action="workspace.unshare",
        may=permissions.change_workspace,
        change=lambda workspace, _: workspace.but(
            shared_with=workspace.shared_with - {login}, looks_on=workspace.looks_on - {login}
        ),
        details={"login": login},
    )


def _member(rooms: Rooms, project: Project, login: str) -> Person:
    """Who is no member is not told apart from who is not there."""
    try:
        person = person_by_login(rooms.records, login)
    except NotFound:
        raise _no_member(login) from None
    if not (person.active and project.has_member(person.id, rooms.clock.now())):
        raise _no_member(login)
    return person


def _no_member(login: str) -> NotFound:
    return NotFound(
        "There is no such person in the project.",
        where=f"person/{login}",
        todo="Ask an administrator to add them to it.",
    )

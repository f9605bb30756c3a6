"""The platform acts for a workspace's owner, with the rights the owner has now."""

from __future__ import annotations

from atoll.errors import NotPermitted
from atoll.flows.callers import caller_now
from atoll.flows.rooms import Rooms
from atoll.model.person import Caller, Person
from atoll.model.workspace import Workspace


def owner_of(rooms: Rooms, workspace: Workspace) -> Caller:
    """The owner as a caller. Raises `NotPermitted` for one who is deactivated."""
    person = rooms.records.get(Person, workspace.owner)
    if not person.active:
        raise NotPermitted(
            "The workspace's owner is deactivated.",
            where=f"workspace/{workspace.id}",
            todo="Ask an administrator to activate the person.",
        )
    return caller_now(rooms, person)

"""Projects are added, and people join and leave them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atoll.access import permissions, policies
from atoll.access.directory import person_by_login, project_by_name
from atoll.access.scopes import Scope
from atoll.errors import NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Person, Project
from atoll.model.record import new_id
from atoll.ports.records import Page, Put

_TRIES = 10


@dataclass(frozen=True)
class ProjectView:
    """A project with the logins of its members, in order."""

    project: Project
    members: tuple[str, ...]


def list_projects(rooms: Rooms, caller: Caller, cursor: str | None = None, limit: int = 100) -> Page[Project]:
    """Every project with `projects:read`, otherwise one's own.

    A page of one's own projects may hold fewer than `limit` and still have a cursor.
    """
    permissions.require(caller, Scope.PROJECTS_READ_OWN)
    page = rooms.records.find(Project, cursor=cursor, limit=limit)
    if permissions.has(caller, Scope.PROJECTS_READ):
        return page
    return Page(tuple(p for p in page.records if permissions.is_member(caller, p)), page.cursor)


def show_project(rooms: Rooms, caller: Caller, name: str) -> ProjectView:
    """One project. Raises `NotFound`, also for one that the caller may not see."""
    project = project_by_name(rooms.records, name)
    permissions.see_project(caller, project)
    return view(rooms, project)


def view(rooms: Rooms, project: Project) -> ProjectView:
    """The project with its members' logins."""
    logins = []
    for person_id in project.members:
        try:
            logins.append(rooms.records.get(Person, person_id).login)
        except NotFound:
            continue
    return ProjectView(project, tuple(sorted(logins)))


def add_project(rooms: Rooms, caller: Caller, *, name: str, title: str) -> ProjectView:
    """A project without members. Raises `AlreadyExists` when the name is taken."""
    permissions.require(caller, Scope.PROJECTS_WRITE)
    project = Project(id=new_id("prj"), name=name, title=title, created_at=rooms.clock.now())
    event = AuditEvent(action="project.add", target=f"project/{name}", caller=caller)
    rooms.audit.record(event, Put(project))
    return view(rooms, rooms.records.get(Project, project.id))


def add_member(rooms: Rooms, caller: Caller, name: str, login: str) -> ProjectView:
    """Somebody joins; again changes nothing. Raises `NotFound`, `Conflict` for the deactivated."""
    permissions.require(caller, Scope.PROJECTS_WRITE)
    person = person_by_login(rooms.records, login)
    policies.join_project(person)
    return _change_members(
        rooms, caller, name, person, action="project.join", change=lambda members: members | {person.id}
    )


def remove_member(rooms: Rooms, caller: Caller, name: str, login: str) -> ProjectView:
    """Somebody leaves; again changes nothing. Raises `NotFound`."""
    permissions.require(caller, Scope.PROJECTS_WRITE)
    person = person_by_login(rooms.records, login)
    return _change_members(
        rooms, caller, name, person, action="project.leave", change=lambda members: members - {person.id}
    )


def _change_members(
    rooms: Rooms,
    caller: Caller,
    name: str,
    person: Person,
    *,
    action: str,
    change: Callable[[frozenset[str]], frozenset[str]],
) -> ProjectView:
    """Two administrators may change members at once, so read again when somebody wrote in between."""
    for _ in range(_TRIES):
        project = project_by_name(rooms.records, name)
        members = change(project.members)
        if members == project.members:
            return view(rooms, project)
        event = AuditEvent(
            action=action, target=f"project/{name}", caller=caller, details={"person": person.id, "login": person.login}
        )
        try:
            rooms.audit.record(event, Put(project.but(members=members)))
        except VersionConflict:
            continue
        return view(rooms, rooms.records.get(Project, project.id))
    raise VersionConflict("The project is written to without end.", where=f"project/{name}", todo="Try again.")

"""Projects are added, and people join and leave them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType

from atoll.access import permissions, policies
from atoll.access.directory import person_by_login, project_by_name
from atoll.access.scopes import Scope
from atoll.errors import NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM, Caller, Membership, Person, Project
from atoll.model.record import new_id
from atoll.ports.records import Page, Put, every

_TRIES = 10
NO_DETAILS: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class ProjectView:
    """A project with the logins of its members, in order."""

    project: Project
    members: tuple[str, ...]
    #: What is particular to a member, by login.
    terms: Mapping[str, Membership]


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
    logins = {}
    for person_id in project.members:
        try:
            logins[person_id] = rooms.records.get(Person, person_id).login
        except NotFound:
            continue
    terms = {logins[id]: term for id, term in project.terms.items() if id in logins}
    return ProjectView(project, tuple(sorted(logins.values())), terms)


def add_project(rooms: Rooms, caller: Caller, *, name: str, title: str) -> ProjectView:
    """A project without members. Raises `AlreadyExists` when the name is taken."""
    permissions.require(caller, Scope.PROJECTS_WRITE)
    project = Project(id=new_id("prj"), name=name, title=title, created_at=rooms.clock.now())
    event = AuditEvent(action="project.add", target=f"project/{name}", caller=caller)
    rooms.audit.record(event, Put(project))
    return view(rooms, rooms.records.get(Project, project.id))


def set_paste(rooms: Rooms, caller: Caller, name: str, paste: bool) -> ProjectView:
    """Whether text may be pasted into the project's screens, from now on; what is open is opened anew.

    Raises `NotFound`, `NotPermitted`.
    """
    permissions.require(caller, Scope.PROJECTS_WRITE)
    return _change(rooms, caller, name, "project.paste", lambda project: project.but(paste=paste), {"paste": paste})


def add_member(
    rooms: Rooms, caller: Caller, name: str, login: str, *, until: datetime | None = None, lead: bool = False
) -> ProjectView:
    """Somebody joins, until a time or without an end; again changes the terms only.

    Raises `NotFound`, `Conflict` for the deactivated, `InvalidInput` for an end that has passed.
    """
    permissions.require(caller, Scope.PROJECTS_WRITE)
    person = person_by_login(rooms.records, login)
    policies.join_project(person)
    policies.membership_ends(rooms.clock.now(), until)
    terms = Membership(until=until, lead=lead)
    details = {"until": None if until is None else until.isoformat(), "lead": lead}
    return _change_members(
        rooms, caller, name, person, action="project.join", change=partial(_with, person, terms), details=details
    )


def remove_member(rooms: Rooms, caller: Caller, name: str, login: str) -> ProjectView:
    """Somebody leaves; again changes nothing. Raises `NotFound`."""
    permissions.require(caller, Scope.PROJECTS_WRITE)
    person = person_by_login(rooms.records, login)
    return _change_members(rooms, caller, name, person, action="project.leave", change=partial(_without, person.id))


def end_memberships(rooms: Rooms) -> int:
    """Take out whoever's membership has ended; it counts no more from its end on. How many."""
    ended = 0
    for project in every(rooms.records, Project):
        now = rooms.clock.now()
        late = [id for id, terms in project.terms.items() if terms.until is not None and terms.until <= now]
        for person_id in late:
            newest = rooms.records.get(Project, project.id)
            event = AuditEvent(
                action="project.leave",
                target=f"project/{project.name}",
                caller=PLATFORM,
                because="the membership ended",
                details={"person": person_id},
            )
            try:
                rooms.audit.record(event, Put(_without(person_id, newest)))
            except VersionConflict:
                continue
            ended += 1
    return ended


def _with(person: Person, terms: Membership, project: Project) -> Project:
    others = {id: term for id, term in project.terms.items() if id != person.id}
    particular = {} if terms == Membership() else {person.id: terms}
    return project.but(members=project.members | {person.id}, terms={**others, **particular})


def _without(person_id: str, project: Project) -> Project:
    others = {id: term for id, term in project.terms.items() if id != person_id}
    return project.but(members=project.members - {person_id}, terms=others)


def _change_members(
    rooms: Rooms,
    caller: Caller,
    name: str,
    person: Person,
    *,
    action: str,
    change: Callable[[Project], Project],
    details: Mapping[str, object] = NO_DETAILS,
) -> ProjectView:
    return _change(rooms, caller, name, action, change, {"person": person.id, "login": person.login, **details})


def _change(
    rooms: Rooms,
    caller: Caller,
    name: str,
    action: str,
    change: Callable[[Project], Project],
    details: Mapping[str, object],
) -> ProjectView:
    """Two administrators may change a project at once, so read again when somebody wrote in between."""
    for _ in range(_TRIES):
        project = project_by_name(rooms.records, name)
        changed = change(project)
        if changed == project:
            return view(rooms, project)
        event = AuditEvent(action=action, target=f"project/{name}", caller=caller, details=dict(details))
        try:
            rooms.audit.record(event, Put(changed))
        except VersionConflict:
            continue
        return view(rooms, rooms.records.get(Project, project.id))
    raise VersionConflict("The project is written to without end.", where=f"project/{name}", todo="Try again.")

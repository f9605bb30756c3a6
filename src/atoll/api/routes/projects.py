"""Projects and their members."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.people import MemberTerms, NewProject, PasteRule, ProjectAnswer
from atoll.api.schemas.shares import ShareAnswer, ShareEntryAnswer
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import manage_projects, read_share
from atoll.flows.manage_projects import ProjectView

routes = Routes("projects")

_ORDER = Ordering[ProjectAnswer](
    *("name", "title", "created_at"),
    id=lambda one: one.name,
    members=lambda one: len(one.members),
    leads=lambda one: " ".join(terms.login for terms in one.terms if terms.lead),
)


@routes.get("/projects", scope=Scope.PROJECTS_READ_OWN)
def list_projects(
    rooms: RoomsHere,
    caller: CallerHere,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[ProjectAnswer]:
    """One's own projects, or all with `projects:read`."""

    def ask(cursor: str | None, limit: int) -> Listing[ProjectAnswer]:
        page = manage_projects.list_projects(rooms, caller, cursor, limit)
        items = tuple(_answer(manage_projects.view(rooms, project)) for project in page.records)
        return Listing(items=items, cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.post("/projects", scope=Scope.PROJECTS_WRITE, status_code=201)
def add_project(rooms: RoomsHere, caller: CallerHere, body: NewProject) -> ProjectAnswer:
    """Add a project without members."""
    return _answer(manage_projects.add_project(rooms, caller, name=body.name, title=body.title))


@routes.get("/projects/{name}", scope=Scope.PROJECTS_READ_OWN)
def show_project(rooms: RoomsHere, caller: CallerHere, name: str) -> ProjectAnswer:
    """One project."""
    return _answer(manage_projects.show_project(rooms, caller, name))


@routes.put("/projects/{name}/paste", scope=Scope.PROJECTS_WRITE)
def set_project_paste(rooms: RoomsHere, caller: CallerHere, name: str, body: PasteRule) -> ProjectAnswer:
    """Whether text may be pasted into the streamed screens of its machines. None ever comes out but by the airlock."""
    return _answer(manage_projects.set_paste(rooms, caller, name, body.paste))


@routes.put("/projects/{name}/members/{login}", scope=Scope.PROJECTS_WRITE)
def add_member(
    rooms: RoomsHere, caller: CallerHere, name: str, login: str, body: MemberTerms | None = None
) -> ProjectAnswer:
    """Have somebody join, until a time if `until` says so; again changes the terms only."""
    terms = body or MemberTerms()
    return _answer(manage_projects.add_member(rooms, caller, name, login, until=terms.until, lead=terms.lead))


@routes.delete("/projects/{name}/members/{login}", scope=Scope.PROJECTS_WRITE)
def remove_member(rooms: RoomsHere, caller: CallerHere, name: str, login: str) -> ProjectAnswer:
    """Have somebody leave; again changes nothing."""
    return _answer(manage_projects.remove_member(rooms, caller, name, login))


@routes.get("/projects/{name}/share", scope=Scope.PROJECTS_READ_OWN)
def show_share(rooms: RoomsHere, caller: CallerHere, name: str) -> ShareAnswer:
    """How full the project's share is, which its machines see at `/project`."""
    return ShareAnswer.of(read_share.show_share(rooms, caller, name))


@routes.get("/projects/{name}/share/files", scope=Scope.AIRLOCK_REQUEST)
def list_share_files(
    rooms: RoomsHere,
    caller: CallerHere,
    name: str,
    folder: Annotated[str, Query(max_length=2000, description="Below the share; empty for the share itself.")] = "",
) -> Listing[ShareEntryAnswer]:
    """Names and sizes of what lies in a folder of the share, folders first; nothing of what is in a file."""
    return Listing(items=tuple(map(ShareEntryAnswer.of, read_share.list_files(rooms, caller, name, folder))))


def _answer(view: ProjectView) -> ProjectAnswer:
    return ProjectAnswer.of(view.project, view.members, view.terms)

"""Git repositories of projects, what was pushed to them, and packages that went into machines."""

from __future__ import annotations

from typing import Annotated

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.repositories import NewRepository, PackageAnswer, PushAnswer, RepositoryAnswer, Restoration
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import manage_repositories

routes = Routes("repositories")

_PACKAGE_ORDER = Ordering[PackageAnswer](
    *("at", "package", "ecosystem", "login", "workspace", "bytes", "verified"),
    id=lambda one: f"{one.at.isoformat()}/{one.workspace}/{one.file}",
)


@routes.get("/projects/{name}/repositories", scope=Scope.REPOSITORIES_READ_OWN)
def list_repositories(rooms: RoomsHere, caller: CallerHere, name: str) -> Listing[RepositoryAnswer]:
    """The git repositories of a project."""
    found = manage_repositories.list_repositories(rooms, caller, name)
    return Listing(items=tuple(map(RepositoryAnswer.of, found)))


@routes.post("/projects/{name}/repositories", scope=Scope.REPOSITORIES_WRITE, status_code=201)
def create_repository(rooms: RoomsHere, caller: CallerHere, name: str, body: NewRepository) -> RepositoryAnswer:
    """Make an empty git repository; a first push from a machine makes one, too."""
    return RepositoryAnswer.of(manage_repositories.create_repository(rooms, caller, name, body.name))


@routes.get("/projects/{name}/repositories/{repo}", scope=Scope.REPOSITORIES_READ_OWN)
def show_repository(rooms: RoomsHere, caller: CallerHere, name: str, repo: str) -> RepositoryAnswer:
    """One repository: its size, its last push, its backups."""
    return RepositoryAnswer.of(manage_repositories.show_repository(rooms, caller, name, repo))


@routes.post("/projects/{name}/repositories/{repo}/restore", scope=Scope.REPOSITORIES_RESTORE)
def restore_repository(
    rooms: RoomsHere, caller: CallerHere, name: str, repo: str, body: Restoration
) -> RepositoryAnswer:
    """Bring a backup back, also of a repository that is lost."""
    view = manage_repositories.restore_repository(
        rooms, caller, name, repo, generation=body.generation, into=body.into, replace=body.replace
    )
    return RepositoryAnswer.of(view)


@routes.get("/projects/{name}/pushes", scope=Scope.REPOSITORIES_READ_OWN)
def list_pushes(
    rooms: RoomsHere, caller: CallerHere, name: str, cursor: Cursor = None, limit: Limit = 100
) -> Listing[PushAnswer]:
    """What was pushed to the project's repositories, newest first."""
    page = manage_repositories.list_pushes(rooms, caller, name, cursor, limit)
    return Listing(items=tuple(map(PushAnswer.of, page.entries)), cursor=page.cursor)


@routes.get("/projects/{name}/packages", scope=Scope.PACKAGES_READ_OWN)
def list_packages(
    rooms: RoomsHere,
    caller: CallerHere,
    name: str,
    sort: Annotated[str | None, _PACKAGE_ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[PackageAnswer]:
    """Packages that went into the project's machines, newest first."""

    def ask(cursor: str | None, limit: int) -> Listing[PackageAnswer]:
        page = manage_repositories.list_packages(rooms, caller, name, cursor, limit)
        return Listing(items=tuple(map(PackageAnswer.of, page.entries)), cursor=page.cursor)

    return _PACKAGE_ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)

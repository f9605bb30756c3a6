"""Grants."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.grants import GrantAnswer, NewGrant
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import grant_access

routes = Routes("grants")

_Project = Annotated[str | None, Query(max_length=64, description="Those of this project.")]
_Dataset = Annotated[str | None, Query(max_length=64, description="Those to this dataset.")]


@routes.get("/grants", scope=Scope.GRANTS_READ_OWN)
def list_grants(
    rooms: RoomsHere,
    caller: CallerHere,
    project: _Project = None,
    dataset: _Dataset = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[GrantAnswer]:
    """Grants, newest first, those revoked and expired too: of one's own projects, or all with `grants:read`."""
    page = grant_access.list_grants(rooms, caller, project=project, dataset=dataset, cursor=cursor, limit=limit)
    now = rooms.clock.now()
    return Listing(items=tuple(GrantAnswer.of(grant, now) for grant in page.records), cursor=page.cursor)


@routes.post(
    "/grants",
    scope=Scope.GRANTS_WRITE,
    status_code=201,
    responses={200: {"model": GrantAnswer, "description": "A dry run: what would be given; nothing is"}},
)
def add_grant(rooms: RoomsHere, caller: CallerHere, body: NewGrant, response: Response) -> GrantAnswer:
    """Give a project a right to a dataset, or check that it could be given; not to a project of one's own."""
    if body.dry_run:
        response.status_code = 200
    grant = grant_access.add_grant(
        rooms,
        caller,
        project=body.project,
        dataset=body.dataset,
        tables=body.table_grants(),
        pinned=body.version,
        reason=body.reason,
        expires_at=body.expires_at,
        dry_run=body.dry_run,
    )
    return GrantAnswer.of(grant, rooms.clock.now())


@routes.get("/grants/{id}", scope=Scope.GRANTS_READ_OWN)
def show_grant(rooms: RoomsHere, caller: CallerHere, id: str) -> GrantAnswer:
    """One grant."""
    return GrantAnswer.of(grant_access.show_grant(rooms, caller, id), rooms.clock.now())


@routes.delete("/grants/{id}", scope=Scope.GRANTS_WRITE)
def revoke_grant(rooms: RoomsHere, caller: CallerHere, id: str) -> GrantAnswer:
    """Take a right back; queries asked from now on do not have it."""
    return GrantAnswer.of(grant_access.revoke_grant(rooms, caller, id), rooms.clock.now())

"""Requests for grants: a project asks, a steward of no part in it decides."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.grant_requests import GrantDecision, GrantRequestAnswer, NewGrantRequest
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import request_grant as story

routes = Routes("grant-requests")


@routes.get("/grant-requests", scope=Scope.GRANTS_READ_OWN)
def list_grant_requests(
    rooms: RoomsHere,
    caller: CallerHere,
    project: Annotated[str | None, Query(max_length=64, description="Those of this project.")] = None,
    dataset: Annotated[str | None, Query(max_length=64, description="Those for this dataset.")] = None,
    waiting: Annotated[bool, Query(description="Those that wait for a decision.")] = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[GrantRequestAnswer]:
    """Requests, newest first: of one's own projects, or all with `grants:read`."""
    page = story.list_requests(
        rooms, caller, project=project, dataset=dataset, waiting=waiting, cursor=cursor, limit=limit
    )
    now = rooms.clock.now()
    return Listing(items=tuple(GrantRequestAnswer.of(r, now) for r in page.records), cursor=page.cursor)


@routes.post("/grant-requests", scope=Scope.GRANTS_REQUEST, status_code=201)
def request_grant(rooms: RoomsHere, caller: CallerHere, body: NewGrantRequest) -> GrantRequestAnswer:
    """Ask that a project of one's own may read a dataset, whole or in part."""
    request = story.request_grant(
        rooms,
        caller,
        project=body.project,
        dataset=body.dataset,
        tables=body.table_grants(),
        pinned=body.version,
        purpose=body.purpose,
        expires_at=body.expires_at,
    )
    return GrantRequestAnswer.of(request, rooms.clock.now(), story.standing_grant(rooms, request))


@routes.get("/grant-requests/{id}", scope=Scope.GRANTS_READ_OWN)
def show_grant_request(rooms: RoomsHere, caller: CallerHere, id: str) -> GrantRequestAnswer:
    """One request."""
    request = story.show_request(rooms, caller, id)
    return GrantRequestAnswer.of(request, rooms.clock.now(), story.standing_grant(rooms, request))


@routes.post("/grant-requests/{id}/approve", scope=Scope.GRANTS_WRITE)
def approve_grant_request(rooms: RoomsHere, caller: CallerHere, id: str, body: GrantDecision) -> GrantRequestAnswer:
    """Give what somebody else asked for a project of others; a grant in force is replaced by it."""
    return GrantRequestAnswer.of(story.approve(rooms, caller, id, body.reason), rooms.clock.now())


@routes.post("/grant-requests/{id}/refuse", scope=Scope.GRANTS_WRITE)
def refuse_grant_request(rooms: RoomsHere, caller: CallerHere, id: str, body: GrantDecision) -> GrantRequestAnswer:
    """Turn down what somebody else asked for a project of others."""
    return GrantRequestAnswer.of(story.refuse(rooms, caller, id, body.reason), rooms.clock.now())


@routes.delete("/grant-requests/{id}", scope=Scope.GRANTS_REQUEST)
def withdraw_grant_request(rooms: RoomsHere, caller: CallerHere, id: str) -> GrantRequestAnswer:
    """Take one's own request back."""
    return GrantRequestAnswer.of(story.withdraw_request(rooms, caller, id), rooms.clock.now())

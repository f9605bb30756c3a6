"""The airlock: requests, their files, reviews and releases."""

from __future__ import annotations

import base64
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from atoll.access.directory import project_by_name
from atoll.access.scopes import Scope
from atoll.airlock import Preview
from atoll.airlock.checks.rules import RULES
from atoll.api.ordering import Find, Ordering
from atoll.api.routing import Routes
from atoll.api.schemas.airlock import (
    AirlockCheckAnswer,
    AirlockRequestAnswer,
    NewAirlockRequest,
    NewAirlockReview,
    NewReleaseGrant,
)
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.shares import FileOfShare
from atoll.api.security import CallerHere, RoomsHere
from atoll.api.uploads import receive_upload
from atoll.errors import NotFound
from atoll.flows import fetch_release, read_airlock, read_share, request_airlock, review_airlock
from atoll.flows.rooms import Rooms
from atoll.model.airlock import AirlockRequest, AirlockState, Direction
from atoll.model.person import Caller

routes = Routes("airlock")

_ORDER = Ordering[AirlockRequestAnswer](
    *("purpose", "destination", "direction", "project", "requester", "state", "opened_at", "changed_at"),
    files=lambda one: len(one.files),
)

_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"format": "binary"}}}}}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The content", "content": {"application/octet-stream": {}}}
}
_PNG: dict[int | str, dict[str, Any]] = {200: {"description": "The picture", "content": {"image/png": {}}}}
_Index = Annotated[int, Path(ge=0)]
#: Whatever a browser makes of the bytes, it neither runs them nor shows them as a page of ours.
_CONTAINED = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}


@routes.get("/airlock-requests", scope=Scope.AIRLOCK_READ_OWN)
def list_airlock_requests(
    rooms: RoomsHere,
    caller: CallerHere,
    project: Annotated[str | None, Query(max_length=64, description="Those of this project.")] = None,
    state: Annotated[AirlockState | None, Query(description="Those in this state.")] = None,
    direction: Annotated[Direction | None, Query(description="Those that go this way.")] = None,
    mine: Annotated[bool, Query(description="Those that the caller asked for.")] = False,
    to_review: Annotated[bool, Query(description="Those that wait for the caller's review.")] = False,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[AirlockRequestAnswer]:
    """Requests that the caller may see, newest first; a page may be short and still have a cursor."""

    def ask(cursor: str | None, limit: int) -> Listing[AirlockRequestAnswer]:
        page = read_airlock.list_requests(
            rooms,
            caller,
            project=project,
            state=state,
            direction=direction,
            mine=mine,
            to_review=to_review,
            cursor=cursor,
            limit=limit,
        )
        return Listing(items=tuple(_answer(rooms, caller, request) for request in page.records), cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.get("/airlock-checks", scope=Scope.AIRLOCK_READ_OWN)
def list_airlock_checks() -> Listing[AirlockCheckAnswer]:
    """Every check, with how much it weighs on the way out and on the way in."""
    rules = tuple(AirlockCheckAnswer.of(name, rule.out, rule.into, rule.help) for name, rule in RULES.items())
    return Listing(items=rules, cursor=None)


@routes.post("/airlock-requests", scope=Scope.AIRLOCK_REQUEST, status_code=201)
def open_airlock_request(rooms: RoomsHere, caller: CallerHere, body: NewAirlockRequest) -> AirlockRequestAnswer:
    """Ask for files to leave a project, or to enter it; the files follow."""
    return _answer(rooms, caller, request_airlock.open_request(rooms, caller, **body.model_dump()))


@routes.get("/airlock-requests/{id}", scope=Scope.AIRLOCK_READ_OWN)
def show_airlock_request(rooms: RoomsHere, caller: CallerHere, id: str) -> AirlockRequestAnswer:
    """One request: its files, what was found in them, reviews once both are there, releases."""
    return _answer(rooms, caller, read_airlock.show_request(rooms, caller, id)[0])


@routes.put(
    "/airlock-requests/{id}/files/{index}",
    scope=Scope.AIRLOCK_REQUEST,
    max_body_size=None,
    openapi_extra=_BODY,
)
async def put_airlock_file(
    request: Request,
    rooms: RoomsHere,
    caller: CallerHere,
    id: str,
    index: _Index,
    name: Annotated[str, Query(min_length=1, max_length=200, description="Name of the file.")],
) -> AirlockRequestAnswer:
    """Put a file into an open request, its bytes as the body: at the next place, or instead of one that is there."""
    return await receive_upload(
        request,
        lambda chunks: _answer(rooms, caller, request_airlock.put_file(rooms, caller, id, index, name, chunks)),
        on_bytes=request.app.state.metrics.received,
    )


@routes.post("/airlock-requests/{id}/files/{index}/from-share", scope=Scope.AIRLOCK_REQUEST)
def put_airlock_file_of_share(
    rooms: RoomsHere, caller: CallerHere, id: str, index: _Index, body: FileOfShare
) -> AirlockRequestAnswer:
    """Copy a file of the project's share into an open request on the way out, as `PUT` does with bytes."""
    return _answer(rooms, caller, read_share.put_from_share(rooms, caller, id, index, body.path))


@routes.delete("/airlock-requests/{id}/files/{index}", scope=Scope.AIRLOCK_REQUEST)
def remove_airlock_file(rooms: RoomsHere, caller: CallerHere, id: str, index: _Index) -> AirlockRequestAnswer:
    """Take a file out of an open request; those behind it move up."""
    return _answer(rooms, caller, request_airlock.remove_file(rooms, caller, id, index))


@routes.post("/airlock-requests/{id}/submit", scope=Scope.AIRLOCK_REQUEST, status_code=202)
def submit_airlock_request(rooms: RoomsHere, caller: CallerHere, id: str) -> AirlockRequestAnswer:
    """Hand the files to the checks and, when these let them, to the reviewers."""
    return _answer(rooms, caller, request_airlock.submit(rooms, caller, id))


@routes.post("/airlock-requests/{id}/withdraw", scope=Scope.AIRLOCK_REQUEST)
def withdraw_airlock_request(rooms: RoomsHere, caller: CallerHere, id: str) -> AirlockRequestAnswer:
    """Take one's own request back; what was released can be fetched no more."""
    return _answer(rooms, caller, request_airlock.withdraw(rooms, caller, id))


@routes.post("/airlock-requests/{id}/reviews", scope=Scope.AIRLOCK_REVIEW, status_code=201)
def review_airlock_request(
    rooms: RoomsHere, caller: CallerHere, id: str, body: NewAirlockReview
) -> AirlockRequestAnswer:
    """Decide on every file. What both of two reviewers approve is released, or placed in the project's share."""
    decisions = [one.decision() for one in body.decisions]
    return _answer(rooms, caller, review_airlock.review(rooms, caller, id, decisions))


@routes.post("/airlock-requests/{id}/grants", scope=Scope.AIRLOCK_REVIEW, status_code=201)
def grant_airlock_release(rooms: RoomsHere, caller: CallerHere, id: str, body: NewReleaseGrant) -> AirlockRequestAnswer:
    """Let a person of the project fetch a released file once more."""
    return _answer(rooms, caller, review_airlock.grant_again(rooms, caller, id, body.index, body.login))


@routes.post("/airlock-requests/{id}/revoke", scope=Scope.AIRLOCK_REVIEW)
def revoke_airlock_release(rooms: RoomsHere, caller: CallerHere, id: str) -> AirlockRequestAnswer:
    """Take a release back; what was not fetched can be fetched no more."""
    return _answer(rooms, caller, review_airlock.withdraw(rooms, caller, id))


@routes.get("/airlock-requests/{id}/files/{index}/preview", scope=Scope.AIRLOCK_READ_OWN)
def preview_airlock_file(rooms: RoomsHere, caller: CallerHere, id: str, index: _Index) -> Preview:
    """The first rows, the text or the picture of a file, as plain data; for who asked and for reviewers."""
    return read_airlock.preview(rooms, caller, id, index)


@routes.get(
    "/airlock-requests/{id}/files/{index}/preview.png",
    scope=Scope.AIRLOCK_READ_OWN,
    response_class=Response,
    responses=_PNG,
)
def preview_airlock_picture(rooms: RoomsHere, caller: CallerHere, id: str, index: _Index) -> Response:
    """The picture of a file, drawn anew from its pixels."""
    shown = read_airlock.preview(rooms, caller, id, index)
    if shown.kind != "image":
        raise NotFound("The file is no picture.", where=f"file {index}", todo="Ask for its preview as data.")
    return Response(base64.b64decode(shown.image), media_type="image/png", headers=_CONTAINED)


@routes.get(
    "/airlock-requests/{id}/files/{index}/content",
    scope=Scope.AIRLOCK_REQUEST,
    response_class=Response,
    responses=_BYTES,
)
def fetch_airlock_file(rooms: RoomsHere, caller: CallerHere, id: str, index: _Index) -> Response:
    """Fetch a released file: once for each grant, by the person whom it names."""
    file, chunks = fetch_release.fetch(rooms, caller, id, index)
    headers = {
        **_CONTAINED,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
        "Content-Length": str(file.size_bytes),
        "X-Atoll-Sha256": file.sha256,
    }
    return StreamingResponse(chunks, media_type="application/octet-stream", headers=headers)


def _answer(rooms: Rooms, caller: Caller, request: AirlockRequest) -> AirlockRequestAnswer:
    return AirlockRequestAnswer.of(request, project_by_name(rooms.records, request.project), caller)

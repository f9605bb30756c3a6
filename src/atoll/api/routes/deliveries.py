"""Deliveries: manifest, files, submission, and what became of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path, Query, Request, Response

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering, number_in
from atoll.api.routing import Routes
from atoll.api.schemas.contracts import Refusal
from atoll.api.schemas.deliveries import DeliveryAnswer, NewDelivery, PartAnswer
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.api.uploads import receive_upload, sha256_of
from atoll.errors import LimitExceeded
from atoll.flows import receive_delivery as story
from atoll.flows import replay_delivery as decide
from atoll.model.delivery import DeliveryState, QuarantinedRow

routes = Routes("deliveries")

_HELD_ORDER = Ordering[QuarantinedRow](
    *("file", "row", "column", "rule", "message", "masked"),
    id=lambda row: f"{row.file}/{row.row or 0:012}/{row.column}/{row.rule}",
)

_ORDER = Ordering[DeliveryAnswer](
    *("dataset", "source", "state", "opened_by", "opened_at"),
    files=lambda one: len(one.files),
    rows_in=lambda one: one.outcome.rows_in if one.outcome else None,
    rows_committed=lambda one: one.outcome.rows_committed if one.outcome else None,
    rows_quarantined=lambda one: one.outcome.rows_quarantined if one.outcome else None,
)

_Source = Annotated[str | None, Query(max_length=64, description="Those of this source.")]
_Dataset = Annotated[str | None, Query(max_length=64, description="Those to this dataset.")]
_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"format": "binary"}}}}}


@routes.post(
    "/deliveries",
    scope=Scope.DELIVERIES_WRITE,
    status_code=201,
    responses={200: {"model": DeliveryAnswer, "description": "The delivery was there already"}},
)
def open_delivery(rooms: RoomsHere, caller: CallerHere, body: NewDelivery, response: Response) -> DeliveryAnswer:
    """Announce files by their manifest; the same manifest again is the same delivery."""
    delivery, new = story.open_delivery(rooms, caller, body.source, body.dataset, body.files)
    response.status_code = 201 if new else 200
    return DeliveryAnswer.of(story.show(rooms, caller, delivery.id))


@routes.put(
    "/deliveries/{id}/files/{index}",
    scope=Scope.DELIVERIES_WRITE,
    status_code=204,
    max_body_size=None,
    openapi_extra=_BODY,
)
async def upload_file(
    request: Request, rooms: RoomsHere, caller: CallerHere, id: str, index: Annotated[int, Path(ge=0)]
) -> None:
    """Send one file's bytes as the body; size and SHA-256 are checked against the manifest."""
    _check_announced(request, rooms.settings.upload_max_bytes, id)
    await receive_upload(
        request,
        lambda chunks: story.receive_file(rooms, caller, id, index, chunks),
        on_bytes=request.app.state.metrics.received,
    )


@routes.patch("/deliveries/{id}/files/{index}", scope=Scope.DELIVERIES_WRITE, max_body_size=None, openapi_extra=_BODY)
async def upload_part(
    request: Request,
    rooms: RoomsHere,
    caller: CallerHere,
    id: str,
    index: Annotated[int, Path(ge=0)],
    upload_offset: Annotated[int, Header(ge=0, description="Where the part begins: the file's `arrived_bytes`.")],
    content_digest: Annotated[
        str | None, Header(max_length=200, description="SHA-256 of the part: `sha-256=:<base64>:` (RFC 9530).")
    ] = None,
) -> PartAnswer:
    """Send a part of one file as the body; what arrived outlives a broken connection.

    A part with a digest is taken whole or not at all. With the last part the file is
    checked against the manifest. A part that begins elsewhere is a conflict: look at
    `arrived_bytes` of the delivery's file.
    """
    _check_announced(request, rooms.settings.upload_max_bytes, id)
    digest = None if content_digest is None else sha256_of(content_digest)
    arrived = await receive_upload(
        request,
        lambda chunks: story.receive_part(rooms, caller, id, index, upload_offset, chunks, digest),
        on_bytes=request.app.state.metrics.received,
    )
    return PartAnswer(arrived_bytes=arrived.arrived_bytes, received=arrived.whole)


@routes.post("/deliveries/{id}/submit", scope=Scope.DELIVERIES_WRITE, status_code=202)
def submit_delivery(rooms: RoomsHere, caller: CallerHere, id: str) -> DeliveryAnswer:
    """Hand the delivery to admission; again is no harm."""
    story.submit(rooms, caller, id)
    return DeliveryAnswer.of(story.show(rooms, caller, id))


@routes.get("/deliveries", scope=Scope.DELIVERIES_READ_OWN)
def list_deliveries(
    rooms: RoomsHere,
    caller: CallerHere,
    source: _Source = None,
    dataset: _Dataset = None,
    state: Annotated[DeliveryState | None, Query(description="Those in this state.")] = None,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[DeliveryAnswer]:
    """Deliveries; a source sees its own. With a state, a page may be short and still have a cursor."""

    def ask(cursor: str | None, limit: int) -> Listing[DeliveryAnswer]:
        page = story.list_deliveries(rooms, caller, source, dataset, state, cursor, limit)
        return Listing(items=tuple(map(DeliveryAnswer.of, page.views)), cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.get("/deliveries/{id}", scope=Scope.DELIVERIES_READ_OWN)
def show_delivery(rooms: RoomsHere, caller: CallerHere, id: str) -> DeliveryAnswer:
    """One delivery: its state, files, admission and outcome."""
    return DeliveryAnswer.of(story.show(rooms, caller, id))


@routes.post("/deliveries/{id}/replay", scope=Scope.DELIVERIES_DECIDE, status_code=202)
def replay_delivery(rooms: RoomsHere, caller: CallerHere, id: str) -> DeliveryAnswer:
    """Admit what is held of a delivery, under the contract in force now."""
    decide.replay(rooms, caller, id)
    return DeliveryAnswer.of(story.show(rooms, caller, id))


@routes.post("/deliveries/{id}/reject", scope=Scope.DELIVERIES_DECIDE)
def reject_delivery(rooms: RoomsHere, caller: CallerHere, id: str, body: Refusal) -> DeliveryAnswer:
    """Decide that nothing more of a delivery enters; what was committed stays."""
    decide.reject(rooms, caller, id, body.reason)
    return DeliveryAnswer.of(story.show(rooms, caller, id))


@routes.get("/deliveries/{id}/quarantine", scope=Scope.QUARANTINE_READ_OWN)
def list_quarantined(
    rooms: RoomsHere,
    caller: CallerHere,
    id: str,
    sort: Annotated[str | None, _HELD_ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    offset: Annotated[int, Query(ge=0, description="Rows to skip.")] = 0,
) -> Listing[QuarantinedRow]:
    """Why rows were rejected: file, row, column, rule, and the value masked."""

    def ask(cursor: str | None, limit: int) -> Listing[QuarantinedRow]:
        start = offset if cursor is None else number_in(cursor)
        rows = story.quarantined(rooms, caller, id, limit, start)
        more = len(rows) == limit and story.quarantined(rooms, caller, id, 1, start + limit)
        return Listing(items=rows, cursor=str(start + limit) if more else None)

    return _HELD_ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


def _check_announced(request: Request, most_bytes: int, id: str) -> None:
    """Refuse what says itself that it is too large, unread."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise LimitExceeded(f"A file has at most {most_bytes} bytes.", where=id, todo="Split the file.")

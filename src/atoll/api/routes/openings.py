"""Encrypted values, opened by two persons and handed once to the person named."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.contracts import Refusal
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.openings import NewOpening, OpenedAnswer, OpeningAnswer
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import open_values as story
from atoll.flows.rooms import Rooms
from atoll.model.opening import Opening

routes = Routes("openings")


def _told(rooms: Rooms, opening: Opening) -> OpeningAnswer:
    return OpeningAnswer.of(opening, rooms.clock.now())


@routes.post("/openings", scope=Scope.OPENINGS_WRITE, status_code=201)
def ask_opening(rooms: RoomsHere, caller: CallerHere, body: NewOpening) -> OpeningAnswer:
    """Ask that encrypted values be opened for a person; another steward decides."""
    return _told(rooms, story.ask(rooms, caller, **body.model_dump()))


@routes.get("/openings", scope=Scope.OPENINGS_READ_OWN)
def list_openings(
    rooms: RoomsHere,
    caller: CallerHere,
    dataset: Annotated[str | None, Query(max_length=64, description="Of this dataset.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[OpeningAnswer]:
    """What was asked to be opened, newest first; with the narrow right what is for oneself."""
    page = story.openings(rooms, caller, dataset=dataset, cursor=cursor, limit=limit)
    return Listing(items=tuple(_told(rooms, opening) for opening in page.records), cursor=page.cursor)


@routes.get("/openings/{id}", scope=Scope.OPENINGS_READ_OWN)
def show_opening(rooms: RoomsHere, caller: CallerHere, id: str) -> OpeningAnswer:
    """One: which values, for whom, why, and what became of it. No value is in it."""
    return _told(rooms, story.show(rooms, caller, id))


@routes.post("/openings/{id}/approve", scope=Scope.OPENINGS_WRITE)
def approve_opening(rooms: RoomsHere, caller: CallerHere, id: str, body: Refusal) -> OpeningAnswer:
    """Let the person named have the values once, for as long as was asked."""
    return _told(rooms, story.approve(rooms, caller, id, body.reason))


@routes.post("/openings/{id}/refuse", scope=Scope.OPENINGS_WRITE)
def refuse_opening(rooms: RoomsHere, caller: CallerHere, id: str, body: Refusal) -> OpeningAnswer:
    """Turn it down."""
    return _told(rooms, story.refuse(rooms, caller, id, body.reason))


@routes.delete("/openings/{id}", scope=Scope.OPENINGS_WRITE)
def withdraw_opening(rooms: RoomsHere, caller: CallerHere, id: str) -> OpeningAnswer:
    """Take back what one asked oneself."""
    return _told(rooms, story.withdraw(rooms, caller, id))


@routes.post("/openings/{id}/take", scope=Scope.OPENINGS_TAKE)
def take_opening(rooms: RoomsHere, caller: CallerHere, id: str) -> OpenedAnswer:
    """The opened values, to the person named, once; that they were taken is on record before they leave."""
    opened = story.take(rooms, caller, id)
    opening = story.show(rooms, caller, id)
    return OpenedAnswer(id=id, dataset=opening.dataset, table=opening.table, items=opened)

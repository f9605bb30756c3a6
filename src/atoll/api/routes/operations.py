"""Operations."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering
from atoll.api.routing import Routes
from atoll.api.schemas.deliveries import LogLine, OperationAnswer
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import cancel_operation as story

routes = Routes("operations")

_ORDER = Ordering[OperationAnswer]("story", "subject", "state", "asked_by", "progress", "created_at", "finished_at")

_Subject = Annotated[str | None, Query(max_length=200, description="Those on this subject, e.g. `delivery/dlv_...`.")]


@routes.get("/operations", scope=Scope.OPERATIONS_READ)
def list_operations(
    rooms: RoomsHere,
    subject: _Subject = None,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[OperationAnswer]:
    """Operations, newest first."""

    def ask(cursor: str | None, limit: int) -> Listing[OperationAnswer]:
        page = rooms.operations.find(subject=subject, cursor=cursor, limit=limit)
        return Listing(items=tuple(map(OperationAnswer.of, page.records)), cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.get("/operations/{id}", scope=Scope.OPERATIONS_READ)
def show_operation(rooms: RoomsHere, id: str) -> OperationAnswer:
    """One operation: steps, progress, failure."""
    return OperationAnswer.of(rooms.operations.get(id))


@routes.get("/operations/{id}/log", scope=Scope.OPERATIONS_READ)
def show_operation_log(rooms: RoomsHere, id: str) -> Listing[LogLine]:
    """The log of an operation, oldest first."""
    operation = rooms.operations.get(id)
    return Listing(items=tuple(map(LogLine.of, rooms.operations.log(operation.id))))


@routes.delete("/operations/{id}", scope=Scope.OPERATIONS_WRITE, status_code=202)
def cancel_operation(rooms: RoomsHere, caller: CallerHere, id: str) -> OperationAnswer:
    """Ask an operation to stop at its next safe point."""
    return OperationAnswer.of(story.cancel(rooms, caller, id))

"""Queries."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response

from atoll.access.scopes import Scope
from atoll.api.answers import ResultAnswer, watched
from atoll.api.lanes import lanes_of
from atoll.api.metrics import Metrics
from atoll.api.ordering import Find, Ordering
from atoll.api.results import MEDIA_TYPES, encode
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.queries import NewQuery, QueryAnswer
from atoll.api.security import CallerHere, RoomsHere
from atoll.errors import AtollError
from atoll.flows import run_query as story
from atoll.flows import run_query_queued
from atoll.query import Cancellation

routes = Routes("queries")

_ORDER = Ordering[QueryAnswer]("sql", "person", "state", "rows", "scanned_bytes", "cost", "started_at", "finished_at")

_RESULT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The result, streamed. `X-Atoll-Query-Id` names the query, see `GET /queries/{id}`.",
        "content": {media_type: {} for media_type in MEDIA_TYPES.values()},
    }
}


@routes.post("/queries", scope=Scope.QUERIES_RUN, response_class=Response, responses=_RESULT)
async def run_query(request: Request, rooms: RoomsHere, caller: CallerHere, body: NewQuery) -> Response:
    """Run a statement under a project's grants.

    What is wrong with the statement is told before the first byte; when the run
    breaks later the connection is cut, so that half a result never looks whole.
    """
    metrics: Metrics = request.app.state.metrics
    lanes = lanes_of(request)
    spool_dir = rooms.settings.home_dir / "tmp"

    cancellation = Cancellation()

    def begin() -> ResultAnswer:
        return ResultAnswer.begin(
            story.run(rooms, caller, body.project, body.sql, cancellation),
            lambda running: encode(body.format, running.query_id, running.schema, running, spool_dir),
            media_type=MEDIA_TYPES[body.format],
            metrics=metrics,
            lane=lanes.results,
        )

    try:
        return await watched(request, begin, cancellation.cancel, lanes.queries)
    except AtollError as error:
        metrics.query(error.code)
        raise


@routes.get("/queries", scope=Scope.QUERIES_READ_OWN)
def list_queries(
    rooms: RoomsHere,
    caller: CallerHere,
    project: Annotated[str, Query(max_length=64, description="The project.")],
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[QueryAnswer]:
    """Queries asked under a project of one's own."""

    def ask(cursor: str | None, limit: int) -> Listing[QueryAnswer]:
        page = story.list_queries(rooms, caller, project, cursor, limit)
        items = tuple(QueryAnswer.of(record, run_query_queued.progress_of(rooms, record)) for record in page.records)
        return Listing(items=items, cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.get("/queries/{id}", scope=Scope.QUERIES_READ_OWN)
def show_query(rooms: RoomsHere, caller: CallerHere, id: str) -> QueryAnswer:
    """One query: how far it is, what it read and what it used."""
    record = story.show_query(rooms, caller, id)
    return QueryAnswer.of(record, run_query_queued.progress_of(rooms, record))

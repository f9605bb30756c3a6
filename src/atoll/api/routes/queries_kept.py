"""Queries that the platform runs by itself, and their kept results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from atoll.access.scopes import Scope
from atoll.api.metrics import Metrics
from atoll.api.results import MEDIA_TYPES, encode, json_rows
from atoll.api.routing import Routes
from atoll.api.schemas.queries import EstimateAnswer, QueryAnswer, QueuedQuery, ResultFormat, RowsAnswer, StatementUnder
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import run_query_ahead, run_query_queued, run_query_results

routes = Routes("queries")

#: A page of a grid.
MAX_ROWS = 1000
_RESULT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The result.", "content": {media_type: {} for media_type in MEDIA_TYPES.values()}}
}
_EXTENSIONS = {ResultFormat.ARROW: "arrows"}


@routes.post("/queries/async", scope=Scope.QUERIES_RUN, status_code=202)
def queue_query(rooms: RoomsHere, caller: CallerHere, body: QueuedQuery) -> QueryAnswer:
    """Have the platform run a statement and keep its result for a while; follow it by `GET /queries/{id}`.

    It goes on when its asker leaves. The same question of the same data under the same
    grants is answered by the kept result, at no cost; `fresh` computes it anew.
    """
    record = run_query_queued.ask(rooms, caller, body.project, body.sql, fresh=body.fresh)
    return QueryAnswer.of(record, run_query_queued.progress_of(rooms, record))


@routes.post("/queries/estimate", scope=Scope.QUERIES_RUN)
def estimate_query(rooms: RoomsHere, caller: CallerHere, body: StatementUnder) -> EstimateAnswer:
    """Plan a statement, run nothing: what it would read and cost."""
    return EstimateAnswer.of(run_query_ahead.estimate(rooms, caller, body.project, body.sql))


@routes.delete("/queries/{id}", scope=Scope.QUERIES_RUN)
def cancel_query(rooms: RoomsHere, caller: CallerHere, id: str) -> QueryAnswer:
    """End one's own query that waits or runs; it stops within a second or two."""
    record = run_query_queued.cancel(rooms, caller, id)
    return QueryAnswer.of(record, run_query_queued.progress_of(rooms, record))


@routes.delete("/queries/{id}/result", scope=Scope.QUERIES_RUN, status_code=204)
def remove_result(rooms: RoomsHere, caller: CallerHere, id: str) -> None:
    """Remove the kept result of one's own query before its time."""
    run_query_results.remove(rooms, caller, id)


@routes.get("/queries/{id}/rows", scope=Scope.QUERIES_RUN, response_model=RowsAnswer)
def list_rows(
    rooms: RoomsHere,
    caller: CallerHere,
    id: str,
    offset: Annotated[int, Query(ge=0, description="Number of the first row, from 0.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS, description="Most rows told.")] = 100,
) -> Response:
    """Some rows of a kept result, from any row on."""
    record, kept = run_query_results.read_page(rooms, caller, id)
    columns = record.result.columns if record.result else ()
    return Response(json_rows(columns, kept, offset, limit), media_type="application/json")


@routes.get("/queries/{id}/result", scope=Scope.QUERIES_RUN, response_class=Response, responses=_RESULT)
def download_result(
    request: Request,
    rooms: RoomsHere,
    caller: CallerHere,
    id: str,
    format: Annotated[ResultFormat, Query(description="How it is sent.")] = ResultFormat.ARROW,
) -> Response:
    """A kept result as a whole."""
    record, kept = run_query_results.download(rooms, caller, id)
    metrics: Metrics = request.app.state.metrics
    spool_dir = rooms.settings.home_dir / "tmp"

    def pieces() -> Iterator[bytes]:
        for piece in encode(format, record.id, kept.schema, kept.batches(), spool_dir):
            metrics.sent(len(piece))
            yield piece

    name = f"{record.id}.{_EXTENSIONS.get(format, format.value)}"
    head = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces(), media_type=MEDIA_TYPES[format], headers=head)

"""Saved queries, and the tables that a project may name in SQL."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.queries import RelationAnswer, SavedQueryAnswer, SavedQueryText
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import run_query_ahead, save_query

routes = Routes("queries")

_ORDER = Ordering[SavedQueryAnswer]("name", "description", "sql", "saved_by", "changed_at")

_Project = Annotated[str, Query(max_length=64, description="The project.")]


@routes.get("/projects/{name}/relations", scope=Scope.QUERIES_RUN)
def list_relations(rooms: RoomsHere, caller: CallerHere, name: str) -> Listing[RelationAnswer]:
    """The tables and columns that a project may name in SQL, for completion."""
    return Listing(items=tuple(map(RelationAnswer.of, run_query_ahead.relations(rooms, caller, name))))


@routes.get("/saved-queries", scope=Scope.QUERIES_READ_OWN)
def list_saved_queries(
    rooms: RoomsHere,
    caller: CallerHere,
    project: _Project,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[SavedQueryAnswer]:
    """The statements that a project keeps."""

    def ask(cursor: str | None, limit: int) -> Listing[SavedQueryAnswer]:
        page = save_query.list_saved(rooms, caller, project, cursor, limit)
        return Listing(items=tuple(map(SavedQueryAnswer.of, page.records)), cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.post("/saved-queries", scope=Scope.QUERIES_RUN, status_code=201)
def save_query_text(rooms: RoomsHere, caller: CallerHere, project: _Project, body: SavedQueryText) -> SavedQueryAnswer:
    """Keep a statement for the people of the project."""
    return SavedQueryAnswer.of(save_query.save(rooms, caller, project, body.name, body.description, body.sql))


@routes.put("/saved-queries/{id}", scope=Scope.QUERIES_RUN)
def change_saved_query(rooms: RoomsHere, caller: CallerHere, id: str, body: SavedQueryText) -> SavedQueryAnswer:
    """Replace a kept statement."""
    return SavedQueryAnswer.of(save_query.change(rooms, caller, id, body.name, body.description, body.sql))


@routes.delete("/saved-queries/{id}", scope=Scope.QUERIES_RUN, status_code=204)
def forget_saved_query(rooms: RoomsHere, caller: CallerHere, id: str) -> None:
    """Remove a kept statement."""
    save_query.forget(rooms, caller, id)

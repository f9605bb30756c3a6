"""Sources and their credentials."""

from __future__ import annotations

from typing import Annotated

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.people import (
    NewSource,
    NewSourceKey,
    NewToken,
    NewTokenAnswer,
    SourceAnswer,
    SourceChange,
    SourceKeyAnswer,
    TokenAnswer,
)
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import manage_source_keys, manage_sources, sign_in

routes = Routes("sources")

_ORDER = Ordering[SourceAnswer](
    *("name", "title", "active", "created_at"), id=lambda one: one.name, datasets=lambda one: " ".join(one.datasets)
)


@routes.get("/sources", scope=Scope.SOURCES_READ)
def list_sources(
    rooms: RoomsHere,
    caller: CallerHere,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[SourceAnswer]:
    """Every source, the deactivated too."""

    def ask(cursor: str | None, limit: int) -> Listing[SourceAnswer]:
        page = manage_sources.list_sources(rooms, caller, cursor, limit)
        return Listing(items=tuple(map(SourceAnswer.of, page.records)), cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.post("/sources", scope=Scope.SOURCES_WRITE, status_code=201)
def add_source(rooms: RoomsHere, caller: CallerHere, body: NewSource) -> SourceAnswer:
    """Register a source with the datasets it may deliver to."""
    return SourceAnswer.of(
        manage_sources.add_source(rooms, caller, name=body.name, title=body.title, datasets=body.datasets)
    )


@routes.get("/sources/{name}", scope=Scope.SOURCES_READ)
def show_source(rooms: RoomsHere, caller: CallerHere, name: str) -> SourceAnswer:
    """One source."""
    return SourceAnswer.of(manage_sources.show_source(rooms, caller, name))


@routes.patch("/sources/{name}", scope=Scope.SOURCES_WRITE)
def change_source(rooms: RoomsHere, caller: CallerHere, name: str, body: SourceChange) -> SourceAnswer:
    """Change title or datasets, deactivate or activate; deactivated, its tokens stop at once."""
    return SourceAnswer.of(
        manage_sources.change_source(rooms, caller, name, title=body.title, datasets=body.datasets, active=body.active)
    )


@routes.post("/sources/{name}/tokens", scope=Scope.SOURCES_WRITE, status_code=201)
def make_source_token(rooms: RoomsHere, caller: CallerHere, name: str, body: NewToken) -> NewTokenAnswer:
    """Make a token with which the source delivers; its secret is shown once."""
    made = sign_in.make_source_token(rooms, caller, name, label=body.label, expires_at=body.expires_at)
    return NewTokenAnswer(token=made.secret, record=TokenAnswer.of(made.token))


@routes.get("/sources/{name}/keys", scope=Scope.SOURCES_READ)
def list_source_keys(rooms: RoomsHere, caller: CallerHere, name: str) -> Listing[SourceKeyAnswer]:
    """Public keys with which the source signs in by SFTP."""
    keys = manage_source_keys.list_keys(rooms, caller, name)
    return Listing(items=tuple(map(SourceKeyAnswer.of, keys)), cursor=None)


@routes.post("/sources/{name}/keys", scope=Scope.SOURCES_WRITE, status_code=201)
def add_source_key(rooms: RoomsHere, caller: CallerHere, name: str, body: NewSourceKey) -> SourceKeyAnswer:
    """Let the holder of a key deliver as the source by SFTP; the user name there is the source's."""
    key = manage_source_keys.add_key(rooms, caller, name, public_key=body.public_key, label=body.label)
    return SourceKeyAnswer.of(key)


@routes.delete("/sources/{name}/keys/{id}", scope=Scope.SOURCES_WRITE, status_code=204)
def remove_source_key(rooms: RoomsHere, caller: CallerHere, name: str, id: str) -> None:
    """The key opens nothing any more, at once."""
    manage_source_keys.remove_key(rooms, caller, name, id)

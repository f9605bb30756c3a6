"""Keys of pseudonymisation domains, by id, and what is done to them by two persons."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.contracts import Refusal
from atoll.api.schemas.keys import KeyChangeAnswer, KeyChangeMeaning, NewKeyChange
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import change_key as story
from atoll.model.key_change import DomainState, KeyAct

routes = Routes("keys")


@routes.get("/keys", scope=Scope.KEYS_READ)
def list_domain_keys(rooms: RoomsHere, caller: CallerHere) -> Listing[DomainState]:
    """Every domain, the id of its key, and the datasets that stand on it; never a key."""
    return Listing(items=story.domains(rooms, caller))


@routes.get("/keys/{domain}/meaning", scope=Scope.KEYS_READ)
def tell_key_change(
    rooms: RoomsHere,
    caller: CallerHere,
    domain: str,
    act: Annotated[KeyAct, Query(description="What would be done.")],
) -> KeyChangeMeaning:
    """What it would mean to rotate or destroy a domain's key, to be read before it is asked."""
    return KeyChangeMeaning(domain=domain, act=act, meaning=story.meaning(rooms, caller, domain, act))


@routes.post("/key-changes", scope=Scope.KEYS_WRITE, status_code=201)
def ask_key_change(rooms: RoomsHere, caller: CallerHere, body: NewKeyChange) -> KeyChangeAnswer:
    """Ask that a domain's key be rotated or destroyed; another steward decides."""
    return KeyChangeAnswer.of(story.ask(rooms, caller, body.domain, body.act, body.reason))


@routes.get("/key-changes", scope=Scope.KEYS_READ)
def list_key_changes(
    rooms: RoomsHere,
    caller: CallerHere,
    domain: Annotated[str | None, Query(max_length=64, description="Of this domain.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[KeyChangeAnswer]:
    """What was asked of keys, newest first."""
    page = story.changes(rooms, caller, domain=domain, cursor=cursor, limit=limit)
    return Listing(items=tuple(map(KeyChangeAnswer.of, page.records)), cursor=page.cursor)


@routes.get("/key-changes/{id}", scope=Scope.KEYS_READ)
def show_key_change(rooms: RoomsHere, caller: CallerHere, id: str) -> KeyChangeAnswer:
    """One, with what it means."""
    return KeyChangeAnswer.of(story.show(rooms, caller, id))


@routes.post("/key-changes/{id}/approve", scope=Scope.KEYS_WRITE)
def approve_key_change(rooms: RoomsHere, caller: CallerHere, id: str, body: Refusal) -> KeyChangeAnswer:
    """Do what another person asked. A destroyed key does not come back."""
    return KeyChangeAnswer.of(story.approve(rooms, caller, id, body.reason))


@routes.post("/key-changes/{id}/refuse", scope=Scope.KEYS_WRITE)
def refuse_key_change(rooms: RoomsHere, caller: CallerHere, id: str, body: Refusal) -> KeyChangeAnswer:
    """Turn down what another person asked."""
    return KeyChangeAnswer.of(story.refuse(rooms, caller, id, body.reason))


@routes.delete("/key-changes/{id}", scope=Scope.KEYS_WRITE)
def withdraw_key_change(rooms: RoomsHere, caller: CallerHere, id: str) -> KeyChangeAnswer:
    """Take back what one asked oneself."""
    return KeyChangeAnswer.of(story.withdraw(rooms, caller, id))

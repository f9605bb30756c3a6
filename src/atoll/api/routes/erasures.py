"""Erasures of persons, and their proofs."""

from __future__ import annotations

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.erasures import ErasureAnswer, NewErasure
from atoll.api.schemas.listing import Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import erase_person as story

routes = Routes("erasures")


@routes.get("/erasures", scope=Scope.ERASURES_READ)
def list_erasures(rooms: RoomsHere, caller: CallerHere) -> Listing[ErasureAnswer]:
    """Every erasure, newest first; never who it was."""
    return Listing(items=tuple(map(ErasureAnswer.of, story.list_erasures(rooms, caller))))


@routes.get("/erasures/{id}", scope=Scope.ERASURES_READ)
def show_erasure(rooms: RoomsHere, caller: CallerHere, id: str) -> ErasureAnswer:
    """One erasure: how many rows were erased where, and what was searched afterwards."""
    return ErasureAnswer.of(story.show(rooms, caller, id))


@routes.post("/erasures", scope=Scope.ERASURES_WRITE, status_code=202)
def erase_person(rooms: RoomsHere, caller: CallerHere, body: NewErasure) -> ErasureAnswer:
    """Have a person erased from every dataset. It cannot be undone."""
    erasure = story.ask(
        rooms,
        caller,
        domain=body.domain,
        reason=body.reason,
        confirm=body.confirm,
        identifier=body.identifier.get_secret_value() if body.identifier else None,
        pseudonym=body.pseudonym.get_secret_value() if body.pseudonym else None,
    )
    return ErasureAnswer.of(erasure)

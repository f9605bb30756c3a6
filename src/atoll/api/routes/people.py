"""People."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.people import NewPerson, PersonAccessAnswer, PersonAnswer, PersonChange
from atoll.api.security import CallerHere, RoomsHere, door_of
from atoll.flows import manage_people, oversee_people, second_factor

routes = Routes("people")

_ORDER = Ordering[PersonAnswer](
    *("login", "display_name", "active", "origin", "training_until", "agreement_until", "left_at", "created_at"),
    roles=lambda one: " ".join(one.roles),
)

DATES = {"training_until", "agreement_until"}


@routes.get("/people", scope=Scope.PEOPLE_READ)
def list_people(
    rooms: RoomsHere,
    caller: CallerHere,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[PersonAnswer]:
    """Everybody, the deactivated too."""

    def ask(cursor: str | None, limit: int) -> Listing[PersonAnswer]:
        page = manage_people.list_people(rooms, caller, cursor, limit)
        return Listing(items=tuple(map(PersonAnswer.of, page.records)), cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.post("/people", scope=Scope.PEOPLE_WRITE, status_code=201)
def add_person(rooms: RoomsHere, caller: CallerHere, body: NewPerson) -> PersonAnswer:
    """Add somebody."""
    return PersonAnswer.of(
        manage_people.add_person(
            rooms,
            caller,
            login=body.login,
            display_name=body.display_name,
            roles=body.roles,
            password=body.password,
        )
    )


@routes.get("/people/{id}", scope=Scope.PEOPLE_READ)
def show_person(rooms: RoomsHere, caller: CallerHere, id: str) -> PersonAnswer:
    """One person."""
    return PersonAnswer.of(manage_people.show_person(rooms, caller, id))


@routes.patch("/people/{id}", scope=Scope.PEOPLE_WRITE)
def change_person(rooms: RoomsHere, caller: CallerHere, id: str, body: PersonChange) -> PersonAnswer:
    """Change roles, name or password, deactivate or activate. A new password revokes the person's tokens."""
    return PersonAnswer.of(
        manage_people.change_person(
            rooms,
            caller,
            id,
            display_name=body.display_name,
            roles=body.roles,
            active=body.active,
            password=body.password,
            dates={name: getattr(body, name) for name in DATES & body.model_fields_set},
        )
    )


@routes.delete("/people/{id}/second-factor", scope=Scope.PEOPLE_WRITE, status_code=204)
def reset_second_factor(rooms: RoomsHere, caller: CallerHere, id: str) -> None:
    """Take the second factor away from somebody who lost it; never one's own."""
    second_factor.reset(rooms, caller, id)


@routes.get("/people/{id}/access", scope=Scope.PEOPLE_READ)
def show_person_access(request: Request, rooms: RoomsHere, caller: CallerHere, id: str) -> PersonAccessAnswer:
    """Where the person is signed in, whether a code is asked for, and whether sign-in is slowed down."""
    return PersonAccessAnswer.of(oversee_people.show_access(rooms, door_of(request), caller, id))


@routes.delete("/people/{id}/sessions", scope=Scope.PEOPLE_WRITE, status_code=204)
def end_person_sessions(rooms: RoomsHere, caller: CallerHere, id: str) -> None:
    """Sign a person out everywhere, but where this is asked from; API tokens stay."""
    oversee_people.sign_out_person(rooms, caller, id)

"""Signing in, and who one is."""

from __future__ import annotations

from fastapi import Request

from atoll.access.scopes import EVERYBODY, ROLE_SCOPES, SCOPES, SOURCE_SCOPES, Scope, scopes_of
from atoll.api.request_id import REQUEST_ID
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Listing
from atoll.api.schemas.people import Me, ScopeAnswer, SignedIn, SignIn
from atoll.api.security import PUBLIC, CallerHere, RoomsHere, address_of, door_of
from atoll.flows import sign_in as story
from atoll.flows.sign_in import Attempt
from atoll.model.person import Role

routes = Routes("sign-in")


@routes.post("/sign-in", scope=PUBLIC)
def sign_in(request: Request, rooms: RoomsHere, body: SignIn) -> SignedIn:
    """Exchange login and password for a token that lasts some hours."""
    attempt = Attempt(
        login=body.login,
        password=body.password,
        code=body.code,
        address=address_of(request),
        request_id=REQUEST_ID.get(),
    )
    made = story.sign_in(rooms, door_of(request), attempt)
    return SignedIn(token=made.secret, expires_at=made.token.expires_at)


@routes.get("/me", scope=Scope.ME_READ)
def show_me(caller: CallerHere) -> Me:
    """Who the token speaks for, and what they may do at this moment."""
    return Me(
        kind=caller.subject_kind,
        id=caller.subject_id,
        name=caller.name,
        roles=tuple(sorted(caller.roles)),
        scopes=tuple(sorted(scopes_of(caller))),
    )


@routes.get("/scopes", scope=Scope.ME_READ)
def list_scopes() -> Listing[ScopeAnswer]:
    """Every right there is, what it allows, and who has it."""
    return Listing(
        items=tuple(
            ScopeAnswer(
                scope=scope,
                help=text,
                roles=tuple(role for role in Role if scope in EVERYBODY or scope in ROLE_SCOPES[role]),
                source=scope in SOURCE_SCOPES,
            )
            for scope, text in SCOPES.items()
        )
    )

"""API tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from atoll.access.scopes import Scope
from atoll.api.ordering import Find, Ordering
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.people import NewPersonToken, NewTokenAnswer, TokenAnswer
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import oversee_people, sign_in

routes = Routes("tokens")

_ORDER = Ordering[TokenAnswer]("label", "kind", "subject", "created_at", "expires_at", "revoked_at")

_Login = Annotated[str | None, Query(max_length=64, description="Tokens of this person; needs `tokens:write`.")]
_Source = Annotated[str | None, Query(max_length=64, description="Tokens of this source; needs `tokens:write`.")]
_Everybody = Annotated[bool, Query(description="Tokens of all people and sources; needs `tokens:write`.")]


@routes.get("/tokens", scope=Scope.TOKENS_OWN)
def list_tokens(
    rooms: RoomsHere,
    caller: CallerHere,
    login: _Login = None,
    source: _Source = None,
    everybody: _Everybody = False,
    sort: Annotated[str | None, _ORDER.sort] = None,
    find: Find = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Listing[TokenAnswer]:
    """One's own tokens, newest first; an administrator may ask for those of a person, a source or everybody."""

    def ask(cursor: str | None, limit: int) -> Listing[TokenAnswer]:
        if everybody:
            named = oversee_people.list_everybodys_tokens(rooms, caller, cursor, limit)
            return Listing(
                items=tuple(TokenAnswer.of(one.token, one.subject) for one in named.tokens), cursor=named.cursor
            )
        page = sign_in.list_tokens(rooms, caller, login=login, source=source, cursor=cursor, limit=limit)
        return Listing(items=tuple(map(TokenAnswer.of, page.records)), cursor=page.cursor)

    return _ORDER.page(ask, sort=sort, find=find, cursor=cursor, limit=limit)


@routes.post("/tokens", scope=Scope.TOKENS_OWN, status_code=201)
def make_token(rooms: RoomsHere, caller: CallerHere, body: NewPersonToken) -> NewTokenAnswer:
    """Make a token for oneself, or as an administrator for somebody; its secret is shown once."""
    made = sign_in.make_token(rooms, caller, label=body.label, expires_at=body.expires_at, login=body.login)
    return NewTokenAnswer(token=made.secret, record=TokenAnswer.of(made.token))


@routes.delete("/tokens/{id}", scope=Scope.TOKENS_OWN, status_code=204)
def revoke_token(rooms: RoomsHere, caller: CallerHere, id: str) -> None:
    """Take a token back at once; again is no harm."""
    sign_in.revoke_token(rooms, caller, id)

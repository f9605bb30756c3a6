"""Who calls, and the right each route declares.

A route is made by `routing.Routes`, which takes its scope (or `PUBLIC`) without a
default; `check_declared` walks the finished app and refuses one that slipped by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.routing import BaseRoute

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.api import browser
from atoll.api.request_id import REQUEST_ID
from atoll.errors import NotAuthenticated
from atoll.flows import browser_sessions, sign_in
from atoll.flows.front_door import FrontDoor
from atoll.flows.rooms import Rooms
from atoll.model.person import Caller

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="An API token, `atoll_...`.")
#: For the description only; `browser` reads the cookie, whose name depends on TLS.
_cookie = APIKeyCookie(
    name=browser.SESSION,
    auto_error=False,
    scheme_name="session",
    description=f"A browser's session; what changes something needs the header {browser.CSRF_HEADER} as well. "
    "Over TLS the name begins with `__Host-`.",
)


@dataclass(frozen=True)
class Requires:
    """A dependency that lets through callers with the scope. Introspectable by `scope`."""

    scope: Scope

    def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
        _session: Annotated[str | None, Depends(_cookie)],
    ) -> None:
        """Find the caller; raises `NotAuthenticated`, `NotPermitted`."""
        rooms, door = rooms_of(request), door_of(request)
        caller = _by_cookie(request) if credentials is None else _by_token(request, credentials.credentials)
        request.state.caller = caller
        if not permissions.has(caller, self.scope):
            sign_in.refuse(rooms, door, caller, _operation(request), self.scope)
            permissions.require(caller, self.scope)


@dataclass(frozen=True)
class Public:
    """Declares that a route takes no credential."""

    async def __call__(self) -> None:
        """Everybody may."""


PUBLIC: Final = Public()
Access = Requires | Public


def rooms_of(request: Request) -> Rooms:
    """The rooms of the app that answers."""
    rooms: Rooms = request.app.state.rooms
    return rooms


def door_of(request: Request) -> FrontDoor:
    """The front door of the app that answers."""
    door: FrontDoor = request.app.state.door
    return door


def address_of(request: Request) -> str:
    """Network address of the peer, empty when there is none (a socket file)."""
    return request.client.host if request.client else ""


async def _rooms(request: Request) -> Rooms:
    return rooms_of(request)


async def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


RoomsHere = Annotated[Rooms, Depends(_rooms)]
CallerHere = Annotated[Caller, Depends(_caller)]


def access_of(route: BaseRoute) -> Access:
    """What the route declares. Raises `RuntimeError` when it declares nothing, or twice."""
    found: list[Access] = []
    if isinstance(route, APIRoute):
        for dependency in route.dependant.dependencies:
            if isinstance(dependency.call, (Requires, Public)):
                found.append(dependency.call)
    if len(found) != 1:
        path = getattr(route, "path", type(route).__name__)
        raise RuntimeError(f"Route {path} declares {len(found)} scopes; make it with routing.Routes.")
    return found[0]


def check_declared(app: FastAPI) -> None:
    """Every route declares its scope and has an operation id of its own. Raises `RuntimeError`."""
    ids: set[str] = set()
    for route in app.routes:
        access_of(route)
        assert isinstance(route, APIRoute)
        if not route.operation_id or route.operation_id in ids:
            raise RuntimeError(f"Route {route.path} has no operation id, or one that is taken.")
        ids.add(route.operation_id)


def _by_token(request: Request, secret: str) -> Caller:
    return sign_in.authenticate(
        rooms_of(request), door_of(request), secret, address=address_of(request), request_id=REQUEST_ID.get()
    )


def _by_cookie(request: Request) -> Caller:
    """The caller of a browser; what changes something must come from a page of ours."""
    secret = browser.read_cookie(request, browser.SESSION)
    if secret is None:
        raise NotAuthenticated(
            "The request has no token and no session.", todo="Send `Authorization: Bearer atoll_...`, or sign in."
        )
    caller, session = browser_sessions.authenticate(
        rooms_of(request),
        door_of(request),
        secret,
        address=address_of(request),
        request_id=REQUEST_ID.get(),
        active=browser.BACKGROUND_HEADER not in request.headers,
    )
    browser.check_change(request, secret)
    request.state.session = session
    return caller


def _operation(request: Request) -> str:
    route = request.scope.get("route")
    return f"operation/{route.operation_id}" if isinstance(route, APIRoute) else "operation/unknown"

"""Routes of one noun, each with its operation id and its declared scope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict, TypeVar, Unpack

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope as Asked

from atoll.access.scopes import Scope
from atoll.api.schemas.errors import ErrorAnswer
from atoll.api.security import Access, Public, Requires
from atoll.api.writing import written_at_once

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

#: Largest JSON body taken; contracts are the largest there are. Uploads stream and have their own limit.
MAX_BODY_BYTES = 4 * 2**20


class RouteOptions(TypedDict, total=False):
    """What a route may say beyond method, path and scope; the words are FastAPI's."""

    status_code: int
    response_class: type[Response]
    response_model: object
    responses: dict[int | str, dict[str, Any]]
    include_in_schema: bool
    openapi_extra: dict[str, Any]
    #: Most bytes of body taken; None for a route that streams it.
    max_body_size: int | None


@dataclass(frozen=True)
class _Route:
    method: str
    path: str
    endpoint: Callable[..., Any]
    options: dict[str, Any]


class LiteralFirst(APIRoute):
    """A route that looks at its path's fixed part before it tries the pattern: most are told apart by it."""

    @cached_property
    def literal(self) -> str:
        """What the path begins with, whatever its parameters are."""
        return self.path.partition("{")[0]

    def matches(self, scope: Asked) -> tuple[Match, Asked]:
        """As any route, sooner."""
        if not scope.get("root_path") and not scope["path"].startswith(self.literal):
            return Match.NONE, {}
        return super().matches(scope)


class Routes:
    """A list of routes under one tag, added to an app by `mount`."""

    def __init__(self, tag: str, *, prefix: str = "/api/v1") -> None:
        self._tag = tag
        self._prefix = prefix
        self._routes: list[_Route] = []

    def get(
        self, path: str, *, scope: Scope | Public, **options: Unpack[RouteOptions]
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a GET route."""
        return self.add("GET", path, scope=scope, **options)

    def post(
        self, path: str, *, scope: Scope | Public, **options: Unpack[RouteOptions]
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a POST route."""
        return self.add("POST", path, scope=scope, **options)

    def put(
        self, path: str, *, scope: Scope | Public, **options: Unpack[RouteOptions]
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a PUT route."""
        return self.add("PUT", path, scope=scope, **options)

    def patch(
        self, path: str, *, scope: Scope | Public, **options: Unpack[RouteOptions]
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a PATCH route."""
        return self.add("PATCH", path, scope=scope, **options)

    def delete(
        self, path: str, *, scope: Scope | Public, **options: Unpack[RouteOptions]
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a DELETE route."""
        return self.add("DELETE", path, scope=scope, **options)

    def add(
        self, method: str, path: str, *, scope: Scope | Public, **options: Unpack[RouteOptions]
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a route. The function's name is its operation id; its docstring is its help."""
        access: Access = scope if isinstance(scope, Public) else Requires(scope)

        def declare(endpoint: Endpoint) -> Endpoint:
            taken: dict[str, Any] = {
                "operation_id": endpoint.__name__,
                "tags": [self._tag],
                "dependencies": [Depends(access)],
                "max_body_size": MAX_BODY_BYTES,
                **options,
                "responses": {
                    "default": {"model": ErrorAnswer, "description": "An error"},
                    **options.get("responses", {}),
                },
            }
            if taken.get("status_code") == 204:
                taken.setdefault("response_class", Response)
            if not isinstance(access, Public):
                taken["openapi_extra"] = {"x-scope": access.scope.value, **options.get("openapi_extra", {})}
            self._routes.append(_Route(method, self._prefix + path, endpoint, taken))
            return endpoint

        return declare

    def mount(self, app: FastAPI) -> None:
        """Add the routes to the app, under their full paths."""
        for route in self._routes:
            endpoint = written_at_once(route.endpoint, route.options)
            app.add_api_route(route.path, endpoint, methods=[route.method], **route.options)

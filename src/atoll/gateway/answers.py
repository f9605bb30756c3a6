"""What the gateway says when it refuses, and how an answer that breaks is ended."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from atoll.errors import (
    AtollError,
    Conflict,
    IntegrityBroken,
    InvalidInput,
    LimitExceeded,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    TooManyAttempts,
    Unavailable,
)

_log = logging.getLogger("atoll.gateway")

#: The first that fits counts.
_STATUS: tuple[tuple[type[AtollError], int], ...] = (
    (TooManyAttempts, 429),
    (LimitExceeded, 413),
    (InvalidInput, 422),
    (NotAuthenticated, 401),
    (NotPermitted, 403),
    (NotFound, 404),
    (Conflict, 409),
    (IntegrityBroken, 502),
    (Unavailable, 503),
)

AIRLOCK = "Files enter and leave a project only through the airlock: ask for a transfer there."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def beyond(request: web.Request) -> NotPermitted:
    """The refusal of everything that a machine does not reach."""
    return NotPermitted("This is not reached from inside a machine.", where=request.path[:200], todo=AIRLOCK)


def refusal(error: AtollError) -> web.Response:
    """The answer to a domain error. Its reason phrase and `error` are what pip and npm show people."""
    status = next((number for kind, number in _STATUS if isinstance(error, kind)), 500)
    text = str(error)
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.retry_after_seconds)
    return web.json_response(
        {"code": error.code, "message": error.what, "where": error.where, "todo": error.todo, "error": text},
        status=status,
        reason="".join(c if c.isprintable() and c.isascii() else "?" for c in text)[:300],
        headers=headers,
    )


@web.middleware
async def errors_to_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Domain errors, unknown routes and accidents become answers in words."""
    try:
        return await handler(request)
    except AtollError as error:
        return refusal(error)
    except web.HTTPException as error:
        if error.status == 413:
            return refusal(LimitExceeded("The body is larger than the gateway takes.", where=request.path[:200]))
        return refusal(beyond(request))
    except Exception:
        _log.exception("The gateway met an unexpected error.")
        return refusal(Unavailable("The gateway met an unexpected error.", todo="Try again; tell the operators."))


@asynccontextmanager
async def streaming(request: web.Request, response: web.StreamResponse) -> AsyncIterator[web.StreamResponse]:
    """A response whose body is written in the block.

    When the block fails the connection is cut, so that half an answer never looks whole.
    """
    await response.prepare(request)
    try:
        yield response
        await response.write_eof()
    except Exception as error:
        # Cut also on a broken connection: it may be the one to upstream.
        if not isinstance(error, ConnectionError):
            _log.warning("An answer broke off: %s", error if isinstance(error, AtollError) else type(error).__name__)
        if request.transport is not None:
            request.transport.abort()

"""What every request gets: an id, a language, a log line, figures, safe headers, and an end.

Plain ASGI, so that bodies stream both ways.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoll.api.errors import unexpected
from atoll.api.language import LANGUAGE
from atoll.api.metrics import Metrics, known_method
from atoll.api.request_id import HEADER, REQUEST_ID, accept_request_id
from atoll.reviewed.languages import accepted

_log = logging.getLogger("atoll.api")

#: nginx's word for a caller who hung up; never sent.
_HUNG_UP = 499

#: The API serves no page: nothing in an answer may run, be framed or be kept.
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class AnswerAborted(RuntimeError):
    """Raised to the server when an answer broke off: it then closes the connection.

    So the reader sees a broken answer, never one that looks complete.
    """


@dataclass
class _Exchange:
    """One request as it goes."""

    request_id: str
    started: float = field(default_factory=time.monotonic)
    status: int | None = None
    bytes_out: int = 0
    complete: bool = False


class Envelope:
    """Middleware around the whole app."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connection pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        exchange = _Exchange(accept_request_id(asked.get(HEADER)))
        token = REQUEST_ID.set(exchange.request_id)
        spoken = LANGUAGE.set(accepted(asked.get("accept-language")))
        try:
            await self._answer(scope, receive, send, exchange)
        finally:
            self._settle(scope, exchange)
            REQUEST_ID.reset(token)
            LANGUAGE.reset(spoken)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, exchange: _Exchange) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = exchange.request_id
                for name, value in _SAFE.items():
                    headers.setdefault(name, value)
            elif message["type"] == "http.response.body":
                exchange.bytes_out += len(message.get("body", b""))
                exchange.complete = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            exchange.status = _HUNG_UP
        except Exception as error:
            _log.error("A request met an unexpected error.", exc_info=error)
            if exchange.status is not None:
                raise AnswerAborted("The answer broke off.") from None
            await unexpected()(scope, receive, watched)

    def _settle(self, scope: Scope, exchange: _Exchange) -> None:
        seconds = time.monotonic() - exchange.started
        route = getattr(scope.get("route"), "path", "(none)")
        status = exchange.status or 500
        method = known_method(scope["method"])
        self._metrics.request(method, route, status, seconds)
        caller = scope.get("state", {}).get("caller")
        _log.info(
            "%s %s %d",
            method,
            route,
            status,
            extra={
                "fields": {
                    "method": method,
                    "route": route,
                    "status": status,
                    "seconds": round(seconds, 6),
                    "bytes_out": exchange.bytes_out,
                    "complete": exchange.complete,
                    "caller": getattr(caller, "subject_id", None),
                }
            },
        )

"""Server-sent events: hints that something has changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from anyio import to_thread
from fastapi import Header, Request
from fastapi.responses import StreamingResponse
from fastapi.security.utils import get_authorization_scheme_param
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from atoll.access.scopes import Scope
from atoll.api import browser
from atoll.api.routing import Routes
from atoll.api.security import CallerHere, address_of, door_of, rooms_of
from atoll.errors import AtollError
from atoll.flows import browser_sessions, sign_in
from atoll.flows.tell_events import Events, Hint
from atoll.model.person import Caller

routes = Routes("events")

HEARTBEAT_SECONDS = 15.0
#: How soon the end of the platform is noticed.
_LOOK_SECONDS = 1.0
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": '`event: change`, `data: {"kind": ..., "id": ...}`; `event: resync` when everything is to be '
        "asked for anew. A comment every 15 seconds.",
        "content": {"text/event-stream": {}},
    }
}


@routes.get("/events", scope=Scope.ME_READ, response_class=StreamingResponse, responses=_STREAM)
async def stream_events(
    request: Request,
    caller: CallerHere,
    last_event_id: Annotated[str, Header(max_length=100, description="Id of the last event one had.")] = "",
) -> StreamingResponse:
    """Hints that something one may see has changed, as it happens; no data.

    Ends with the session or token that asked.
    """
    events: Events = request.app.state.events
    return _Stream(request, events, caller, last_event_id)


class _Stream(StreamingResponse):
    """Sends hints until the listener hangs up, their session ends or the platform stops."""

    def __init__(self, request: Request, events: Events, caller: Caller, last_id: str) -> None:
        self._request = request
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._hung_up = False
        self._listening = events.listen(caller, self._wake, last_id)
        head = {"X-Accel-Buffering": "no"}
        super().__init__(self._pieces(), media_type="text/event-stream", headers=head)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Send, and end as soon as the listener hangs up, not at the next heartbeat."""
        watching = asyncio.ensure_future(self._watch(receive))
        try:
            await self.stream_response(send)
        finally:
            self._events.leave(self._listening)
            watching.cancel()

    async def _watch(self, receive: Receive) -> None:
        await self.listen_for_disconnect(receive)
        self._hung_up = True
        self._woken.set()

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield b"retry: 3000\n: listening\n\n"
        beat_at = self._loop.time() + HEARTBEAT_SECONDS
        while not (self._hung_up or _stopping(self._request)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), min(_LOOK_SECONDS, max(beat_at - self._loop.time(), 0.01)))
            self._woken.clear()
            if self._loop.time() >= beat_at:
                beat_at = self._loop.time() + HEARTBEAT_SECONDS
                try:
                    self._listening.caller = await to_thread.run_sync(_again, self._request)
                except AtollError:
                    # The session or token has ended: so does the stream, and the next try is refused.
                    return
                yield b": \n\n"
            if told := b"".join(_event(self._events, hint) for hint in self._listening.take()):
                yield told

    def _wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)


def _event(events: Events, hint: Hint) -> bytes:
    name = b"change" if hint.kind else b"resync"
    data = orjson.dumps({"kind": hint.kind, "id": hint.id} if hint.kind else {})
    return b"id: " + events.id_of(hint).encode() + b"\nevent: " + name + b"\ndata: " + data + b"\n\n"


def _again(request: Request) -> Caller:
    """Who listens, with the rights of now. Raises `NotAuthenticated` when the session or token has ended."""
    rooms, door, address = rooms_of(request), door_of(request), address_of(request)
    scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
    if scheme.lower() == "bearer":
        return sign_in.authenticate(rooms, door, token, address=address, request_id="")
    secret = browser.read_cookie(request, browser.SESSION) or ""
    caller, _ = browser_sessions.authenticate(rooms, door, secret, address=address, request_id="", active=False)
    return caller


def _stopping(request: Request) -> bool:
    stopping = getattr(request.app.state, "stopping", None)
    return bool(stopping is not None and stopping())

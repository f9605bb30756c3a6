"""One WebSocket between a visitor and a machine, frame for frame."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, hdrs, web
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict

from atoll.model.visit import Visit
from atoll.proxy import pages
from atoll.proxy.headers import Outgoing
from atoll.proxy.http_pass import target
from atoll.proxy.upstream import not_answering

_CLOSE_SECONDS = 2.0
_DATA = (WSMsgType.TEXT, WSMsgType.BINARY)
_FRAMES = (*_DATA, WSMsgType.PING, WSMsgType.PONG)
#: Told by a program about a connection, never sent over one (RFC 6455 7.4.1).
_UNSENDABLE = (1004, 1005, 1006, 1015)
_Person = web.WebSocketResponse[bool]
_Machine = aiohttp.ClientWebSocketResponse[bool]


def is_websocket(request: BaseRequest) -> bool:
    """Whether the request opens one."""
    upgrade = request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
    return upgrade and request.method == hdrs.METH_GET


@dataclass(frozen=True)
class _End:
    """How one side ended: by a close frame with its code and reason, or without one."""

    clean: bool
    code: int = WSCloseCode.GOING_AWAY
    reason: bytes = b""


class WebSocketPass:
    """A WebSocket under way. `cut` may be called at any time.

    Args:
        request: the visitor's handshake.
        heartbeat_seconds: a visitor who answers no ping in this time is gone.
        said: called for each message of the visitor.
    """

    def __init__(self, request: BaseRequest, heartbeat_seconds: float, said: Callable[[], None]) -> None:
        self._request = request
        self._heartbeat_seconds = heartbeat_seconds
        self._said = said
        self._cut = asyncio.Event()

    def cut(self) -> None:
        """End it, because the visitor may no longer."""
        self._cut.set()

    async def relay(
        self, session: aiohttp.ClientSession, sent: CIMultiDict[str], visit: Visit, outgoing: Outgoing
    ) -> web.StreamResponse:
        """Open it at the machine, then at the visitor, and pass frames until one side ends."""
        offered = self._request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
        try:
            machine: _Machine = await session.ws_connect(
                target(self._request),
                headers=sent,
                protocols=[name.strip() for line in offered for name in line.split(",") if name.strip()],
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
                autoclose=False,
                autoping=False,
                compress=0,
                max_msg_size=0,
                decode_text=False,
            )
        except aiohttp.WSServerHandshakeError as refusal:
            return self._not_opened(refusal, visit, outgoing)
        except aiohttp.ClientError:
            return pages.refused(self._request, not_answering())
        person: _Person = web.WebSocketResponse(
            protocols=[machine.protocol] if machine.protocol else [],
            timeout=_CLOSE_SECONDS,
            autoclose=False,
            autoping=False,
            heartbeat=self._heartbeat_seconds,
            compress=False,
            max_msg_size=0,
            decode_text=False,
        )
        try:
            await person.prepare(self._request)
            await self._until_one_ends(person, machine)
        finally:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await machine.close(code=WSCloseCode.GOING_AWAY)
        return person

    async def _until_one_ends(self, person: _Person, machine: _Machine) -> None:
        out = asyncio.create_task(_pump(machine, person, lambda: None))
        into = asyncio.create_task(_pump(person, machine, self._said))
        cut = asyncio.create_task(self._cut.wait())
        tasks: list[asyncio.Task[Any]] = [out, into, cut]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        if self._cut.is_set():
            await self._close_person(
                person, _End(clean=True, code=WSCloseCode.POLICY_VIOLATION, reason=b"not permitted")
            )
            return
        from_machine, from_person, _ = ended
        if isinstance(from_machine, _End):
            await self._close_person(person, from_machine)
            await _close(machine, from_machine)
        elif isinstance(from_person, _End):
            await _close(machine, from_person)
            await self._close_person(person, from_person)

    async def _close_person(self, person: _Person, end: _End) -> None:
        if end.clean:
            await _close(person, end)
        elif self._request.transport is not None:
            # A machine that broke off is seen to have broken off (1006), as without the proxy.
            self._request.transport.abort()

    def _not_opened(
        self, refusal: aiohttp.WSServerHandshakeError, visit: Visit, outgoing: Outgoing
    ) -> web.StreamResponse:
        """The machine's own refusal, with its status; without one, a gateway's."""
        if refusal.status == 101:
            return pages.answer(self._request, 502, "bad_gateway", "The machine did not open a WebSocket.")
        headers = outgoing.from_machine(refusal.headers or {}, visit)
        for name in (hdrs.CONTENT_LENGTH, hdrs.CONTENT_ENCODING, hdrs.CONTENT_TYPE):
            headers.popall(name, None)
        return web.Response(status=refusal.status, headers=headers)


async def _pump(source: _Person | _Machine, sink: _Person | _Machine, each: Callable[[], None]) -> _End:
    while True:
        message = await source.receive()
        kind = message.type
        if kind in _FRAMES:
            if kind in _DATA:
                each()
            try:
                await sink.send_frame(message.data, kind)
            except ConnectionError:
                return _End(clean=False)
        elif kind is WSMsgType.CLOSE:
            code = message.data if message.data and message.data not in _UNSENDABLE else WSCloseCode.OK
            return _End(clean=True, code=code, reason=(message.extra or "").encode())
        else:
            return _End(clean=False)


async def _close(side: _Person | _Machine, end: _End) -> None:
    with contextlib.suppress(ConnectionError, RuntimeError):
        await side.close(code=end.code, message=end.reason)

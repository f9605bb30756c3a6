"""One viewer at the screen of a machine: a WebSocket here, the machine's socket there, a filter each way."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.web_request import BaseRequest

from atoll.model.visit import Stream
from atoll.proxy.stream import Breach, FromScreen, FromViewer
from atoll.proxy.upstream import hold_socket, not_answering

_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_CHUNK_BYTES = 2**16
#: The largest frame of a viewer: a pasted text and its head.
_FRAME_BYTES = 2**20 + 2**12
_Person = web.WebSocketResponse[bool]


@dataclass(frozen=True)
class Told:
    """What a stream tells while it runs.

    Attributes:
        acted: the viewer moved or typed.
        sent: so many bytes went to the viewer.
        refused: a text or message was not let through; the word says which way it went.
    """

    acted: Callable[[], None]
    sent: Callable[[int], None]
    refused: Callable[[str], None]


class StreamPass:
    """A stream under way. `cut` may be called at any time.

    Args:
        request: the viewer's handshake.
        heartbeat_seconds: a viewer who answers no ping in this time is gone.
        stream: what this viewer may.
        told: see `Told`.
    """

    def __init__(self, request: BaseRequest, heartbeat_seconds: float, stream: Stream, told: Told) -> None:
        self._request = request
        self._heartbeat_seconds = heartbeat_seconds
        self._stream = stream
        self._told = told
        self._cut = asyncio.Event()

    def cut(self) -> None:
        """End it, because the viewer may no longer, or may something else from now on."""
        self._cut.set()

    async def relay(self, screen: Path) -> web.StreamResponse:
        """Connect to the screen, then to the viewer, and pass on what may pass. Raises `Unavailable`."""
        machine_in, machine_out = await _connect(screen)
        person: _Person = web.WebSocketResponse(
            protocols=["binary"],
            timeout=_CLOSE_SECONDS,
            heartbeat=self._heartbeat_seconds,
            compress=False,
            max_msg_size=_FRAME_BYTES,
        )
        try:
            await person.prepare(self._request)
            code, reason = await self._until_one_ends(person, machine_in, machine_out)
            with contextlib.suppress(ConnectionError, RuntimeError):
                await person.close(code=code, message=reason)
        finally:
            machine_out.close()
        return person

    async def _until_one_ends(
        self, person: _Person, machine_in: asyncio.StreamReader, machine_out: asyncio.StreamWriter
    ) -> tuple[int, bytes]:
        cut = asyncio.create_task(self._cut.wait())
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._out(machine_in, person)),
            asyncio.create_task(self._in(person, machine_out)),
            cut,
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        if self._cut.is_set():
            return WSCloseCode.POLICY_VIOLATION, b"not permitted"
        for end in ended:
            if isinstance(end, Breach):
                self._told.refused("message")
                return WSCloseCode.PROTOCOL_ERROR, f"not let through: {end}".encode()[:120]
        return WSCloseCode.GOING_AWAY, b"the screen is gone"

    async def _out(self, machine: asyncio.StreamReader, person: _Person) -> None:
        screen = FromScreen(self._stream.title, lambda _: self._told.refused("text out"))
        with contextlib.suppress(ConnectionError):
            while block := await machine.read(_CHUNK_BYTES):
                passed = screen.feed(block)
                if passed:
                    self._told.sent(len(passed))
                    await person.send_bytes(passed)

    async def _in(self, person: _Person, machine: asyncio.StreamWriter) -> None:
        viewer = FromViewer(self._stream, self._told.acted, lambda: self._told.refused("text in"))
        with contextlib.suppress(ConnectionError):
            async for message in person:
                if message.type is not WSMsgType.BINARY:
                    raise Breach("text frame")
                passed = viewer.feed(message.data)
                if passed:
                    machine.write(passed)
                    await machine.drain()


async def _connect(screen: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    descriptor = hold_socket(screen)
    try:
        return await asyncio.wait_for(
            asyncio.open_unix_connection(f"/proc/self/fd/{descriptor}", limit=2**18), _CONNECT_SECONDS
        )
    except (OSError, TimeoutError):
        raise not_answering() from None
    finally:
        os.close(descriptor)

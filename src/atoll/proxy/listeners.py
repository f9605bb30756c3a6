"""Ports for machines, where they have no host names: one for each, opened when somebody goes there."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.web_request import BaseRequest

from atoll.errors import LimitExceeded
from atoll.proxy.options import Options
from atoll.proxy.origins import Origin

_BACKLOG = 256
Serve = Callable[[BaseRequest, Origin], Awaitable[web.StreamResponse]]


@dataclass
class Listener:
    """A port that one machine is reached at."""

    origin: Origin
    listening: asyncio.Server
    server: web.Server
    used_at: float

    async def close(self) -> None:
        """Take no more connections and end those there are."""
        self.listening.close()
        await self.server.shutdown(1.0)


class PortListeners:
    """Opens, keeps and gives back ports.

    A machine gets the same port again after a restart if it is free, so that an open page
    goes on. When all are taken, the one unused for longest is given back, if nobody is there.
    """

    def __init__(self, options: Options, serve: Serve, busy: Callable[[str], bool]) -> None:
        self._options = options
        self._serve = serve
        self._busy = busy
        self._loop = asyncio.get_running_loop()
        self._opening = asyncio.Lock()
        self.open: dict[str, Listener] = {}

    async def origin(self, workspace: str) -> Origin:
        """The machine's origin, listened at from now on. Raises `LimitExceeded` when no port is free."""
        async with self._opening:
            listener = self.open.get(workspace)
            if listener is None:
                listener = await self._listen(workspace)
                self.open[workspace] = listener
            listener.used_at = self._loop.time()
            return listener.origin

    async def close(self, workspace: str) -> None:
        """Give the port back."""
        listener = self.open.pop(workspace, None)
        if listener is not None:
            await listener.close()

    async def close_all(self) -> None:
        """Give every port back."""
        await asyncio.gather(*(self.close(workspace) for workspace in list(self.open)))

    def idle(self) -> list[str]:
        """Workspaces whose port nobody used for `idle_seconds`."""
        since = self._loop.time() - self._options.idle_seconds
        return [w for w, listener in self.open.items() if listener.used_at < since and not self._busy(w)]

    async def _listen(self, workspace: str) -> Listener:
        listening = self._bind(workspace)
        if listening is None:
            free = min((w for w in self.open if not self._busy(w)), key=lambda w: self.open[w].used_at, default=None)
            if free is not None:
                await self.close(free)
                listening = self._bind(workspace)
        if listening is None:
            raise LimitExceeded(
                "Every port for machines is in use.",
                where="-".join(map(str, self._options.ports)),
                todo="Ask an operator for a wider ATOLL_MACHINE_PORTS, or try again later.",
            )
        host = self._options.public_host or self._options.host
        port = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host.lower()
        origin = Origin(workspace, "http", f"{shown}:{port}" if port != 80 else shown, own_host=False)
        server = http_server(lambda request: self._one(request, origin))
        return Listener(
            origin, await self._loop.create_server(server, sock=listening, backlog=_BACKLOG), server, self._loop.time()
        )

    async def _one(self, request: BaseRequest, origin: Origin) -> web.StreamResponse:
        listener = self.open.get(origin.workspace)
        if listener is not None:
            listener.used_at = self._loop.time()
        return await self._serve(request, origin)

    def _bind(self, workspace: str) -> socket.socket | None:
        first, last = self._options.ports
        count = last - first + 1
        start = int.from_bytes(hashlib.sha256(workspace.encode()).digest()[:4], "big") % count
        for step in range(count):
            try:
                return bind(self._options.host, first + (start + step) % count)
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
        return None


def http_server(handler: Callable[[BaseRequest], Awaitable[web.StreamResponse]]) -> web.Server:
    """A server that passes bodies as they come and drops a handler whose visitor has gone."""
    return web.Server(handler, handler_cancellation=True, auto_decompress=False, access_log=None)


def bind(host: str, port: int) -> socket.socket:
    """A bound socket. With the protocol named, asyncio sets TCP_NODELAY; else answers wait 40 ms."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound

"""What a machine reaches: one socket each, and behind it the API, the package mirror and git. Nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from atoll.errors import InvalidInput, TooManyAttempts, Unavailable
from atoll.gateway.answers import beyond, errors_to_answers
from atoll.gateway.api_pass import ApiPass
from atoll.gateway.git.repositories import Repositories
from atoll.gateway.git.smart_http import GitPass
from atoll.gateway.machine import Callbacks, Machine
from atoll.gateway.mirror.mirror import Mirror
from atoll.gateway.mirror.sending import Taker
from atoll.gateway.sockets import MachineSocket

#: A query may work long before its first row.
_API_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5, sock_read=3600)
_MIRRORED = frozenset({"pypi", "npm", "cran", "debian"})
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True)
class GatewayLimits:
    """For each machine.

    Attributes:
        connections: open at once; more are closed unanswered.
        requests: worked on at once; more are refused with "too many".
    """

    connections: int = 128
    requests: int = 64


@dataclass
class _Open:
    machine: Machine
    runner: web.AppRunner
    socket: MachineSocket
    working: int = 0


class Gateway:
    """The gateways of all machines of this host. For use on one event loop; see `GatewayHost` for threads.

    Args:
        api_url: where the platform's API listens.
        callbacks: what it asks and tells the platform.
        mirror: the package mirror.
        repositories: of all projects.
    """

    def __init__(
        self,
        *,
        api_url: str,
        callbacks: Callbacks,
        mirror: Mirror,
        repositories: Repositories,
        limits: GatewayLimits = GatewayLimits(),
    ) -> None:
        self._api_url = api_url
        self._callbacks = callbacks
        self._mirror = mirror
        self._repositories = repositories
        self._limits = limits
        self._open: dict[str, _Open] = {}
        self._session: aiohttp.ClientSession | None = None
        self._api: ApiPass | None = None
        self._git: GitPass | None = None

    async def start(self) -> None:
        """Get ready; no machine has a socket yet."""
        self._session = aiohttp.ClientSession(
            timeout=_API_TIMEOUT,
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        self._api = ApiPass(self._session, self._api_url)
        self._git = GitPass(self._repositories, self._callbacks.record_push, self._callbacks.create_repository)
        await self._mirror.start()

    async def stop(self) -> None:
        """Close every socket and break off what is under way."""
        for workspace in tuple(self._open):
            await self.close(workspace)
        await self._mirror.stop()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def open(self, machine: Machine) -> None:
        """Listen for a machine. Again for the same machine it changes nothing; for a changed one it opens anew."""
        standing = self._open.get(machine.workspace)
        if standing is not None:
            if standing.machine == machine and machine.socket.is_socket():
                return
            await self.close(machine.workspace)
        if self._session is None:
            raise Unavailable("The gateway is not running.")
        app = web.Application(middlewares=[errors_to_answers])
        runner = web.AppRunner(
            app,
            handler_cancellation=True,
            access_log=None,
            auto_decompress=False,
            shutdown_timeout=_CLOSE_SECONDS,
        )
        socket = MachineSocket(machine.socket, uid=machine.uid, max_connections=self._limits.connections)
        opened = _Open(machine, runner, socket)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, opened)

        app.router.add_route("*", "/{path:.*}", handle)
        await runner.setup()
        try:
            await socket.listen(runner)
        except OSError as problem:
            await runner.cleanup()
            raise Unavailable(
                f"The gateway's socket cannot be made ({problem.strerror}).", where=machine.workspace
            ) from None
        self._open[machine.workspace] = opened

    async def close(self, workspace: str) -> None:
        """Stop listening for a machine. Idempotent."""
        opened = self._open.pop(workspace, None)
        if opened is not None:
            await opened.socket.close()
            await opened.runner.cleanup()
            # Last, since a request that is broken off may still have asked for its room.
            if self._git is not None:
                self._git.forget(workspace)

    @property
    def workspaces(self) -> tuple[str, ...]:
        """Ids of the workspaces that have a socket here."""
        return tuple(self._open)

    async def _handle(self, request: web.Request, opened: _Open) -> web.StreamResponse:
        if opened.working >= self._limits.requests:
            raise TooManyAttempts("The machine asks for too much at once.", retry_after_seconds=1, todo="Wait.")
        opened.working += 1
        try:
            return await self._route(request, opened.machine)
        finally:
            opened.working -= 1

    async def _route(self, request: web.Request, machine: Machine) -> web.StreamResponse:
        if not request.raw_path.startswith("/") or "\\" in request.path or "\0" in request.path:
            raise beyond(request)  # a proxy is asked for, and there is none
        if any(part in (".", "..") for part in request.path.split("/")):
            raise InvalidInput("A path goes forward only.")
        first, _, rest = request.path.lstrip("/").partition("/")
        mirrored = first in _MIRRORED and request.method == "GET"
        if not mirrored and first not in ("api", "git"):
            raise beyond(request)
        identity = await asyncio.to_thread(self._callbacks.identity, machine.workspace)
        if mirrored:
            taker = Taker(machine.workspace, machine.project, identity.login, self._callbacks.record_download)
            return await self._mirror.handle(request, first, rest, taker)
        if self._api is None or self._git is None:
            raise Unavailable("The gateway is not running.")
        if first == "api":
            return await self._api.handle(request, machine, identity)
        return await self._git.handle(request, rest, machine, identity)

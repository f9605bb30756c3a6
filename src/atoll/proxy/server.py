"""The proxy as one object, in a thread of its own event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.web_request import BaseRequest
from prometheus_client import CollectorRegistry

from atoll.errors import InvalidInput, Unavailable
from atoll.proxy import pages
from atoll.proxy.callbacks import Activity, Callbacks
from atoll.proxy.door import Door
from atoll.proxy.entrance import ticket_url
from atoll.proxy.listeners import PortListeners, bind, http_server
from atoll.proxy.metrics import ProxyMetrics
from atoll.proxy.options import Options
from atoll.proxy.origins import WORKSPACE, HostNames, Origin

T = TypeVar("T")
_log = logging.getLogger(__name__)
_THREADS = 8
_CALL_SECONDS = 10.0
_TELL_SECONDS = 5.0


class ProxyServer:
    """Passes people's browsers on to machines, from `start` to `stop`. Methods are safe in any thread.

    Args:
        callbacks: what it asks and tells the platform.
        options: how it is reached.
        registry: where its figures are registered.
    """

    def __init__(
        self, callbacks: Callbacks, options: Options | None = None, registry: CollectorRegistry | None = None
    ) -> None:
        self._callbacks = callbacks
        self._options = options or Options()
        self._names = HostNames(self._options.url) if self._options.url else None
        self._metrics = ProxyMetrics(registry or CollectorRegistry())
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port = 0
        self._stopping: asyncio.Event
        self._door: Door
        self._ports: PortListeners
        self._server: web.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens, when machines have host names; else 0."""
        return self._port

    def start(self) -> None:
        """Listen. Raises `OSError` when the address is taken."""
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(started)), name="proxy", daemon=True)
        self._thread.start()
        started.result()

    def stop(self) -> None:
        """End every connection and return when all is closed. Idempotent."""
        loop, thread = self._loop, self._thread
        if loop is not None and thread is not None and thread.is_alive():
            loop.call_soon_threadsafe(self._stopping.set)
            thread.join()
        self._loop = self._thread = None

    def origin(self, workspace: str) -> str:
        """The machine's origin, reachable from now on.

        Raises `LimitExceeded` when no port is free, `Unavailable` when the proxy does not run.
        """
        return self._call(self._origin(workspace)).text

    def ticket_url(self, workspace: str, ticket: str) -> str:
        """Where the holder of a ticket enters the machine. Raises as `origin`."""
        return ticket_url(self._call(self._origin(workspace)), ticket)

    def forget(self, workspace: str, *, gone: bool = False) -> None:
        """Ask anew about the workspace and cut what is open; `gone` gives its port back as well.

        To be called when it stops, is shared with fewer people or terminated; without it the
        proxy finds out by itself, within `believe_seconds` and `recheck_seconds`.
        """
        self._call(self._forget(workspace, gone))

    def activity(self, workspace: str) -> Activity:
        """What was last seen of people at the machine."""
        return self._call(self._activity(workspace))

    def _call(self, what: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            what.close()
            raise Unavailable("Machines are not reached by this process.", todo="Ask the process that serves them.")
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(_CALL_SECONDS)

    async def _run(self, started: concurrent.futures.Future[None]) -> None:
        self._stopping = asyncio.Event()
        with concurrent.futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="proxy") as executor:
            self._door = Door(self._callbacks, self._options, executor, self._metrics)
            self._ports = PortListeners(
                self._options, self._door.serve, lambda workspace: self._door.exchanges.count(workspace) > 0
            )
            listening: asyncio.Server | None = None
            try:
                if self._names is not None:
                    listening = await self._listen()
            except OSError as error:
                started.set_exception(error)
                return
            self._loop = asyncio.get_running_loop()
            chores = [
                asyncio.create_task(self._every(self._options.recheck_seconds, self._recheck)),
                asyncio.create_task(self._every(_TELL_SECONDS, lambda: self._tell(executor))),
            ]
            started.set_result(None)
            try:
                await self._stopping.wait()
            finally:
                for chore in chores:
                    chore.cancel()
                await asyncio.gather(*chores, return_exceptions=True)
                if listening is not None and self._server is not None:
                    listening.close()
                    await self._server.shutdown(1.0)
                await self._ports.close_all()
                await self._door.upstreams.close_all()

    async def _listen(self) -> asyncio.Server:
        sock = bind(self._options.host, self._options.port)
        self._port = sock.getsockname()[1]
        self._server = http_server(self._by_host_name)
        return await asyncio.get_running_loop().create_server(self._server, sock=sock)

    async def _by_host_name(self, request: BaseRequest) -> web.StreamResponse:
        assert self._names is not None
        origin = self._names.find(request.headers.get("Host", ""))
        if origin is None:
            return pages.answer(request, 421, "misdirected", "This address is no machine's.")
        return await self._door.serve(request, origin)

    async def _origin(self, workspace: str) -> Origin:
        if WORKSPACE.match(workspace) is None:
            raise InvalidInput("No machine is reached by such an id.", where=f"workspace/{workspace}")
        return self._names.origin(workspace) if self._names is not None else await self._ports.origin(workspace)

    async def _forget(self, workspace: str, gone: bool) -> None:
        self._door.forget(workspace)
        if gone:
            self._door.exchanges.drop(workspace)
            await self._ports.close(workspace)
            await self._door.upstreams.close(workspace)

    async def _activity(self, workspace: str) -> Activity:
        return self._door.exchanges.activity(workspace)

    async def _recheck(self) -> None:
        await self._door.recheck()
        for workspace in self._ports.idle():
            if await self._door.sockets.anew(workspace) is None:
                await self._ports.close(workspace)

    async def _tell(self, executor: concurrent.futures.Executor) -> None:
        news = self._door.exchanges.news()
        if news:
            await asyncio.get_running_loop().run_in_executor(executor, self._callbacks.active, news)

    async def _every(self, seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await chore()
            except Exception as problem:
                _log.error("A chore of the proxy failed and is done again: %s.", type(problem).__name__)

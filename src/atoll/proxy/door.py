"""The door of every machine: what a request must be, and have, to be passed on."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.web_request import BaseRequest

from atoll.errors import AtollError, NotAuthenticated
from atoll.model.visit import Visit
from atoll.proxy import cookies, downloads, headers, pages
from atoll.proxy.callbacks import Callbacks
from atoll.proxy.entrance import PLACE, Entrance
from atoll.proxy.exchanges import Exchanges
from atoll.proxy.foreign import foreign, navigates
from atoll.proxy.headers import Outgoing
from atoll.proxy.http_pass import forward, no_downloads
from atoll.proxy.metrics import ProxyMetrics
from atoll.proxy.options import Options
from atoll.proxy.origins import Origin
from atoll.proxy.streams import Streams
from atoll.proxy.upstream import Upstreams, not_answering
from atoll.proxy.verdicts import Asked
from atoll.proxy.websocket_pass import WebSocketPass, is_websocket

_SAFE = (hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS)


class Door:
    """Judges each request by itself and passes it on. Lives in one event loop."""

    def __init__(self, callbacks: Callbacks, options: Options, executor: Executor, metrics: ProxyMetrics) -> None:
        self._options = options
        self._metrics = metrics
        self._hidden = tuple(name.lower() for name in options.platform_cookies)
        self._outgoing: dict[Origin, Outgoing] = {}
        self.visits: Asked[Visit] = Asked(callbacks.authorise, executor, options.believe_seconds)
        self.sockets: Asked[Path | None] = Asked(callbacks.resolve, executor, options.believe_seconds)
        self.upstreams = Upstreams()
        self.exchanges = Exchanges()
        self._streams = Streams(self.sockets, self.exchanges, options.heartbeat_seconds, metrics)
        self._entrance = Entrance(callbacks, executor, self.visits, metrics)

    async def serve(self, request: BaseRequest, origin: Origin) -> web.StreamResponse:
        """Answer one request at the machine's origin."""
        astray = self._astray(request, origin)
        if astray is not None:
            return astray
        # As sent: what an encoded path means is the machine's to say.
        if request.raw_path.startswith(origin.base + PLACE):
            return await self._entrance.serve(request, origin)
        if foreign(request.headers, origin):
            return self._foreign(request, origin)
        try:
            secret, visit = await self._visitor(request, origin)
            if visit.stream is not None:
                return await self._streams.serve(request, origin, secret, visit)
            return await self._pass(request, origin, secret, visit)
        except AtollError as error:
            self._metrics.refused.labels(error.code).inc()
            return pages.refused(request, error)

    def _astray(self, request: BaseRequest, origin: Origin) -> web.StreamResponse | None:
        """The answer to what is not below the machine's address."""
        path = request.raw_path.partition("?")[0]
        if request.headers.get(hdrs.HOST, "").lower() != origin.host:
            return self._refuse(request, 421, "misdirected", "This address is not the machine's.")
        if path in ("/", origin.base.rstrip("/")):
            return pages.moved(origin.base)
        if not path.startswith(origin.base):
            return self._refuse(request, 404, "not_found", "There is no such address.")
        return None

    async def _visitor(self, request: BaseRequest, origin: Origin) -> tuple[str, Visit]:
        """Who asks. Raises what the platform says of the last cookie that might have been it."""
        refusal: AtollError = NotAuthenticated(
            "You are not signed in to this machine.", todo="Open the workspace from the platform."
        )
        for line in request.headers.getall(hdrs.COOKIE, []):
            for secret in cookies.session_secrets(line, origin):
                try:
                    return secret, await self.visits.get(secret, origin.workspace)
                except AtollError as error:
                    refusal = error
        raise refusal

    async def _pass(self, request: BaseRequest, origin: Origin, secret: str, visit: Visit) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if not visit.downloads and downloads.asks(path, query, origin):
            self._metrics.refused.labels("download").inc()
            return no_downloads(request)
        workspace = origin.workspace
        socket = await self.sockets.get(workspace)
        if socket is None:
            # What is open to a machine that stands still goes on when it wakes.
            raise not_answering()
        session = await self.upstreams.session(workspace, socket)
        outgoing = self._outgoing_of(origin)
        action = request.method not in _SAFE or navigates(request.headers)
        self.exchanges.request(workspace, action=action)
        if is_websocket(request):
            passing = WebSocketPass(
                request,
                self._options.heartbeat_seconds,
                lambda: self.exchanges.request(workspace, action=True),
            )
            sent = headers.for_machine(request.headers, origin, self._hidden, websocket=True)
            with self.exchanges.open(workspace, secret, passing.cut), self._metrics.websockets.track_inprogress():
                return await passing.relay(session, sent, visit, outgoing)
        sent = headers.for_machine(request.headers, origin, self._hidden)
        with self.exchanges.open(workspace, secret, lambda: _abort(request)):
            return await forward(request, session, sent, visit, outgoing, self._metrics.answered)

    def _foreign(self, request: BaseRequest, origin: Origin) -> web.StreamResponse:
        self._metrics.refused.labels("foreign").inc()
        go_on = request.raw_path if request.method == hdrs.METH_GET and navigates(request.headers) else ""
        return pages.answer(
            request,
            403,
            "not_permitted",
            "Another page asked for this.",
            "Go on only if you meant to open it." if go_on else "Machines are used from their own pages only.",
            go_on=go_on,
        )

    def _refuse(self, request: BaseRequest, status: int, code: str, what: str) -> web.StreamResponse:
        self._metrics.refused.labels(code).inc()
        return pages.answer(request, status, code, what, "Open the workspace from the platform.")

    def _outgoing_of(self, origin: Origin) -> Outgoing:
        made = self._outgoing.get(origin)
        if made is None:
            made = self._outgoing[origin] = Outgoing(origin, self._hidden, confine_pages=self._options.confine_pages)
        return made

    def forget(self, workspace: str) -> None:
        """Believe nothing that was said about the workspace, and cut what is open."""
        self.visits.forget(workspace)
        self.sockets.forget(workspace)
        self.exchanges.forget(workspace)
        for origin in [origin for origin in self._outgoing if origin.workspace == workspace]:
            del self._outgoing[origin]

    async def recheck(self) -> None:
        """Authorise anew whoever has something open, and cut those who may no longer."""
        now = asyncio.get_running_loop().time()
        for workspace in self.upstreams.idle(self._options.idle_seconds):
            if not self.exchanges.count(workspace):
                await self.upstreams.close(workspace)
        due = [e for e in self.exchanges.all() if now - e.sound_at >= self._options.recheck_seconds / 2]
        keys = list({(exchange.secret, exchange.workspace) for exchange in due})
        answers = dict(zip(keys, await asyncio.gather(*(self.visits.anew(*key) for key in keys)), strict=True))
        for exchange in due:
            answer = answers[exchange.secret, exchange.workspace]
            if isinstance(answer, Visit):
                exchange.sound_at = now
                if exchange.stream is not None and answer.stream != exchange.stream:
                    exchange.cut()
            elif answer.code != "unavailable" or now - exchange.sound_at > self._options.blind_seconds:
                self._metrics.cut.inc()
                exchange.cut()


def _abort(request: BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()

"""Machines whose service is a screen: what a visitor may ask of them."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from aiohttp.web_request import BaseRequest

from atoll.model.visit import SCREEN, Visit
from atoll.proxy import pages, stream_page
from atoll.proxy.exchanges import Exchanges
from atoll.proxy.metrics import ProxyMetrics
from atoll.proxy.origins import Origin
from atoll.proxy.stream_page import StreamPage
from atoll.proxy.stream_pass import StreamPass, Told
from atoll.proxy.upstream import not_answering
from atoll.proxy.verdicts import Asked
from atoll.proxy.websocket_pass import is_websocket


class Streams:
    """Serves the page of screens and the screens. Nothing that the machine serves itself is reached."""

    def __init__(
        self, sockets: Asked[Path | None], exchanges: Exchanges, heartbeat_seconds: float, metrics: ProxyMetrics
    ) -> None:
        self._sockets = sockets
        self._exchanges = exchanges
        self._heartbeat_seconds = heartbeat_seconds
        self._metrics = metrics
        self._page = StreamPage()

    async def serve(self, request: BaseRequest, origin: Origin, secret: str, visit: Visit) -> web.StreamResponse:
        """Answer one request of somebody who may visit. Raises `Unavailable`."""
        workspace = origin.workspace
        self._exchanges.request(workspace, action=False)
        if request.path.removeprefix(origin.base) != stream_page.SCREEN:
            return self._page.answer(request, origin, visit)
        if not is_websocket(request) or visit.stream is None:
            return pages.answer(request, 400, "bad_request", "A screen is a WebSocket.")
        socket = await self._sockets.get(workspace)
        if socket is None:
            raise not_answering()
        told = Told(
            acted=lambda: self._exchanges.request(workspace, action=True),
            sent=self._metrics.stream_bytes.inc,
            refused=lambda what: self._metrics.stream_refused.labels(what).inc(),
        )
        passing = StreamPass(request, self._heartbeat_seconds, visit.stream, told)
        with (
            self._exchanges.open(workspace, secret, passing.cut, visit.stream),
            self._metrics.websockets.track_inprogress(),
        ):
            return await passing.relay(socket.with_name(SCREEN))

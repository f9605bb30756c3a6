"""The entrance of a machine's origin: a ticket is swapped for the cookie of a visit, and given back."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import Executor
from datetime import UTC, datetime

from aiohttp import hdrs, web
from aiohttp.web_request import BaseRequest

from atoll.errors import AtollError, NotAuthenticated
from atoll.model.visit import Admission, Visit
from atoll.proxy import cookies, pages
from atoll.proxy.callbacks import Callbacks
from atoll.proxy.foreign import foreign
from atoll.proxy.metrics import ProxyMetrics
from atoll.proxy.origins import Origin
from atoll.proxy.verdicts import Asked

#: Below the machine's base, and never passed on to it.
PLACE = ".atoll/"
_TICKET = re.compile(r"[A-Za-z0-9_-]{43}\Z")


def ticket_url(origin: Origin, ticket: str) -> str:
    """Where a browser goes with its ticket."""
    return f"{origin.text}{origin.base}{PLACE}enter?ticket={ticket}"


class Entrance:
    """Serves `.atoll/enter?ticket=` and `.atoll/leave` of every machine."""

    def __init__(self, callbacks: Callbacks, executor: Executor, visits: Asked[Visit], metrics: ProxyMetrics) -> None:
        self._callbacks = callbacks
        self._executor = executor
        self._visits = visits
        self._metrics = metrics

    async def serve(self, request: BaseRequest, origin: Origin) -> web.Response:
        """Answer a request below `.atoll/`. A cross-origin step is what the entrance is for."""
        step = request.path.removeprefix(origin.base + PLACE)
        if step == "enter" and request.method == hdrs.METH_GET:
            return await self._enter(request, origin)
        if step == "leave" and request.method == hdrs.METH_POST and not foreign(request.headers, origin):
            return await self._leave(request, origin)
        return pages.answer(request, 404, "not_found", "There is no such address.")

    async def _enter(self, request: BaseRequest, origin: Origin) -> web.Response:
        if await self._is_in(request, origin):
            # A page loaded again: its ticket is spent, and not needed.
            return pages.entered(request, origin.base, "")
        ticket = request.query.get("ticket", "")
        try:
            admission = await self._admit(ticket, origin.workspace, request.remote or "")
        except AtollError as error:
            self._metrics.refused.labels("ticket").inc()
            return pages.refused(request, error)
        self._metrics.entered.inc()
        seconds = int((admission.visit.expires_at - datetime.now(UTC)).total_seconds())
        return pages.entered(request, origin.base, cookies.set_session(admission, origin, max(seconds, 1)))

    async def _admit(self, ticket: str, workspace: str, address: str) -> Admission:
        if _TICKET.match(ticket) is None:
            raise NotAuthenticated("This is no ticket.", todo="Open the workspace from the platform.")
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, self._callbacks.admit, ticket, workspace, address
        )

    async def _is_in(self, request: BaseRequest, origin: Origin) -> bool:
        for secret in cookies.session_secrets(request.headers.get(hdrs.COOKIE, ""), origin):
            try:
                await self._visits.get(secret, origin.workspace)
                return True
            except AtollError:
                continue
        return False

    async def _leave(self, request: BaseRequest, origin: Origin) -> web.Response:
        for secret in cookies.session_secrets(request.headers.get(hdrs.COOKIE, ""), origin):
            await asyncio.get_running_loop().run_in_executor(
                self._executor, self._callbacks.leave, secret, origin.workspace
            )
            self._visits.forget(secret, origin.workspace)
        return pages.left(cookies.clear_session(origin))

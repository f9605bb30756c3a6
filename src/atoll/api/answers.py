"""A result that streams from a query to the caller, and always ends the query."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Self

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from atoll.api.metrics import Metrics
from atoll.flows.run_query import RunningQuery

QUERY_ID_HEADER = "X-Atoll-Query-Id"
Encoder = Callable[[RunningQuery], Iterator[bytes]]


class ResultAnswer(Response):
    """Sends what `begin` started.

    Whatever happens (the end, an error, a caller who hangs up) the query's context is
    left in a thread, so that it is settled and its process freed.
    """

    def __init__(
        self,
        first: bytes,
        rest: Iterator[bytes],
        *,
        headers: Mapping[str, str],
        media_type: str,
        metrics: Metrics,
        lane: CapacityLimiter,
    ) -> None:
        self._first = first
        self._rest = rest
        self._metrics = metrics
        self._lane = lane
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.body = b""
        self.init_headers(headers)
        del self.headers["content-length"]

    @classmethod
    def begin(
        cls,
        query: AbstractContextManager[RunningQuery],
        encoder: Encoder,
        *,
        media_type: str,
        metrics: Metrics,
        lane: CapacityLimiter,
    ) -> Self:
        """Enter the query and make the first piece of the result.

        Raises what the statement, or the making of its first rows, raises.
        """
        started: list[str] = []

        def pieces() -> Iterator[bytes]:
            with query as running:
                started.append(running.query_id)
                yield from encoder(running)

        rest = pieces()
        first = next(rest, b"")
        headers = {QUERY_ID_HEADER: started[0]}
        return cls(first, rest, headers=headers, media_type=media_type, metrics=metrics, lane=lane)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer. Errors pass through, so that the server cuts the connection."""
        outcome = "broken"
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._send_pieces(receive, send)
            outcome = "done"
        except ClientDisconnect:
            outcome = "hung_up"
            raise
        finally:
            self._metrics.query(outcome)
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._close)

    async def _send_pieces(self, receive: Receive, send: Send) -> None:
        """Send piece after piece, and stop when the caller hangs up."""
        hung_up = False

        async def watch(sending: anyio.CancelScope) -> None:
            nonlocal hung_up
            while (await receive())["type"] != "http.disconnect":
                pass
            hung_up = True
            sending.cancel()

        failed: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(watch, group.cancel_scope)
            try:
                piece: bytes | None = self._first
                while piece is not None:
                    self._metrics.sent(len(piece))
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    piece = await to_thread.run_sync(next, self._rest, None, limiter=self._lane)
            except Exception as error:
                failed = error
            group.cancel_scope.cancel()
        if hung_up:
            raise ClientDisconnect
        if failed is not None:
            raise failed
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _close(self) -> None:
        close = getattr(self._rest, "close", None)
        if close is not None:
            close()


async def watched(
    request: Request, begin: Callable[[], ResultAnswer], cancel: Callable[[], None], lane: CapacityLimiter
) -> ResultAnswer:
    """What `begin` makes in a thread; `cancel` is called when the caller hangs up meanwhile."""
    made: ResultAnswer | None = None
    failed: Exception | None = None

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        try:
            made = await to_thread.run_sync(begin, limiter=lane)
        except Exception as error:
            failed = error
        group.cancel_scope.cancel()
    if made is None:
        raise failed or ClientDisconnect
    return made

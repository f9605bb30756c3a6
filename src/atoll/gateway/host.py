"""The gateway for code of threads: it runs on an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as WaitTimeout
from typing import Any, TypeVar

from atoll.errors import Unavailable
from atoll.gateway.gateway import Gateway
from atoll.gateway.machine import Machine

_T = TypeVar("_T")
_WAIT_SECONDS = 30.0


class GatewayHost:
    """Runs a `Gateway` in a thread of its own. Every method returns when it is done.

    All raise `Unavailable` when the gateway is not running or does not answer.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread and the gateway."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=_run, args=(loop,), name="atoll-gateway", daemon=True)
        thread.start()
        self._loop, self._thread = loop, thread
        try:
            self._do(self._gateway.start())
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Close every socket and end the thread. Idempotent."""
        if self._loop is None:
            return
        try:
            self._do(self._gateway.stop())
        finally:
            self._end()

    def open(self, machine: Machine) -> None:
        """Listen for a machine. Idempotent."""
        self._do(self._gateway.open(machine))

    def close(self, workspace: str) -> None:
        """Stop listening for a machine. Idempotent."""
        self._do(self._gateway.close(workspace))

    @property
    def workspaces(self) -> tuple[str, ...]:
        """Ids of the workspaces that have a socket here."""
        return self._gateway.workspaces

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        if self._loop is None:
            work.close()
            raise Unavailable("The gateway is not running.")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(_WAIT_SECONDS)
        except WaitTimeout:
            future.cancel()
            raise Unavailable("The gateway does not answer.") from None

    def _end(self) -> None:
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_WAIT_SECONDS)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

"""Talking to the agent inside a machine, which may be anything that root inside has made of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: A longer line is no answer; what comes is thrown away until it ends.
MOST_LINE_BYTES = 2**20
#: Events that are not asked for, within a machine's life between two starts; then no more is heard of them.
_MOST_EVENTS = 10_000
_EVENTS = frozenset({"phase", "ended"})


class AgentError(Exception):
    """The agent does not do it, or does not answer; the text says what it said."""


class AgentChannel:
    """Orders and answers, one line of JSON each. Nothing that comes can make it raise, grow or stop."""

    def __init__(self, heard: Callable[[dict[str, Any]], None]) -> None:
        self._heard = heard
        self._events = 0
        self._number = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def connect(self, path: Path) -> None:
        """Connect to where QEMU listens. Raises `OSError`."""
        reader, self._writer = await asyncio.open_unix_connection(str(path), limit=MOST_LINE_BYTES)
        self._reading = asyncio.create_task(self._listen(reader))

    async def ask(self, do: str, seconds: float, /, **told: object) -> dict[str, Any]:
        """Have something done; the answer. Raises `AgentError`."""
        if self._writer is None:
            raise AgentError("there is no agent yet")
        self._number += 1
        number = self._number
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(json.dumps({"id": number, "do": do, **told}).encode() + b"\n")
            async with asyncio.timeout(seconds):
                await self._writer.drain()
                answer: dict[str, Any] = await future
        except TimeoutError:
            raise AgentError(f"the agent inside does not answer ({do})") from None
        except OSError as error:
            raise AgentError(f"the agent inside is not reached ({error.strerror})") from None
        finally:
            del self._waiting[number]
        if answer.get("ok") is not True:
            raise AgentError(str(answer.get("error", "it said nothing"))[:500])
        return answer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as much:
                await reader.readexactly(much.consumed)
                continue
            except (asyncio.IncompleteReadError, OSError):
                return
            with contextlib.suppress(ValueError, RecursionError):
                self._take(json.loads(line))

    def _take(self, said: object) -> None:
        if not isinstance(said, dict):
            return
        number = said.get("id")
        future = self._waiting.get(number) if isinstance(number, int) and not isinstance(number, bool) else None
        if future is not None and not future.done():
            future.set_result(said)
        elif isinstance(said.get("event"), str) and said["event"] in _EVENTS and self._events < _MOST_EVENTS:
            self._events += 1
            self._heard(said)

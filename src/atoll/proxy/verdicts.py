"""Verdicts of the platform about sessions, asked for once at a time and believed for a moment."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

from atoll.errors import AtollError, Unavailable

T = TypeVar("T")
_log = logging.getLogger(__name__)
_KEPT = 10_000
Key = tuple[str, ...]


class Asked(Generic[T]):
    """Answers of one question by its arguments, kept with their age.

    Args:
        ask: the question. Called in `executor`; what it raises is an answer too.
        executor: threads to ask in.
        believe_seconds: answers older than this are asked for anew.
    """

    def __init__(self, ask: Callable[..., T], executor: Executor, believe_seconds: float) -> None:
        self._ask = ask
        self._executor = executor
        self._believe_seconds = believe_seconds
        self._loop = asyncio.get_running_loop()
        self._answers: OrderedDict[Key, tuple[float, T | AtollError]] = OrderedDict()
        self._asking: dict[Key, asyncio.Task[T | AtollError]] = {}

    async def get(self, *key: str) -> T:
        """The answer, at most `believe_seconds` old. Raises what the platform raised, as an `AtollError`."""
        known = self._answers.get(key)
        if known is not None and self._loop.time() - known[0] < self._believe_seconds:
            answer = known[1]
        else:
            answer = await self.anew(*key)
        if isinstance(answer, AtollError):
            raise answer
        return answer

    async def anew(self, *key: str) -> T | AtollError:
        """The answer, asked for now (or by a caller who has just asked)."""
        task = self._asking.get(key)
        if task is None:
            task = self._loop.create_task(self._find(key))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        # A visitor who hangs up does not take the answer from the others who wait for it.
        return await asyncio.shield(task)

    def forget(self, *arguments: str) -> None:
        """Drop the answers about these arguments, wherever they stand."""
        for key in [key for key in self._answers if set(arguments) <= set(key)]:
            del self._answers[key]

    async def _find(self, key: Key) -> T | AtollError:
        asked_at = self._loop.time()
        answer: T | AtollError
        try:
            answer = await self._loop.run_in_executor(self._executor, self._ask, *key)
        except AtollError as refused:
            answer = refused
        except Exception as problem:
            # Its text may hold anything, its kind does not.
            _log.error("The platform cannot be asked about a machine: %s.", type(problem).__name__)
            answer = Unavailable("The platform cannot answer for now.", todo="Try again.")
        if not isinstance(answer, Unavailable):
            self._answers[key] = (asked_at, answer)
            self._answers.move_to_end(key)
            while len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        return answer

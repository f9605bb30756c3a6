"""What is open now, and when people were last seen at each machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from atoll.model.visit import Stream
from atoll.proxy.callbacks import Activity


@dataclass(eq=False)
class Exchange:
    """A request or WebSocket under way.

    Attributes:
        workspace, secret: whose it is.
        cut: ends it, when its visitor has lost the right.
        sound_at: when the platform last said that the visitor may, in the loop's time.
        stream: what the visitor might do with a screen when it was opened; another answer ends it.
    """

    workspace: str
    secret: str
    cut: Callable[[], None]
    sound_at: float
    stream: Stream | None = None


@dataclass
class _Seen:
    request_at: float | None = None
    action_at: float | None = None
    told_at: float = float("-inf")
    open: set[Exchange] = field(default_factory=set)


class Exchanges:
    """Kept in the loop's own time, so that a message costs a few hundred nanoseconds."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._seen: dict[str, _Seen] = {}

    @contextmanager
    def open(
        self, workspace: str, secret: str, cut: Callable[[], None], stream: Stream | None = None
    ) -> Iterator[Exchange]:
        """Keep an exchange on the list while it lasts."""
        exchange = Exchange(workspace, secret, cut, self._loop.time(), stream)
        opened = self._of(workspace).open
        opened.add(exchange)
        try:
            yield exchange
        finally:
            opened.discard(exchange)

    def request(self, workspace: str, *, action: bool) -> None:
        """A browser asked for something; `action` when a person must be behind it."""
        seen = self._of(workspace)
        seen.request_at = self._loop.time()
        if action:
            seen.action_at = seen.request_at

    def all(self) -> list[Exchange]:
        """Everything open."""
        return [exchange for seen in self._seen.values() for exchange in seen.open]

    def count(self, workspace: str) -> int:
        """How many are open at one machine."""
        seen = self._seen.get(workspace)
        return len(seen.open) if seen else 0

    def activity(self, workspace: str) -> Activity:
        """What was last seen at one machine."""
        seen = self._seen.get(workspace) or _Seen()
        return Activity(self._time(seen.request_at), self._time(seen.action_at), len(seen.open))

    def news(self) -> dict[str, Activity]:
        """Machines that people were at since this was last asked."""
        now = self._loop.time()
        found: dict[str, Activity] = {}
        for workspace, seen in self._seen.items():
            if seen.request_at is not None and seen.request_at > seen.told_at:
                found[workspace] = self.activity(workspace)
                seen.told_at = now
        return found

    def forget(self, workspace: str) -> None:
        """Cut everything open at the machine."""
        seen = self._seen.get(workspace)
        for exchange in list(seen.open) if seen else ():
            exchange.cut()

    def drop(self, workspace: str) -> None:
        """The machine is gone for good: nothing of it is remembered."""
        self._seen.pop(workspace, None)

    def _of(self, workspace: str) -> _Seen:
        seen = self._seen.get(workspace)
        if seen is None:
            seen = self._seen[workspace] = _Seen()
        return seen

    def _time(self, at: float | None) -> datetime | None:
        return (
            None if at is None else datetime.fromtimestamp(datetime.now(UTC).timestamp() - self._loop.time() + at, UTC)
        )

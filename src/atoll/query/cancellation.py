"""A way to follow and to end a query that has not yet given anything to hold on to."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancellation:
    """Given to `QueryEngine.run`, it ends that query from any thread, before its first row as well."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._end: Callable[[], None] | None = None
        self._progress: Callable[[], float | None] | None = None

    @property
    def progress(self) -> float | None:
        """How far the query is, 0 to 1, where the engine can tell."""
        return self._progress() if self._progress else None

    def cancel(self) -> None:
        """End the query now, or as soon as it starts. Idempotent; no harm when it is over."""
        with self._lock:
            self._asked = True
            end = self._end
        if end is not None:
            end()

    def attach(self, end: Callable[[], None], progress: Callable[[], float | None] | None = None) -> None:
        """Say how the query is ended (done at once when that was asked for already) and how far it is."""
        with self._lock:
            self._end = end
            self._progress = progress
            asked = self._asked
        if asked:
            end()

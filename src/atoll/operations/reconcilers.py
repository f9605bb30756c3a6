"""Housekeeping that is done again and again: each pass looks at what is, not at what happened."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from atoll.errors import AtollError

log = logging.getLogger(__name__)


_LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Reconciler:
    """One duty: `run` is idempotent, safe in several processes, and returns how much it did."""

    name: str
    every_seconds: float
    run: Callable[[], int]


class Reconcilers:
    """A thread that runs duties in their rhythm; the error of one stops no other.

    `woken` has all of them run at once when somebody sets it.
    """

    def __init__(self, duties: Sequence[Reconciler], woken: threading.Event | None = None) -> None:
        self._due = {duty.name: 0.0 for duty in duties}
        self._duties = tuple(duties)
        self._stopping = threading.Event()
        self._woken = woken or threading.Event()
        self._thread = threading.Thread(target=self._work, name="reconcilers", daemon=True)

    def start(self) -> None:
        """Start in the background; every duty is run at once, then in its rhythm."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 30.0) -> None:
        """Stop after the duty under way. Idempotent."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def run_due(self) -> None:
        """Run every duty whose time has come, in this thread."""
        for duty in self._duties:
            if self._stopping.is_set() or self._due[duty.name] > time.monotonic():
                continue
            try:
                done = duty.run()
                if done:
                    log.info("Housekeeping done.", extra={"fields": {"duty": duty.name, "count": done}})
            except AtollError as error:
                log.warning(
                    "Housekeeping could not be done now.",
                    extra={"fields": {"duty": duty.name, "error_code": error.code}},
                )
            except Exception as error:
                log.error(
                    "Housekeeping failed unexpectedly.",
                    extra={"fields": {"duty": duty.name, "error_class": type(error).__name__}},
                )
            self._due[duty.name] = time.monotonic() + duty.every_seconds

    def _work(self) -> None:
        while not self._stopping.is_set():
            self.run_due()
            if self._woken.wait(_LOOK_SECONDS):
                self._woken.clear()
                self._due = dict.fromkeys(self._due, 0.0)

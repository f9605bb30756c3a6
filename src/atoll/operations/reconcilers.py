"""Housekeeping that is done again and again: each pass looks at what is, not at what happened."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from atoll.errors import AtollError

log = logging.getLogger(__name__)


_LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Reconciler:
    """One duty: `run` is idempotent, safe in several processes, and returns how much it did."""

    name: str
    every_seconds: float
    run: Callable[[], int]


@dataclass(frozen=True)
class DutyStanding:
    """How a duty of this process stands."""

    name: str
    every_seconds: float
    #: Start of the pass under way; None between passes.
    running_since: datetime | None = None
    #: End of the last pass and how long it took; None before the first has ended.
    ran_at: datetime | None = None
    took_seconds: float | None = None
    #: Why the last pass did not come to its end: the error's code, or `unexpected`; empty when it did.
    error: str = ""
    #: Passes in a row that did not come to their end.
    failures: int = 0


class DutyBoard:
    """What the duties of this process last did. Kept in memory; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing: dict[str, DutyStanding] = {}

    def all(self) -> tuple[DutyStanding, ...]:
        """Every duty that runs in this process, by name."""
        with self._lock:
            return tuple(self._standing[name] for name in sorted(self._standing))

    def expect(self, duties: Iterable[Reconciler]) -> None:
        """These run here from now on."""
        with self._lock:
            for duty in duties:
                self._standing.setdefault(duty.name, DutyStanding(duty.name, duty.every_seconds))

    def begin(self, duty: Reconciler) -> None:
        """A pass has begun."""
        with self._lock:
            self._standing[duty.name] = replace(self._standing[duty.name], running_since=datetime.now(UTC))

    def end(self, duty: Reconciler, took_seconds: float, error: str) -> None:
        """A pass has ended."""
        with self._lock:
            before = self._standing[duty.name]
            self._standing[duty.name] = replace(
                before,
                running_since=None,
                ran_at=datetime.now(UTC),
                took_seconds=took_seconds,
                error=error,
                failures=before.failures + 1 if error else 0,
            )


class Reconcilers:
    """A thread that runs duties in their rhythm; the error of one stops no other.

    `woken` has all of them run at once when somebody sets it; on `board` it is told how they stand.
    """

    def __init__(
        self, duties: Sequence[Reconciler], woken: threading.Event | None = None, board: DutyBoard | None = None
    ) -> None:
        self._board = board or DutyBoard()
        self._due = {duty.name: 0.0 for duty in duties}
        self._duties = tuple(duties)
        self._stopping = threading.Event()
        self._woken = woken or threading.Event()
        self._thread = threading.Thread(target=self._work, name="reconcilers", daemon=True)

    def start(self) -> None:
        """Start in the background; every duty is run at once, then in its rhythm."""
        self._board.expect(self._duties)
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
            self._run(duty)
            self._due[duty.name] = time.monotonic() + duty.every_seconds

    def _run(self, duty: Reconciler) -> None:
        self._board.expect((duty,))
        self._board.begin(duty)
        began, wrong = time.monotonic(), ""
        try:
            done = duty.run()
            if done:
                log.info("Housekeeping done.", extra={"fields": {"duty": duty.name, "count": done}})
        except AtollError as error:
            wrong = error.code
            log.warning(
                "Housekeeping could not be done now.",
                extra={"fields": {"duty": duty.name, "error_code": error.code}},
            )
        except Exception as error:
            wrong = "unexpected"
            log.error(
                "Housekeeping failed unexpectedly.",
                extra={"fields": {"duty": duty.name, "error_class": type(error).__name__}},
            )
        self._board.end(duty, time.monotonic() - began, wrong)

    def _work(self) -> None:
        while not self._stopping.is_set():
            self.run_due()
            if self._woken.wait(_LOOK_SECONDS):
                self._woken.clear()
                self._due = dict.fromkeys(self._due, 0.0)

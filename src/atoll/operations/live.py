"""An operation while one worker holds its lease."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NoReturn

from atoll.errors import AtollError
from atoll.model.operation import Lease, Operation
from atoll.operations.operations import Operations

_PROGRESS_EVERY_SECONDS = 1.0


class LeaseLost(Exception):
    """Another worker took the operation over; this one must touch nothing more."""


class Stopping(Exception):
    """The platform is stopping; the operation goes on at the next start."""


class Parked(Exception):
    """A step waits for something outside, and gives its worker back meanwhile."""

    def __init__(self, seconds: float, notes: Mapping[str, Any]) -> None:
        super().__init__()
        self.seconds = seconds
        self.notes = dict(notes)


class Cancelled(AtollError):
    """Somebody asked for the operation to be cancelled."""

    code = "cancelled"


class DeadlinePassed(AtollError):
    """The operation did not end in its time."""

    code = "deadline_passed"


class LiveOperation:
    """Keeps the lease alive in a thread of its own, and is the step's `StepContext`."""

    def __init__(
        self, operations: Operations, operation: Operation, lease_seconds: float, stopping: threading.Event
    ) -> None:
        if operation.lease is None:
            raise ValueError("a live operation has a lease")
        self._operations = operations
        self._operation = operation
        self._owner = operation.lease.owner
        self._lease_seconds = lease_seconds
        self._stopping = stopping
        self._lost = threading.Event()
        self._ended = threading.Event()
        self._written_at = operations.now()
        self._step = ""
        self._heart = threading.Thread(target=self._beat, name=f"lease-{operation.id}", daemon=True)

    def __enter__(self) -> LiveOperation:
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._heart.join()

    @property
    def operation(self) -> Operation:
        """The operation as last written."""
        return self._operation

    def output(self, step: str) -> Mapping[str, Any]:
        """What an earlier step returned."""
        return next(s.output for s in self._operation.steps if s.name == step)

    def begin(self, step: str) -> None:
        """The step that `progress` speaks of from now on."""
        self._step = step
        self.say(f"Step {step} begins.", attempt=self._operation.attempt)

    def progress(self, fraction: float) -> None:
        """See `StepContext.progress`."""
        self.check()
        now = self._operations.now()
        if (now - self._written_at).total_seconds() < _PROGRESS_EVERY_SECONDS:
            return
        self._written_at = now
        value = min(max(fraction, 0.0), 1.0)
        self.write(lambda o: with_step(o, self._step, progress=value))

    def say(self, message: str, **facts: object) -> None:
        """See `StepContext.say`."""
        self._operations.say(self._operation.id, message, **facts)

    def check(self) -> None:
        """See `StepContext.check`."""
        if self._lost.is_set():
            raise LeaseLost
        if self._stopping.is_set():
            raise Stopping
        if self._operation.cancel_requested:
            raise Cancelled("The operation was cancelled.", where=self._operation.id)
        if self._operations.now() >= self._operation.deadline:
            raise DeadlinePassed(
                "The operation did not end before its deadline.",
                where=self._operation.id,
                todo="See its log for what took so long.",
            )

    def wait(self, seconds: float) -> None:
        """See `StepContext.wait`."""
        self._stopping.wait(seconds)
        self.check()

    def park(self, seconds: float, notes: Mapping[str, Any]) -> NoReturn:
        """See `StepContext.park`."""
        self.check()
        raise Parked(seconds, notes)

    def give_back(self, parked: Parked) -> None:
        """Let go of a parked operation; this is no attempt that failed."""
        until = self._operations.now() + timedelta(seconds=parked.seconds)
        step = self._step
        self.write(
            lambda o: with_step(o, step, output=parked.notes).but(
                lease=None, retry_at=until, failure=None, attempt=max(o.attempt - 1, 0)
            )
        )

    def write(self, change: Callable[[Operation], Operation]) -> Operation:
        """Change the record while the lease is ours. Raises `LeaseLost`."""

        def guarded(operation: Operation) -> Operation:
            if operation.lease is None or operation.lease.owner != self._owner:
                self._lost.set()
                raise LeaseLost
            return change(operation)

        self._operation = self._operations.update(self._operation.id, guarded)
        return self._operation

    def _beat(self) -> None:
        while not self._ended.wait(self._lease_seconds / 3):
            until = self._operations.now() + timedelta(seconds=self._lease_seconds)
            lease = Lease(owner=self._owner, until=until)
            try:
                self.write(lambda o, lease=lease: o.but(lease=lease))  # type: ignore[misc]
            except LeaseLost:
                return
            except AtollError:
                # The store is away. The lease runs on; if it runs out, another worker
                # takes over and the next write here tells.
                continue


def with_step(operation: Operation, name: str, **changes: object) -> Operation:
    """The operation with one step changed."""
    steps = tuple(s.but(**changes) if s.name == name else s for s in operation.steps)
    return operation.but(steps=steps)

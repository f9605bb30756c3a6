"""The runner: claims open operations and drives them to their end.

Level-triggered: it looks at what is open, again and again, and keeps nothing in memory
that a crash could lose. Several processes may run one; a lease decides who works.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import timedelta

from atoll.errors import AtollError, Unavailable, VersionConflict
from atoll.model.operation import Failure, Lease, Operation
from atoll.model.record import new_id
from atoll.operations.live import Cancelled, LeaseLost, LiveOperation, Parked, Stopping, with_step
from atoll.operations.operations import Operations
from atoll.operations.story import StepFunction, Story

log = logging.getLogger(__name__)

_TRANSIENT = (Unavailable, VersionConflict)
_POLL_SECONDS = 0.5
_BACKOFF_SECONDS = 2.0


class Runner:
    """Threads that run operations.

    Args:
        operations: where they stand.
        stories: by name; an operation of an unknown story is left to other processes.
        workers: operations run at once by this process.
        lease_seconds: how long a silent worker keeps its operation.
    """

    def __init__(
        self, operations: Operations, stories: Mapping[str, Story], *, workers: int, lease_seconds: float
    ) -> None:
        self._operations = operations
        self._stories = stories
        self._lease_seconds = lease_seconds
        self._owner = new_id("run")
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work, name=f"runner-{n}", daemon=True) for n in range(workers)]

    def start(self) -> None:
        """Start working in the background."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_seconds: float = 30.0) -> None:
        """Stop at the next safe point; leases are given back. Idempotent."""
        self._stopping.set()
        self._operations.woken.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_seconds)

    def run_open(self) -> int:
        """Claim and run everything that can be run now, in this thread; how many were run."""
        count = 0
        for operation in self._operations.open():
            if self._stopping.is_set():
                break
            claimed = self._claim(operation)
            if claimed is not None:
                self._run(claimed)
                count += 1
        return count

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                if self.run_open():
                    continue
            except AtollError as error:
                log.warning("Open operations cannot be listed.", extra={"fields": {"error_code": error.code}})
            except Exception as error:
                log.error(
                    "The runner met an unexpected error.", extra={"fields": {"error_class": type(error).__name__}}
                )
            self._operations.woken.wait(_POLL_SECONDS)
            self._operations.woken.clear()

    def _claim(self, operation: Operation) -> Operation | None:
        """The operation with our lease on it, or None when it is not to be had now."""
        now = self._operations.now()
        if operation.story not in self._stories:
            return None
        if operation.lease is not None and operation.lease.until > now:
            return None
        if operation.retry_at is not None and operation.retry_at > now:
            return None
        lease = Lease(
            owner=f"{self._owner}/{threading.get_ident()}", until=now + timedelta(seconds=self._lease_seconds)
        )
        try:
            return self._operations.claim(operation, lease)
        except VersionConflict:
            return None

    def _run(self, operation: Operation) -> None:
        story = self._stories[operation.story]
        with LiveOperation(self._operations, operation, self._lease_seconds, self._stopping) as live:
            try:
                self._drive_or_park(story, live)
            except LeaseLost:
                log.warning("The lease was lost.", extra={"fields": {"operation": operation.id}})
            except Stopping:
                self._give_back(live)

    def _drive_or_park(self, story: Story, live: LiveOperation) -> None:
        try:
            self._drive(story, live)
        except Parked as parked:
            live.give_back(parked)

    def _drive(self, story: Story, live: LiveOperation) -> None:
        if live.operation.failure is not None and not live.operation.failure.transient:
            self._abandon(story, live)
            return
        for name, function in story.steps:
            if any(s.name == name and s.done for s in live.operation.steps):
                continue
            failure = self._step(name, function, live)
            if failure is not None:
                self._failed(story, live, failure)
                return
        now = self._operations.now()
        live.write(lambda o: o.but(finished_at=now, lease=None, failure=None))
        live.say("Done.")

    def _step(self, name: str, function: StepFunction, live: LiveOperation) -> Failure | None:
        """Run one step; None when it is done."""
        try:
            live.check()
            if live.operation.attempt > live.operation.max_attempts:
                return self._failure(
                    name, "attempts_used_up", transient=False, message="The work was lost or failed too often."
                )
            live.begin(name)
            output = dict(function(live))
            live.write(lambda o: with_step(o, name, done=True, progress=1.0, output=output))
        except (LeaseLost, Parked, Stopping):
            raise
        except AtollError as error:
            return self._failure(name, error.code, transient=isinstance(error, _TRANSIENT), message=str(error))
        except Exception as error:
            # The text of an unexpected error may hold identified values: its class only.
            log.error(
                "A step failed unexpectedly.",
                exc_info=error,
                extra={"fields": {"operation": live.operation.id, "step": name, "error_class": type(error).__name__}},
            )
            return self._failure(name, "internal", transient=True, message=f"Unexpected {type(error).__name__}.")
        return None

    def _failure(self, step: str, code: str, *, transient: bool, message: str) -> Failure:
        return Failure(error_code=code, transient=transient, message=message, step=step, at=self._operations.now())

    def _failed(self, story: Story, live: LiveOperation, failure: Failure) -> None:
        live.say(failure.message, step=failure.step, error_code=failure.error_code, transient=failure.transient)
        if failure.transient and live.operation.attempt < live.operation.max_attempts:
            delay = _BACKOFF_SECONDS * 2 ** (live.operation.attempt - 1)
            retry_at = self._operations.now() + timedelta(seconds=delay)
            live.write(lambda o: o.but(failure=failure, retry_at=retry_at, lease=None))
            return
        final = failure.but(transient=False)
        live.write(lambda o: o.but(failure=final))
        self._abandon(story, live)

    def _abandon(self, story: Story, live: LiveOperation) -> None:
        """Clean up after a failure for good; a clean-up that fails is tried again later."""
        failure = live.operation.failure
        if failure is None:
            raise ValueError("only a failed operation is abandoned")
        try:
            story.abandon(live, failure)
        except (LeaseLost, Stopping):
            raise
        except Exception as error:
            log.error(
                "Cleaning up after a failed operation failed; it is tried again.",
                extra={"fields": {"operation": live.operation.id, "error_class": type(error).__name__}},
            )
            retry_at = self._operations.now() + timedelta(seconds=10 * _BACKOFF_SECONDS)
            live.write(lambda o: o.but(retry_at=retry_at, lease=None))
            return
        now = self._operations.now()
        live.write(lambda o: o.but(finished_at=now, lease=None))
        live.say("Cancelled." if failure.error_code == Cancelled.code else "Failed for good; nothing of it stays.")

    def _give_back(self, live: LiveOperation) -> None:
        """A graceful stop costs no attempt."""
        try:
            live.write(lambda o: o.but(lease=None, attempt=max(o.attempt - 1, 0)))
            live.say("The platform stops; the work goes on at its next start.")
        except LeaseLost:
            return

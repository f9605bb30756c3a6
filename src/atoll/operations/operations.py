"""The operations on record: made, found, logged, cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from atoll.errors import Conflict, VersionConflict
from atoll.model.operation import Lease, Operation, Step
from atoll.model.person import Caller
from atoll.model.record import new_id
from atoll.ports.clock import Clock
from atoll.ports.records import Append, Page, RecordStore, StreamEntry, every

_TRIES = 50


class Operations:
    """Operations in a record store, their logs in its streams (`operation/<id>`)."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        #: Set when there may be new work in this process. A hint: the runner looks anyway.
        self.woken = threading.Event()
        #: Set when somebody wants a workspace otherwise: who looks for that looks now.
        self.wished = threading.Event()

    def plan(
        self,
        *,
        story: str,
        subject: str,
        steps: tuple[str, ...],
        caller: Caller,
        deadline_seconds: float,
        params: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Operation:
        """An operation that is not on record yet: `Put` it with whatever it belongs to.

        The store lets at most one open operation stand for a subject.
        """
        now = self._clock.now()
        return Operation(
            id=new_id("op"),
            story=story,
            subject=subject,
            idempotency_key=idempotency_key,
            params=dict(params or {}),
            steps=tuple(Step(name=name) for name in steps),
            asked_by=caller.name,
            request_id=caller.request_id,
            created_at=now,
            deadline=now + timedelta(seconds=deadline_seconds),
        )

    def get(self, operation_id: str) -> Operation:
        """The operation. Raises `NotFound`."""
        return self._records.get(Operation, operation_id)

    def find(self, *, subject: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Operation]:
        """Operations, newest first, of one subject if given."""
        where = {"subject": subject} if subject else None
        return self._records.find(Operation, where=where, cursor=cursor, limit=limit, newest_first=True)

    def open(self) -> tuple[Operation, ...]:
        """Every operation with work left, oldest first."""
        return tuple(every(self._records, Operation, {"open_key": "open"}))

    def log(self, operation_id: str) -> tuple[StreamEntry, ...]:
        """The log, oldest first."""
        return self._records.read(f"operation/{operation_id}")

    def say(self, operation_id: str, message: str, **facts: object) -> None:
        """Add a line to the log. Facts are names and counts, never identified values."""
        self._records.transact([Append(f"operation/{operation_id}", [{"message": message, **facts}])])

    def update(self, operation_id: str, change: Callable[[Operation], Operation]) -> Operation:
        """Apply `change` to the newest version, again when somebody wrote in between."""
        for _ in range(_TRIES):
            try:
                return self._records.put(change(self.get(operation_id)))
            except VersionConflict:
                continue
        raise VersionConflict("The operation is written to without end.", where=operation_id, todo="Try again.")

    def claim(self, operation: Operation, lease: Lease) -> Operation:
        """Take the operation as it was seen. Raises `VersionConflict` when it has changed since."""
        return self._records.put(operation.but(lease=lease, attempt=operation.attempt + 1, retry_at=None))

    def cancel(self, operation_id: str) -> Operation:
        """Ask a running operation to stop at its next safe point.

        Raises `NotFound`, and `Conflict` when it has already ended.
        """

        def ask(operation: Operation) -> Operation:
            if not operation.open:
                raise Conflict(
                    f"The operation has already {operation.state.value}.", where=operation_id, todo="Nothing to cancel."
                )
            return operation.but(cancel_requested=True)

        operation = self.update(operation_id, ask)
        self.say(operation_id, "Cancellation was asked for.")
        return operation

    def now(self) -> datetime:
        """The time by the platform's clock."""
        return self._clock.now()

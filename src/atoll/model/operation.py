"""Operations: long work with steps, progress, a deadline, a lease and a durable log."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from atoll.model.record import Frozen, Record
from atoll.model.said import Sentence


class OperationState(StrEnum):
    """Derived from steps, end and lease; see `Operation.state`."""

    QUEUED = "queued"
    RUNNING = "running"
    #: Waits for its next attempt after a transient error or a lost worker.
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Step(Frozen):
    """One step. Steps are done in order; a step may be run again after a crash."""

    name: str
    done: bool = False
    #: Between 0 and 1 while it runs.
    progress: float = 0.0
    #: What later steps need; never identified data.
    output: dict[str, Any] = {}


class Failure(Frozen):
    """Why an operation failed."""

    #: `code` of the domain error, or `internal`.
    error_code: str
    #: Whether trying again may help.
    transient: bool
    message: Sentence
    step: str
    at: datetime


class Lease(Frozen):
    """Who works on it, and until when that holds without renewal."""

    owner: str
    until: datetime


class Operation(Record):
    """One piece of long work."""

    kind: ClassVar[str] = "operation"
    indexes: ClassVar[tuple[str, ...]] = ("subject", "open_key", "active_subject", "idempotency_key")
    unique: ClassVar[tuple[str, ...]] = ("active_subject", "idempotency_key")

    #: The story: `admit_delivery`, ...
    story: str
    #: What it changes, e.g. `delivery/dlv_...`. At most one open operation each.
    subject: str
    #: Two requests with the same key are one operation.
    idempotency_key: str | None = None
    params: dict[str, Any] = {}
    steps: tuple[Step, ...]
    asked_by: str
    request_id: str = ""
    created_at: datetime
    deadline: datetime
    attempt: int = 0
    max_attempts: int = Field(default=5, ge=1)
    #: Not before this time, after a transient error.
    retry_at: datetime | None = None
    lease: Lease | None = None
    failure: Failure | None = None
    finished_at: datetime | None = None
    cancel_requested: bool = False

    @property
    def open(self) -> bool:
        """Whether there is still work to do."""
        return self.finished_at is None

    @property
    def open_key(self) -> str | None:
        """Index of open operations: `open`, or None."""
        return "open" if self.open else None

    @property
    def active_subject(self) -> str | None:
        """Unique index: the subject while the operation is open."""
        return self.subject if self.open else None

    @property
    def state(self) -> OperationState:
        """The state, from what is on record."""
        if self.finished_at is not None:
            if self.failure is None:
                return OperationState.SUCCEEDED
            return OperationState.CANCELLED if self.failure.error_code == "cancelled" else OperationState.FAILED
        waits_outside = self.retry_at is not None and self.failure is None
        if self.lease is not None or waits_outside:
            return OperationState.RUNNING
        return OperationState.RETRYING if self.attempt else OperationState.QUEUED

    @property
    def progress(self) -> float:
        """Between 0 and 1, every step weighing the same."""
        if not self.steps:
            return 1.0
        return sum(1.0 if s.done else s.progress for s in self.steps) / len(self.steps)

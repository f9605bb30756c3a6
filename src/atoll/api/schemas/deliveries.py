"""Deliveries and operations as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from atoll.flows.receive_delivery import DeliveryView
from atoll.model.delivery import DeliveryOutcome, DeliveryState, ManifestFile, Rejection, Replay
from atoll.model.operation import Failure, Operation, OperationState, Step
from atoll.model.record import Frozen
from atoll.model.said import LineBody
from atoll.ports.records import StreamEntry


class NewDelivery(Frozen):
    """The manifest of a delivery."""

    source: Annotated[str, Field(max_length=64)]
    dataset: Annotated[str, Field(max_length=64)]
    files: Annotated[tuple[ManifestFile, ...], Field(min_length=1, max_length=10_000)]


class OperationAnswer(Frozen):
    """A piece of long work."""

    id: str
    story: str
    subject: str
    state: OperationState
    #: Between 0 and 1.
    progress: float
    steps: tuple[Step, ...]
    asked_by: str
    created_at: datetime
    deadline: datetime
    attempt: int
    max_attempts: int
    retry_at: datetime | None
    failure: Failure | None
    finished_at: datetime | None
    cancel_requested: bool

    @classmethod
    def of(cls, operation: Operation) -> Self:
        """The operation with its derived state; what steps hand to each other is left out."""
        return cls(
            id=operation.id,
            story=operation.story,
            subject=operation.subject,
            state=operation.state,
            progress=operation.progress,
            steps=tuple(step.but(output={}) for step in operation.steps),
            asked_by=operation.asked_by,
            created_at=operation.created_at,
            deadline=operation.deadline,
            attempt=operation.attempt,
            max_attempts=operation.max_attempts,
            retry_at=operation.retry_at,
            failure=operation.failure,
            finished_at=operation.finished_at,
            cancel_requested=operation.cancel_requested,
        )


class LogLine(Frozen):
    """A line of an operation's log."""

    number: int
    at: datetime
    body: LineBody

    @classmethod
    def of(cls, entry: StreamEntry) -> Self:
        """The line."""
        return cls(number=entry.number, at=entry.at, body=dict(entry.body))


class DeliveryFileAnswer(Frozen):
    """A file of the manifest; its place in the list is its index in addresses."""

    name: str
    size_bytes: int
    sha256: str
    #: Whether it is here, whole and verified.
    received: bool
    #: Bytes that are here; of an unfinished file, where its next part begins.
    arrived_bytes: int


class PartAnswer(Frozen):
    """A part of a file that was taken."""

    #: Bytes of the file that are here now: where the next part begins.
    arrived_bytes: int
    #: Whether the file is here, whole and verified.
    received: bool


class DeliveryAnswer(Frozen):
    """A delivery, its files, and what became of it."""

    id: str
    source: str
    dataset: str
    state: DeliveryState
    files: tuple[DeliveryFileAnswer, ...]
    opened_by: str
    opened_at: datetime
    submitted_at: datetime | None
    operation: OperationAnswer | None
    outcome: DeliveryOutcome | None
    #: What was admitted later of what was held at first; `outcome` counts them in.
    replays: tuple[Replay, ...]
    rejection: Rejection | None
    #: When the delivered files were removed from quarantine.
    purged_at: datetime | None
    #: When the rows that were held were removed.
    held_purged_at: datetime | None

    @classmethod
    def of(cls, view: DeliveryView) -> Self:
        """The delivery with its derived state."""
        delivery = view.delivery
        return cls(
            id=delivery.id,
            source=delivery.source,
            dataset=delivery.dataset,
            state=view.state,
            files=tuple(
                DeliveryFileAnswer(**file.model_dump(), received=received, arrived_bytes=arrived)
                for file, received, arrived in zip(delivery.files, view.received, view.arrived, strict=True)
            ),
            opened_by=delivery.opened_by,
            opened_at=delivery.opened_at,
            submitted_at=delivery.submitted_at,
            operation=None if view.operation is None else OperationAnswer.of(view.operation),
            outcome=delivery.outcome,
            replays=delivery.replays,
            rejection=delivery.rejection,
            purged_at=delivery.purged_at,
            held_purged_at=delivery.held_purged_at,
        )

"""Deliveries: files handed over together."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from atoll.model.drift import Drift
from atoll.model.operation import Operation, OperationState
from atoll.model.record import Frozen, Record
from atoll.model.said import Sentence


class ManifestFile(Frozen):
    """A file as the source announces it."""

    name: str = Field(min_length=1, max_length=255)
    size_bytes: int = Field(ge=0)
    #: Lower-case hexadecimal SHA-256 of the content.
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


def manifest_id(source: str, dataset: str, files: tuple[ManifestFile, ...]) -> str:
    """The identity of a delivery: the same files by the same source are the same delivery.

    SHA-256 over the canonical JSON of source, dataset and files sorted by name.
    """
    body = {
        "source": source,
        "dataset": dataset,
        "files": [f.model_dump() for f in sorted(files, key=lambda f: f.name)],
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class FileOutcome(Frozen):
    """What became of one file."""

    name: str
    #: The table it fills, None when no table of the contract takes it; of several the first.
    table: str | None
    accepted: bool
    #: Rows read, committed and quarantined: read = committed + quarantined. A file that
    #: is rejected unread has rows None and is kept whole.
    rows_in: int | None = None
    rows_committed: int = 0
    rows_quarantined: int = 0
    #: Why the file as a whole was rejected.
    rule: str = ""
    message: Sentence = ""
    #: Fields left out because no rule names them, with the number of rows.
    left_out: dict[str, int] = {}
    #: How its columns differ from what the contract says: new, missing, repeated, retyped, reordered.
    drift: tuple[Drift, ...] = ()
    #: Rows committed by table, where a file fills several (sheets, resources, segments).
    tables: dict[str, int] = {}


#: Rules by which a contract holds a delivery whole; `FileOutcome.rule` of each of its files then is one.
HOLDS = frozenset({"risk", "unique", "references", "bad_rows"})


class Hold(Frozen):
    """Why a delivery waits whole although its rows came through: an order of its contract."""

    #: One of `HOLDS`.
    rule: str
    #: What is the matter and what to do, without any value.
    message: str


class QuarantinedRow(Frozen):
    """A rejected row as people may see it: place, rule, and the value masked."""

    delivery: str
    file: str
    #: 1-based data row; None when the whole file is held.
    row: int | None
    column: str
    rule: str
    message: Sentence
    #: Letters as `a`/`A`, digits as `9`, other characters kept, 24 at most.
    masked: str


class DeliveryOutcome(Frozen):
    """What became of a delivery."""

    committed: bool
    #: `<dataset>@<number>` of the contract that admitted it.
    contract: str
    #: Number of the dataset version it made, None when nothing was committed.
    dataset_version: int | None
    #: Key ids used, by domain.
    key_ids: dict[str, str] = {}
    files: tuple[FileOutcome, ...]
    rows_in: int
    rows_committed: int
    rows_quarantined: int
    bytes_in: int
    bytes_committed: int
    finished_at: datetime


class Replay(Frozen):
    """What was held, admitted again under a mended contract."""

    #: 1, 2, 3, ... for each delivery.
    number: int
    #: `<dataset>@<number>` of the contract that it was admitted under.
    contract: str
    #: Number of the dataset version it made, None when nothing more could be committed.
    dataset_version: int | None
    rows_committed: int
    #: Rows that stay held.
    rows_quarantined: int
    asked_by: str
    finished_at: datetime


class Rejection(Frozen):
    """A person's decision that nothing more of a delivery will enter."""

    by: str
    at: datetime
    reason: str


class DeliveryState(StrEnum):
    """Derived from the record and its operation, never stored."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    ADMITTING = "admitting"
    COMMITTED = "committed"
    #: Nothing of it could be committed, and all is in quarantine; or a person rejected it.
    REJECTED = "rejected"
    #: Its rows came through, but the contract holds it whole: see the files' rule and message.
    HELD = "held"
    #: The admission failed; files wait in quarantine.
    FAILED = "failed"


class Delivery(Record):
    """Files handed over together, identified by the hash of their manifest."""

    kind: ClassVar[str] = "delivery"
    indexes: ClassVar[tuple[str, ...]] = ("source", "dataset", "manifest_id", "raw_kept", "held_kept")
    unique: ClassVar[tuple[str, ...]] = ("manifest_id",)

    #: The identity of what is delivered, see `manifest_id()`; the record's own id sorts by time.
    manifest_id: str
    source: str
    dataset: str
    files: tuple[ManifestFile, ...]
    opened_by: str
    opened_at: datetime
    submitted_at: datetime | None = None
    operation_id: str | None = None
    outcome: DeliveryOutcome | None = None
    #: What was admitted later of what was held at first; `outcome` counts them in.
    replays: tuple[Replay, ...] = ()
    rejection: Rejection | None = None
    #: When the delivered files were removed from quarantine, after their retention.
    purged_at: datetime | None = None
    #: When the rows that were held were removed, after theirs.
    held_purged_at: datetime | None = None

    @property
    def held_kept(self) -> str | None:
        """Index of settled deliveries of which rows were held that may still lie in quarantine: `kept`, or None."""
        outcome = self.outcome
        held = outcome is not None and (outcome.rows_quarantined > 0 or bool(self.replays))
        return "kept" if held and self.held_purged_at is None else None

    @property
    def raw_kept(self) -> str | None:
        """Index of settled deliveries whose files still wait in quarantine: `kept`, or None."""
        closed = self.outcome is not None or self.rejection is not None
        return "kept" if closed and self.purged_at is None else None

    def state(self, operation: Operation | None) -> DeliveryState:
        """The state, from what is on record and the admission's operation."""
        if self.outcome is not None:
            if operation is not None and operation.open:
                return DeliveryState.ADMITTING  # a replay
            return DeliveryState.COMMITTED if self.outcome.committed else self._not_committed()
        return DeliveryState.REJECTED if self.rejection is not None else self._before_outcome(operation)

    def _not_committed(self) -> DeliveryState:
        held = self.outcome is not None and any(file.rule in HOLDS for file in self.outcome.files)
        return DeliveryState.HELD if held and self.rejection is None else DeliveryState.REJECTED

    def _before_outcome(self, operation: Operation | None) -> DeliveryState:
        if self.submitted_at is None:
            return DeliveryState.RECEIVING
        if operation is None or operation.state is OperationState.QUEUED:
            return DeliveryState.WAITING
        if operation.state in (OperationState.FAILED, OperationState.CANCELLED):
            return DeliveryState.FAILED
        return DeliveryState.ADMITTING

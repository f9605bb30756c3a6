"""What the ledger keeps: audit entries, flow events, usage records, prices."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from atoll.model.person import Caller
from atoll.model.record import Frozen, Record
from atoll.model.said import Sentence


class AuditEvent(Frozen):
    """Something that a caller did or was refused, before it is chained."""

    #: `noun.verb`, e.g. `grant.add`, `query.run`, `session.refuse`.
    action: str
    #: What it was done to: `grant/grt_...`, `dataset/synthea`.
    target: str
    caller: Caller
    #: Whether it was done, or refused.
    allowed: bool = True
    #: Why: operation, query or request that caused it.
    because: str = ""
    #: Facts, never identified values.
    details: dict[str, Any] = {}


class AuditEntry(Frozen):
    """An event in the chain."""

    number: int
    at: datetime
    event: AuditEvent
    #: Hash of the entry before, 64 zeros for the first.
    previous: str
    #: SHA-256 over number, time, event and `previous`, canonical JSON.
    hash: str


class ChainCheck(Frozen):
    """Result of verifying the audit chain."""

    entries: int
    intact: bool
    #: Number of the first entry that does not hold, None when all do.
    broken_at: int | None = None
    reason: Sentence = ""
    #: Hash of the last good entry.
    head: str
    #: Signed checkpoints that the chain agrees with, and the number of the last one.
    checkpoints: int = 0
    checked_to: int = 0


class AuditCheckpoint(Record):
    """That the chain stood so at a time, signed by a key that the record store alone does not open.

    Id: the number with leading zeros. The signature is Ed25519 over `atoll/audit-checkpoint/v1`,
    number, hash and time, one a line.
    """

    kind: ClassVar[str] = "audit_checkpoint"

    number: int
    hash: str
    at: datetime
    key_id: str
    #: Base64.
    public_key: str
    signature: str


class FlowEvent(Frozen):
    """A data flow, shaped as an OpenLineage RunEvent (https://openlineage.io, spec 2-0-2)."""

    eventType: str
    eventTime: datetime
    run: dict[str, Any]
    job: dict[str, Any]
    inputs: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()
    producer: str
    schemaURL: str


class Metric(StrEnum):
    """What is metered; each has a unit of its own."""

    ADMISSION_SECONDS = "admission_seconds"
    QUERY_SECONDS = "query_seconds"
    SCANNED_BYTES = "scanned_bytes"
    STORED_BYTE_DAYS = "stored_byte_days"
    #: Of running machines; the price is that of the size, agreed at launch, not the book's.
    MACHINE_SECONDS = "machine_seconds"
    #: Of the homes of machines that stand, running or not.
    MACHINE_STORED_BYTE_DAYS = "machine_stored_byte_days"
    #: Let out by the airlock: without a price, metered so that it is seen.
    RELEASED_BYTES = "released_bytes"


class Price(Frozen):
    """The price of one metric, for `per` units of it."""

    metric: Metric
    eur: Decimal
    #: Units that `eur` buys: 1e12 bytes, 3600 seconds.
    per: Decimal = Field(gt=0)


class PriceBook(Frozen):
    """Prices in force from a date."""

    valid_from: date
    currency: str = "EUR"
    prices: tuple[Price, ...]


class UsageRecord(Frozen):
    """Something used, with the price of the time. Only ever added."""

    id: str
    at: datetime
    metric: Metric
    quantity: Decimal
    #: Price for one unit, and the amount; both EUR, exact.
    unit_price_eur: Decimal
    amount_eur: Decimal
    #: `valid_from` of the price book used.
    price_book: date
    #: Login of the person (or name of the source) who caused it.
    user: str
    project: str | None = None
    dataset: str | None = None
    #: Product version and id of the workspace, of what machines use.
    product: str | None = None
    workspace: str | None = None
    #: When it was used, for what takes time: from `since` to before `until`.
    since: datetime | None = None
    until: datetime | None = None
    #: The operation or query behind it.
    because: str = ""
    #: Of a correction: id of the record it corrects, and why. Its quantity may be negative.
    corrects: str | None = None
    reason: str = ""


class CostLine(Frozen):
    """One line of a cost report."""

    key: str
    metric: Metric
    quantity: Decimal
    amount_eur: Decimal
    records: int


class CostReport(Frozen):
    """Sums of usage records of a month, by a key."""

    #: `YYYY-MM`.
    month: str
    by: str
    currency: str = "EUR"
    lines: tuple[CostLine, ...]
    total_eur: Decimal

"""Usage is corrected by new records, and months that are over are closed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.errors import AlreadyExists, Conflict, InvalidInput, NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.ledger.months import first_of, firsts, next_month
from atoll.ledger.rollup import EXACT
from atoll.ledger.usage import BATCH, stream_of
from atoll.model.cost import ClosedMonth, Correction, CostMonth
from atoll.model.ledger import AuditEvent, UsageRecord
from atoll.model.person import Caller
from atoll.ports.records import Put

#: What began before midnight has been written down after so long.
_SETTLED_AFTER = timedelta(hours=1)


def close_month(rooms: Rooms, caller: Caller, month: str) -> CostMonth:
    """Freeze a month that is over: its number of records, their sum and their hash go on record.

    Reports of it never count anything else. Raises `InvalidInput`, `Conflict` while it is not
    over, `AlreadyExists` when it is closed.
    """
    permissions.require(caller, Scope.COSTS_WRITE)
    stream_of(month)
    now = rooms.clock.now()
    if now < _end(month) + _SETTLED_AFTER:
        raise Conflict("The month is not over.", where=month, todo="Close it when an hour of the next has passed.")
    records, total, digest = digest_of(rooms, month)
    closed = ClosedMonth(
        id=month, records=records, total_eur=total, sha256=digest, closed_by=caller.name, closed_at=now
    )
    facts = {"records": records, "total_eur": str(total), "sha256": digest}
    event = AuditEvent(action="month.close", target=f"month/{month}", caller=caller, details=facts)
    try:
        rooms.audit.record(event, Put(closed))
    except VersionConflict:
        raise AlreadyExists("The month is closed already.", where=month, todo="Nothing to do.") from None
    return CostMonth.closed(closed)


def correct(rooms: Rooms, caller: Caller, correction: Correction) -> UsageRecord:
    """Put right a usage record: the difference is a new record of this month, at the price of the corrected one.

    A record can be corrected again: each correction says what the quantity should have been.
    Raises `NotFound`, `InvalidInput` when the record is itself a correction, `Conflict` when
    nothing is to be put right.
    """
    permissions.require(caller, Scope.COSTS_WRITE)
    wrong = _record(rooms, correction.month, correction.record)
    if wrong.corrects is not None:
        raise InvalidInput(
            "This record is a correction.", where=wrong.id, todo=f"Correct {wrong.corrects} once more instead."
        )
    standing = EXACT.add(wrong.quantity, _corrected(rooms, wrong))
    by = EXACT.subtract(correction.quantity, standing)
    if not by:
        raise Conflict("The record stands at this quantity already.", where=wrong.id, todo="Nothing to correct.")
    append, record = rooms.usage.correction(wrong, by, reason=correction.reason, because=f"usage/{wrong.id}")
    facts = {
        "corrects": wrong.id,
        "month": correction.month,
        "quantity": str(by),
        "amount_eur": str(record.amount_eur),
        "reason": correction.reason,
    }
    event = AuditEvent(action="usage.correct", target=f"usage/{record.id}", caller=caller, details=facts)
    rooms.audit.record(event, append)
    return record


def digest_of(rooms: Rooms, month: str) -> tuple[int, Decimal, str]:
    """Number, sum and SHA-256 of the month's usage records: over each as canonical JSON and a line end."""
    digest = hashlib.sha256()
    total = Decimal(0)
    number = 0
    while batch := rooms.records.read(stream_of(month), after=number, limit=BATCH):
        for stored in batch:
            text = json.dumps(stored.body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            digest.update(text.encode() + b"\n")
            total = EXACT.add(total, Decimal(str(stored.body["amount_eur"])))
        number = batch[-1].number
    return number, total, digest.hexdigest()


def _record(rooms: Rooms, month: str, id: str) -> UsageRecord:
    found = next((record for record in rooms.usage.records_of(month) if record.id == id), None)
    if found is None:
        raise NotFound("There is no such usage record in the month.", where=f"{month}/{id}", todo="Check both.")
    return found


def _corrected(rooms: Rooms, wrong: UsageRecord) -> Decimal:
    """By how much the record was corrected so far."""
    total = Decimal(0)
    for month in firsts(*(when.astimezone(UTC).date() for when in (wrong.at, rooms.clock.now()))):
        for record in rooms.usage.records_of(f"{month:%Y-%m}"):
            if record.corrects == wrong.id:
                total = EXACT.add(total, record.quantity)
    return total


def _end(month: str) -> datetime:
    return datetime.combine(next_month(first_of(month)), time(), UTC)

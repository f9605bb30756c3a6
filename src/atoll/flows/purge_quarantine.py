"""Delivered files leave quarantine when their retention is over; held rows stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from atoll.errors import VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.delivery import Delivery
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.ports.records import Put, every


def purge_quarantine(rooms: Rooms) -> int:
    """Remove the files of deliveries settled longer ago than the retention; how many deliveries.

    A delivery with anything held keeps its files, which a replay needs, until a person rejects it.
    """
    before = rooms.clock.now() - timedelta(days=rooms.settings.raw_retention_days)
    count = 0
    for delivery in every(rooms.records, Delivery, {"raw_kept": "kept"}):
        closed_at = _closed_at(delivery)
        if closed_at is not None and closed_at < before:
            count += _purge(rooms, delivery)
    return count


def _closed_at(delivery: Delivery) -> datetime | None:
    """When the delivery came to need its files no more, None while it may."""
    if delivery.rejection is not None:
        return delivery.rejection.at
    outcome = delivery.outcome
    if outcome is None or outcome.rows_quarantined or not all(file.accepted for file in outcome.files):
        return None
    return max([outcome.finished_at, *(replay.finished_at for replay in delivery.replays)])


def _purge(rooms: Rooms, delivery: Delivery) -> int:
    event = AuditEvent(action="delivery.purge", target=f"delivery/{delivery.id}", caller=PLATFORM)
    rooms.quarantine.purge(delivery.id)
    try:
        rooms.audit.record(event, Put(delivery.but(purged_at=rooms.clock.now())))
    except VersionConflict:
        return 0
    return 1

"""Delivered files leave quarantine when their retention is over; held rows stay."""

from __future__ import annotations

from datetime import timedelta

from atoll.errors import VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.delivery import Delivery
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.ports.records import Put, every


def purge_quarantine(rooms: Rooms) -> int:
    """Remove the files of deliveries settled longer ago than the retention; how many deliveries.

    A delivery with anything rejected keeps its files: they are what a replay needs.
    """
    before = rooms.clock.now() - timedelta(days=rooms.settings.raw_retention_days)
    count = 0
    for delivery in every(rooms.records, Delivery, {"raw_kept": "kept"}):
        outcome = delivery.outcome
        clean = outcome is not None and outcome.rows_quarantined == 0 and all(f.accepted for f in outcome.files)
        if outcome is not None and clean and outcome.finished_at < before:
            count += _purge(rooms, delivery)
    return count


def _purge(rooms: Rooms, delivery: Delivery) -> int:
    event = AuditEvent(action="delivery.purge", target=f"delivery/{delivery.id}", caller=PLATFORM)
    rooms.quarantine.purge(delivery.id)
    try:
        rooms.audit.record(event, Put(delivery.but(purged_at=rooms.clock.now())))
    except VersionConflict:
        return 0
    return 1

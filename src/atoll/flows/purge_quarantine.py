"""Files and held rows leave quarantine when their retention is over: of each dataset as its contract says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from atoll.deid import parse_contract
from atoll.errors import VersionConflict
from atoll.flows.publish_contract import latest_or_none
from atoll.flows.rooms import Rooms
from atoll.model.delivery import Delivery
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.ports.records import Put, every


class Zone(StrEnum):
    """A part of quarantine with a retention of its own."""

    DELIVERED = "delivered"
    HELD = "held"


def purge_quarantine(rooms: Rooms) -> int:
    """Remove what deliveries that were closed longer ago than the retention left; how many times.

    A delivery with anything held keeps its files, which a replay needs, and the rows, which
    people look at, until everything has entered or a person rejects it.
    """
    known: dict[str, Mapping[Zone, timedelta]] = {}
    count = 0
    for zone, index in ((Zone.DELIVERED, "raw_kept"), (Zone.HELD, "held_kept")):
        for delivery in every(rooms.records, Delivery, {index: "kept"}):
            closed_at = _closed_at(delivery)
            if closed_at is None:
                continue
            if delivery.dataset not in known:
                known[delivery.dataset] = retention_of(rooms, delivery.dataset)
            if closed_at < rooms.clock.now() - known[delivery.dataset][zone]:
                count += _purge(rooms, delivery.id, zone)
    return count


def retention_of(rooms: Rooms, dataset: str) -> Mapping[Zone, timedelta]:
    """How long each zone keeps what a closed delivery left: by the contract in force, or the settings."""
    settings = rooms.settings
    days = {Zone.DELIVERED: settings.raw_retention_days, Zone.HELD: settings.held_retention_days}
    published = latest_or_none(rooms, dataset)
    if published is not None:
        said = parse_contract(published.text).retention
        for zone, own in ((Zone.DELIVERED, said.delivered_days), (Zone.HELD, said.held_days)):
            days[zone] = days[zone] if own is None else own
    return {zone: timedelta(days=number) for zone, number in days.items()}


def _closed_at(delivery: Delivery) -> datetime | None:
    """When the delivery came to need its files no more, None while it may."""
    if delivery.rejection is not None:
        return delivery.rejection.at
    outcome = delivery.outcome
    if outcome is None or outcome.rows_quarantined or not all(file.accepted for file in outcome.files):
        return None
    return max([outcome.finished_at, *(replay.finished_at for replay in delivery.replays)])


def _purge(rooms: Rooms, delivery_id: str, zone: Zone) -> int:
    delivery = rooms.records.get(Delivery, delivery_id)
    event = AuditEvent(
        action="delivery.purge", target=f"delivery/{delivery.id}", caller=PLATFORM, details={"zone": zone.value}
    )
    now = rooms.clock.now()
    if zone is Zone.DELIVERED:
        rooms.quarantine.purge(delivery.id)
        purged = delivery.but(purged_at=now)
    else:
        rooms.quarantine.purge_held(delivery.id)
        purged = delivery.but(held_purged_at=now)
    try:
        rooms.audit.record(event, Put(purged))
    except VersionConflict:
        return 0
    return 1

"""Every day, what each project's share stores is metered once, for the project."""

from __future__ import annotations

import logging
from decimal import Decimal

from atoll.errors import NotFound, Unavailable, VersionConflict
from atoll.flows.meter_storage import StorageReading
from atoll.flows.rooms import Rooms
from atoll.model.ledger import Metric
from atoll.model.person import PLATFORM
from atoll.ports.records import Put

log = logging.getLogger(__name__)


def meter_shares(rooms: Rooms) -> int:
    """Meter today's bytes of every share not metered yet today (UTC); how many.

    The bytes are those that the share takes on the disk at the day's first reading.
    """
    day = rooms.clock.now().date().isoformat()
    return sum(_meter(rooms, project, day) for project in rooms.shares.projects())


def _meter(rooms: Rooms, project: str, day: str) -> bool:
    key = f"share/{project}/{day}"
    if _is_metered(rooms, key):
        return False
    try:
        size_bytes = rooms.shares.used_bytes(project)
    except Unavailable as error:
        log.warning("A share could not be metered now.", extra={"fields": {"project": project, "why": error.what}})
        return False
    charge = rooms.usage.charge(
        metric=Metric.STORED_BYTE_DAYS,
        quantity=Decimal(size_bytes),
        user=PLATFORM.name,
        project=project,
        because=f"project/{project}/share",
    )
    try:
        rooms.records.transact([Put(StorageReading(id=key, bytes=size_bytes)), charge])
    except VersionConflict:
        return False
    return True


def _is_metered(rooms: Rooms, key: str) -> bool:
    """Asked first, so that a share is not measured at every pass."""
    try:
        rooms.records.get(StorageReading, key)
    except NotFound:
        return False
    return True

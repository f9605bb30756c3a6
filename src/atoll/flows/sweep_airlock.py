"""The airlock is kept in order: releases end, content that was not let through goes, nothing lies unowned."""

from __future__ import annotations

from datetime import timedelta

from atoll.access import airlock_policies
from atoll.errors import AtollError
from atoll.flows.rooms import Rooms
from atoll.flows.write_airlock import write
from atoll.model.airlock import FINAL, AirlockRequest
from atoll.model.person import PLATFORM
from atoll.ports.records import every


def sweep_airlock(rooms: Rooms) -> int:
    """Expire, purge and sweep; how many requests and files were touched. One that fails stops no other."""
    count = 0
    now = rooms.clock.now()
    old = now - timedelta(days=rooms.settings.airlock_retention_days)
    known: set[str] = set()
    for request in every(rooms.records, AirlockRequest):
        known.update(file.blob for file in request.files)
        try:
            if airlock_policies.overdue(request, now):
                write(
                    rooms, PLATFORM, request.id, "expire", lambda r, _p: airlock_policies.expired(r, rooms.clock.now())
                )
                count += 1
            elif request.state in FINAL and request.purged_at is None and request.changed_at < old:
                _purge(rooms, request)
                count += 1
        except AtollError:
            continue
    # Files are written before they are named, so the names are read last; what is young stays.
    return count + rooms.airlock.sweep(known)


def _purge(rooms: Rooms, request: AirlockRequest) -> None:
    """Remove the content of what was not let through; what left or entered stays as proof."""
    kept = airlock_policies.approved(request)
    for index, file in enumerate(request.files):
        if index not in kept:
            rooms.airlock.remove(file.blob)
    write(rooms, PLATFORM, request.id, "purge", lambda r, _p: r.but(purged_at=rooms.clock.now()))

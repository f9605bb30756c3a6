"""Browsers from which people signed in before: guessing elsewhere does not keep them waiting."""

from __future__ import annotations

import secrets
from datetime import timedelta

from atoll.access.tokens import digest
from atoll.errors import NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.person import Person
from atoll.model.second_factor import KnownBrowser
from atoll.ports.records import Delete, Put, every

KNOWN_FOR = timedelta(days=180)
_AT_ONCE = 40


def recognise(rooms: Rooms, secret: str | None, login: str) -> str | None:
    """Id of the browser, when the owner of the login signed in from it before and it is not too long ago."""
    if not secret:
        return None
    try:
        known = rooms.records.get(KnownBrowser, digest(secret))
        person = rooms.records.get(Person, known.person)
    except NotFound:
        return None
    own = person.login == login.strip().casefold() and rooms.clock.now() < known.expires_at
    return known.id if own else None


def remember(rooms: Rooms, person: Person) -> tuple[str, Put]:
    """The value of a cookie for the browser, told once, and what keeps its hash."""
    secret, now = secrets.token_urlsafe(32), rooms.clock.now()
    return secret, Put(KnownBrowser(id=digest(secret), person=person.id, made_at=now, expires_at=now + KNOWN_FOR))


def sweep_known_browsers(rooms: Rooms) -> int:
    """Remove those that are past their time; how many."""
    now, removed = rooms.clock.now(), 0
    late = [known for known in every(rooms.records, KnownBrowser) if known.expires_at <= now]
    for first in range(0, len(late), _AT_ONCE):
        some = late[first : first + _AT_ONCE]
        try:
            rooms.records.transact([Delete(known) for known in some])
        except VersionConflict:
            # Another process sweeps; the next pass finds the rest.
            continue
        removed += len(some)
    return removed

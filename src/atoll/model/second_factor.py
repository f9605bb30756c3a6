"""Second factors: a code from a person's device at sign-in. And browsers that they signed in from before."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Record


class SecondFactor(Record):
    """A person's device that shows codes. Id: that of the person."""

    kind: ClassVar[str] = "second_factor"

    #: Base64 of the shared secret as the master key sealed it.
    sealed: str
    #: When the person proved that the device shows right codes; before, none is asked for.
    confirmed_at: datetime | None = None
    #: Number of the last time step whose code was used; none is good twice.
    last_step: int = 0
    #: Hexadecimal SHA-256 of the recovery codes that are left (80 random bits each).
    recovery: frozenset[str] = frozenset()
    created_at: datetime


class KnownBrowser(Record):
    """A browser in which the person has signed in before. Id: hexadecimal SHA-256 of its cookie's value.

    It opens nothing. Attempts from it are counted apart, so that who guesses elsewhere,
    behind the same address even, does not keep the person waiting.
    """

    kind: ClassVar[str] = "known_browser"
    indexes: ClassVar[tuple[str, ...]] = ("person",)

    person: str
    made_at: datetime
    expires_at: datetime

"""Slows down guessing without letting anybody lock somebody else out.

Failures count for a login *from one address*: whoever guesses elsewhere delays
themselves, not the person. The wait is capped, so that people behind one shared
address wait a minute at most. Kept in memory: a restart forgives, which is cheap.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from atoll.errors import TooManyAttempts
from atoll.ports.clock import Clock

#: Failures without a wait: for a login from an address, and for an address over all logins.
FREE_PER_LOGIN = 5
FREE_PER_ADDRESS = 30
MAX_WAIT_SECONDS = 60.0
#: A failure is forgotten when this time has passed without another.
FORGET_SECONDS = 900.0
_MAX_KEYS = 10_000


@dataclass(frozen=True)
class _Attempts:
    count: int
    last: datetime


@dataclass(frozen=True)
class Slowed:
    """Failures of a login from one place that still count."""

    #: An address, or `browser/...` for a browser that signed in as the person before.
    origin: str
    failures: int
    last_at: datetime
    #: How long the next attempt from there is refused; 0: it is looked at.
    wait_seconds: int


class SignInThrottle:
    """Counts attempts and says when the next is looked at. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts: OrderedDict[tuple[str, str], _Attempts] = OrderedDict()

    def attempt(self, login: str, address: str) -> None:
        """Count an attempt before it is looked at. Raises `TooManyAttempts`.

        Counting first means that attempts sent at the same time do not slip through
        together. An attempt that is refused here does not lengthen the wait.
        """
        now = self._clock.now()
        with self._lock:
            waits = (
                self._wait((login, address), FREE_PER_LOGIN, now),
                self._wait(("", address), FREE_PER_ADDRESS, now),
            )
            if max(waits) > 0:
                raise TooManyAttempts(
                    "Too many failed attempts to sign in.",
                    retry_after_seconds=math.ceil(max(waits)),
                    todo="Wait as long as the answer says, then try again.",
                )
            self._count((login, address), now)
            self._count(("", address), now)

    def succeeded(self, login: str, address: str) -> None:
        """The attempt was right: forget the failures of this login from this address."""
        with self._lock:
            self._attempts.pop((login, address), None)
            overall = self._attempts.get(("", address))
            if overall is not None:
                self._attempts[("", address)] = _Attempts(max(0, overall.count - 1), overall.last)

    def standing(self, login: str) -> tuple[Slowed, ...]:
        """Where the login was tried in vain lately, the newest first. In this process only."""
        now = self._clock.now()
        forgotten = now - timedelta(seconds=FORGET_SECONDS)
        with self._lock:
            found = [
                Slowed(
                    origin, seen.count, seen.last, max(0, math.ceil(self._wait((login, origin), FREE_PER_LOGIN, now)))
                )
                for (name, origin), seen in self._attempts.items()
                if name == login and seen.last >= forgotten
            ]
        return tuple(sorted(found, key=lambda slowed: slowed.last_at, reverse=True))

    def _wait(self, key: tuple[str, str], free: int, now: datetime) -> float:
        """Seconds until the key may try again: 1, 2, 4, ... after the free attempts."""
        seen = self._attempts.get(key)
        if seen is None or now - seen.last > timedelta(seconds=FORGET_SECONDS) or seen.count < free:
            return 0.0
        wait = min(MAX_WAIT_SECONDS, 2.0 ** min(seen.count - free, 10))
        return wait - (now - seen.last).total_seconds()

    def _count(self, key: tuple[str, str], now: datetime) -> None:
        seen = self._attempts.pop(key, None)
        stale = seen is None or now - seen.last > timedelta(seconds=FORGET_SECONDS)
        self._attempts[key] = _Attempts(1 if seen is None or stale else seen.count + 1, now)
        while len(self._attempts) > _MAX_KEYS:
            self._attempts.popitem(last=False)


class Seldom:
    """Lets the first of a kind through, and the next only a minute later. Safe for threads."""

    def __init__(self, clock: Clock, *, every_seconds: float = 60.0) -> None:
        self._clock = clock
        self._every = timedelta(seconds=every_seconds)
        self._lock = threading.Lock()
        self._last: OrderedDict[str, datetime] = OrderedDict()

    def first(self, key: str) -> bool:
        """Whether nothing of this key was let through within the time."""
        now = self._clock.now()
        with self._lock:
            last = self._last.get(key)
            if last is not None and now - last < self._every:
                return False
            self._last.pop(key, None)
            self._last[key] = now
            while len(self._last) > _MAX_KEYS:
                self._last.popitem(last=False)
            return True

"""Local accounts: passwords hashed with Argon2id, checked in constant work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from atoll.access.policies import PASSWORD_MAX_CHARACTERS
from atoll.errors import Unavailable
from atoll.model.person import Person
from atoll.ports.identity import Identity
from atoll.ports.records import RecordStore

#: 64 MiB, 3 passes: RFC 9106, section 4, second recommended option.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
#: Hashes computed at once in this process: bounds memory to 128 MiB whatever is tried.
_AT_ONCE = threading.BoundedSemaphore(2)
#: Those computed and waiting; more are turned away, so that they do not hold every thread of the API.
_IN_LINE = threading.BoundedSemaphore(10)
#: Verified when there is no account, so that its absence does not show in the time taken.
_NOBODY = _HASHER.hash("a password that nobody has")


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for one's turn to hash. Raises `Unavailable` when the line is too long."""
    if not _IN_LINE.acquire(blocking=False):
        raise Unavailable("Too many people sign in at this moment.", todo="Try again in some seconds.")
    try:
        with _AT_ONCE:
            yield
    finally:
        _IN_LINE.release()


def hash_password(password: str) -> str:
    """Argon2id hash with its salt and parameters, in PHC string format. Raises `Unavailable`."""
    with _turn():
        return _HASHER.hash(password)


class LocalAccounts:
    """The people on record who have a password. Implements `PasswordDirectory`."""

    origin = "local"

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def authenticate(self, login: str, password: str) -> Identity | None:
        """The identity, or None; unknown, inactive and passwordless logins cost the same hash."""
        person = self._find(login)
        usable = person is not None and person.active and person.password_hash is not None
        known = person.password_hash if person is not None and usable else None
        right = _matches(known or _NOBODY, password)
        if person is None or not usable or not right:
            return None
        return Identity(login=person.login, display_name=person.display_name, email=None, groups=())

    def is_active(self, login: str) -> bool:
        """Whether the account is there and active."""
        person = self._find(login)
        return person is not None and person.active

    def _find(self, login: str) -> Person | None:
        found = self._records.find(Person, where={"login": login}, limit=1).records
        return found[0] if found and found[0].origin == self.origin else None


def _matches(stored: str, password: str) -> bool:
    with _turn():
        try:
            return _HASHER.verify(stored, password[: PASSWORD_MAX_CHARACTERS + 1])
        except (Argon2Error, InvalidHashError):
            return False

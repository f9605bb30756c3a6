"""Where callers come in."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.access.passwords import LocalAccounts
from atoll.access.throttle import Seldom, SignInThrottle
from atoll.flows.rooms import Rooms
from atoll.ports.identity import PasswordDirectory

#: Label of the tokens that a sign-in makes.
SIGN_IN_LABEL = "sign-in"


@dataclass(frozen=True)
class FrontDoor:
    """Where callers come in.

    The directory that vouches for people, the brake on guessing, and what keeps a
    client that knocks without end from filling the audit.
    """

    directory: PasswordDirectory
    throttle: SignInThrottle
    seldom: Seldom


def front_door(rooms: Rooms) -> FrontDoor:
    """The door of the local accounts."""
    return FrontDoor(LocalAccounts(rooms.records), SignInThrottle(rooms.clock), Seldom(rooms.clock))

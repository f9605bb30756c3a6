"""Exit codes of the command line, in one table."""

from __future__ import annotations

from enum import IntEnum

from atoll.errors import (
    AtollError,
    Conflict,
    DeliveryRefused,
    IntegrityBroken,
    InvalidInput,
    LimitExceeded,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    Unavailable,
)


class ExitCode(IntEnum):
    """What a command ends with."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    NOT_PERMITTED = 3
    NOT_FOUND = 4
    CONFLICT = 5
    INVALID = 6
    DELIVERY = 7
    LIMIT = 8
    UNAVAILABLE = 9
    INTEGRITY = 10
    ISOLATION = 11


#: What each code means, for help and documentation.
MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.UNEXPECTED: "something that Atoll did not expect",
    ExitCode.USAGE: "the command was not written as it must be",
    ExitCode.NOT_PERMITTED: "not signed in, or without the right to do this",
    ExitCode.NOT_FOUND: "no such thing, or none that may be seen",
    ExitCode.CONFLICT: "the state of the thing does not allow it",
    ExitCode.INVALID: "input, contract or statement refused",
    ExitCode.DELIVERY: "a delivery or file was refused, rejected or failed",
    ExitCode.LIMIT: "over a limit of size, time, memory or money",
    ExitCode.UNAVAILABLE: "Atoll or a part of it does not answer; try again later",
    ExitCode.INTEGRITY: "stored data is not what was written",
    ExitCode.ISOLATION: "a machine did not hold against an attempt to break out of it",
}

#: From a domain error to the code; what is not here is unexpected.
_BY_ERROR: tuple[tuple[type[AtollError], ExitCode], ...] = (
    (InvalidInput, ExitCode.INVALID),
    (NotAuthenticated, ExitCode.NOT_PERMITTED),
    (NotPermitted, ExitCode.NOT_PERMITTED),
    (NotFound, ExitCode.NOT_FOUND),
    (Conflict, ExitCode.CONFLICT),
    (LimitExceeded, ExitCode.LIMIT),
    (DeliveryRefused, ExitCode.DELIVERY),
    (IntegrityBroken, ExitCode.INTEGRITY),
    (Unavailable, ExitCode.UNAVAILABLE),
)


def exit_code_of(error: AtollError) -> ExitCode:
    """The code that a command ends with when it ends by this error."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.UNEXPECTED)


def help_text() -> str:
    """The table as the foot of `atoll --help`."""
    return "Exit codes:\n" + "\n".join(f"{code.value:>2}  {meaning}" for code, meaning in MEANINGS.items())

"""How far a piece of work is, told to whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What is being done."""

    HASH = "hash"
    UPLOAD = "upload"
    ADMIT = "admit"
    MACHINE = "machine"


@dataclass(frozen=True)
class Progress:
    """How far one stage is.

    Attributes:
        stage: what is being done.
        done: bytes done (hash, upload) or the part done, 0 to 1 (admit, machine).
        total: bytes in all, or 1 (admit, machine).
        what: the file or step at hand.
    """

    stage: Stage
    done: float
    total: float
    what: str


OnProgress = Callable[[Progress], None]


def ignore(progress: Progress) -> None:
    """For those who do not want to know."""

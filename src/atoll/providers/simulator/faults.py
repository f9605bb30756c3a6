"""What goes wrong in a simulation, drawn from a seed so that a history can be played again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol


class ProcessDied(BaseException):
    """The platform's process ends at this very place. No ordinary handler may catch it."""


@dataclass(frozen=True)
class Fault:
    """What happens to one call.

    Attributes:
        refused: it has no effect and raises `Unavailable`.
        lost_answer: it takes effect and raises `Unavailable`.
        delay_seconds: it takes effect so much later, though it was answered (or not).
        again_after_seconds: it takes effect a second time, so long after the first.
        dies_after_seconds: the machine that it starts ends by itself so long after.
        vanishes: a machine that ends so leaves nothing behind but its home.
        unknown: what is asked for cannot be told.
        stale_seconds: a listing is so old.
        process_dies: the caller's process ends before or after the effect.
    """

    refused: bool = False
    lost_answer: bool = False
    delay_seconds: float = 0.0
    again_after_seconds: float | None = None
    dies_after_seconds: float | None = None
    vanishes: bool = False
    unknown: bool = False
    stale_seconds: float = 0.0
    process_dies: Literal["", "before", "after"] = ""


class Faults(Protocol):
    """Says what happens to the next call."""

    def draw(self, call: str) -> Fault:
        """The fault of this call of the backend's method `call`."""
        ...


class NoFaults:
    """Everything works."""

    def draw(self, call: str) -> Fault:
        """None of the faults."""
        return _NONE


class SeededFaults:
    """Faults by chance, the same for the same seed and calls. Set `rates` to {} to end them.

    Args:
        seed: of the generator.
        rates: chance of each kind, by the name of `Fault`'s attribute; what is not named never happens.
        longest_seconds: the longest delay, repetition, life of a dying machine and staleness.
    """

    def __init__(self, seed: int, rates: Mapping[str, float], longest_seconds: float = 60.0) -> None:
        self.rates = dict(rates)
        self.longest_seconds = longest_seconds
        self._random = random.Random(seed)  # noqa: S311 - plays histories, no secret

    def draw(self, call: str) -> Fault:
        """The next fault."""
        reads = call in {"observe", "list_machines"}
        return Fault(
            refused=self._hits("refused"),
            lost_answer=not reads and self._hits("lost_answer"),
            delay_seconds=self._time("delay_seconds") or 0.0,
            again_after_seconds=self._time("again_after_seconds"),
            dies_after_seconds=self._time("dies_after_seconds"),
            vanishes=self._hits("vanishes"),
            unknown=reads and self._hits("unknown"),
            stale_seconds=self._time("stale_seconds") or 0.0,
            process_dies=self._random.choice(("before", "after")) if self._hits("process_dies") else "",
        )

    def _hits(self, kind: str) -> bool:
        rate = self.rates.get(kind, 0.0)
        return rate > 0 and self._random.random() < rate

    def _time(self, kind: str) -> float | None:
        # Mostly short, at times long: squares of an even chance.
        return self.longest_seconds * self._random.random() ** 2 if self._hits(kind) else None


_NONE = Fault()

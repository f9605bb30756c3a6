"""Health as the API tells it to operators."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from atoll.flows.read_health import Health
from atoll.model.record import Frozen
from atoll.model.said import Sentence


class PartAnswer(Frozen):
    """A part that requests or people need."""

    name: str
    good: bool
    #: What is wrong and what to do; empty when it is good.
    problem: Sentence
    took_seconds: float


class FindingAnswer(Frozen):
    """What a host can or cannot give to machines."""

    what: Sentence
    good: bool
    detail: Sentence
    todo: Sentence


class BackendHealth(Frozen):
    """A backend and what it finds on its host."""

    name: str
    findings: tuple[FindingAnswer, ...]


class DutyAnswer(Frozen):
    """Housekeeping that is done again and again, as it stands in the process that answers."""

    name: str
    every_seconds: float
    #: Start of the pass under way; null between passes.
    running_since: datetime | None
    #: End of the last pass and how long it took; null before the first has ended.
    ran_at: datetime | None
    took_seconds: float | None
    #: Why the last pass did not come to its end: the error's code, or `unexpected`; empty when it did.
    error: str
    #: Passes in a row that did not come to their end.
    failures: int


class HealthAnswer(Frozen):
    """How all parts stand, as tried for this answer."""

    parts: tuple[PartAnswer, ...]
    backends: tuple[BackendHealth, ...]
    #: Of the process that answers; another process on the same records has its own.
    duties: tuple[DutyAnswer, ...]
    #: Of Atoll, Python and the libraries that carry data, by name.
    versions: dict[str, str]
    looked_at: datetime

    @classmethod
    def of(cls, health: Health) -> Self:
        """The answer."""
        return cls(
            parts=tuple(PartAnswer(**vars(part)) for part in health.parts),
            backends=tuple(
                BackendHealth(name=name, findings=tuple(FindingAnswer(**vars(one)) for one in found))
                for name, found in health.backends.items()
            ),
            duties=tuple(DutyAnswer(**vars(duty)) for duty in health.duties),
            versions=health.versions,
            looked_at=health.looked_at,
        )

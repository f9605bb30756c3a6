"""One pretended machine, and what happens at its time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from atoll.model.workspace import MachineState
from atoll.ports.backend import MachineSpec, Observation


@dataclass
class SimulatedMachine:
    """The machine as it truly is."""

    spec: MachineSpec
    state: MachineState = MachineState.STARTING
    detail: str = ""
    exit_status: int | None = None
    #: How often it was given to a person.
    claims: int = 0

    @property
    def here(self) -> Observation:
        """What is true of it."""
        anonymous = self.spec.anonymous and self.state in (MachineState.STARTING, MachineState.RUNNING)
        return Observation(
            self.spec.workspace,
            self.spec.token,
            self.state,
            detail=self.detail,
            exit_status=self.exit_status,
            anonymous=anonymous,
        )

    def claim(self, spec: MachineSpec) -> None:
        """It becomes a person's, once."""
        if self.spec.anonymous:
            self.spec = replace(spec, anonymous=False)
            self.claims += 1

    def end(self, detail: str, exit_status: int | None = None) -> None:
        """Its processes end."""
        self.state, self.detail, self.exit_status = MachineState.STOPPED, detail, exit_status


@dataclass
class Agenda:
    """What is to happen, in order of time, then of planning."""

    _events: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def plan(self, at: datetime, event: Callable[[], None]) -> None:
        """Let it happen at that time."""
        self._count += 1
        heapq.heappush(self._events, (at, self._count, event))

    def take_due(self, now: datetime) -> Callable[[], None] | None:
        """The next event whose time has come."""
        return heapq.heappop(self._events)[2] if self._events and self._events[0][0] <= now else None

    @property
    def last(self) -> datetime | None:
        """When the last of what is planned happens."""
        return max((at for at, _, _ in self._events), default=None)


@dataclass
class Past:
    """What was true when, for answers that come late."""

    keep_seconds: float = 120.0
    _before: list[tuple[datetime, tuple[Observation, ...]]] = field(default_factory=list)

    def note(self, now: datetime, machines: tuple[Observation, ...]) -> None:
        """It is so from now on."""
        self._before.append((now, machines))
        oldest = now - timedelta(seconds=self.keep_seconds)
        while len(self._before) > 1 and self._before[1][0] < oldest:
            self._before.pop(0)

    def at(self, when: datetime) -> tuple[Observation, ...]:
        """What was true then."""
        found: tuple[Observation, ...] = ()
        for since, machines in self._before:
            if since > when:
                break
            found = machines
        return found

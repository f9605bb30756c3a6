"""Threads kept apart, so that slow work of one sort does not hold up all the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

from anyio import CapacityLimiter
from fastapi import Request


@dataclass(frozen=True)
class Lanes:
    """How many of each sort run at once in this process; more wait without a thread."""

    #: Files being received; those that wait are not read, which slows their senders.
    uploads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    #: Queries until their first rows, waiting for their turn in the engine included.
    queries: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    #: Pieces of results being made.
    results: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))


def lanes_of(request: Request) -> Lanes:
    """The lanes of the app that answers."""
    lanes: Lanes = request.app.state.lanes
    return lanes

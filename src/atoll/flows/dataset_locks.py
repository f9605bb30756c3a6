"""Who may change a dataset now: one committing operation at a time, and one that maintains it."""

from __future__ import annotations

import time

from atoll.flows.rooms import Rooms
from atoll.operations import StepContext
from atoll.operations.locks import Lock

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 3.0
_PARK_SECONDS = 5.0


def hold_commit(rooms: Rooms, context: StepContext, dataset: str) -> Lock:
    """The dataset's commit lock, held by this operation; waits for it, and parks when that takes long.

    A snapshot must not build on another operation's that has no version yet. Who holds the lock may have
    died, and the only worker that could take it up may be the one that waits here.
    """
    told = False
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        lock = rooms.locks.acquire(commit_lock(dataset), context.operation.id)
        if lock is not None:
            return lock
        if not told:
            context.say("Another operation commits to the dataset; this one waits its turn.")
            told = True
        if time.monotonic() >= end:
            context.park(_PARK_SECONDS, {"waits": "commit"})
        context.wait(_POLL_SECONDS)


def hold_upkeep(rooms: Rooms, context: StepContext, dataset: str) -> None:
    """See that no other operation maintains the dataset until this one has ended; parks until then."""
    if rooms.locks.acquire(f"upkeep/{dataset}", context.operation.id) is None:
        context.park(_PARK_SECONDS, {"waits": "upkeep"})


def commit_lock(dataset: str) -> str:
    """The name of the lock."""
    return f"commit/{dataset}"

"""A schedule by which people, sources and maintenance take turns, drawn from a seed, on a clock that is moved.

Each actor is a thread, yet only the one whose turn it is runs: it gives its turn away before every
write to the records and to the catalog, where another process could come between. So a seed gives
one order of effects, whatever the machine does. Between turns the clock goes on.
"""

from __future__ import annotations

import bisect
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from pyiceberg.catalog.sql import SqlCatalog

from atoll.flows import dataset_locks
from atoll.lake import upkeep
from atoll.ledger.audit import AuditTrail
from atoll.operations import live
from atoll.providers.records.store import SqlRecordStore

#: A file that nothing refers to is swept when it is so old, where the platform waits for an hour.
_ORPHAN_SECONDS = 180.0


#: How often a turn is given away at a write.
_TURN_GIVEN = 0.5


class Killed(BaseException):
    """An actor dies here, as a process would: nothing of it runs on, its leases stand."""


class Schedule:
    """Whose turn it is. `seconds` of the simulated clock pass in all."""

    def __init__(self, seed: int, start: datetime, seconds: float) -> None:
        self.random = random.Random(seed)
        self.now = start
        self.end = start + timedelta(seconds=seconds)
        self.kills = 0
        self.turns = 0
        #: Real and simulated time of each turn, in seconds from 1970.
        self._passed: list[tuple[float, float]] = [(time.time(), start.timestamp())]
        self._numbers: dict[int, int] = {}
        self._expected = 0
        self._condition = threading.Condition()
        self._waiting: dict[int, float] = {}
        self._turn: int | None = None
        self._actors: set[int] = set()
        self._kill: set[int] = set()
        self._whole: set[int] = set()

    def run(self, actors: dict[str, Callable[[], None]]) -> None:
        """Let the actors take turns until each has ended; raises what the first to fail raised."""
        failures: list[BaseException] = []

        def act(number: int, work: Callable[[], None]) -> None:
            self._enter(number)
            try:
                work()
            except BaseException as failure:
                failures.append(failure)
                self.end = self.now
            finally:
                self._leave()

        threads = [
            threading.Thread(target=act, args=(number, work), name=name, daemon=True)
            for number, (name, work) in enumerate(actors.items())
        ]
        self._expected = len(threads)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def over(self) -> bool:
        """Whether the simulated time is over."""
        return self.now >= self.end

    def simulated(self, real: float) -> float:
        """The simulated time at a real one, both in seconds from 1970."""
        return self._passed[max(bisect.bisect_right(self._passed, (real, float("inf"))) - 1, 0)][1]

    def pause(self, seconds: float) -> None:
        """Give the turn away for so long of the simulated time, as the caller's mean."""
        self._yield(self.random.expovariate(1 / seconds))

    def effect(self) -> None:
        """Called before each write: somebody else may have a turn first, or the actor dies."""
        me = self._numbers.get(threading.get_ident())
        if me is None or me in self._whole:
            return
        if me in self._kill and self.random.random() < 0.1:
            self._kill.discard(me)
            self.kills += 1
            raise Killed
        if self.random.random() < _TURN_GIVEN:
            self._yield(self.random.expovariate(1 / 1))

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Within it nobody else has a turn: a lock of the process is held."""
        me = self._numbers.get(threading.get_ident(), -1)
        self._whole.add(me)
        try:
            yield
        finally:
            self._whole.discard(me)

    @contextmanager
    def mortal(self) -> Iterator[None]:
        """Within it the actor may be killed at an effect; it is not an error."""
        me = self._numbers[threading.get_ident()]
        self._kill.add(me)
        try:
            yield
        except Killed:
            pass
        finally:
            self._kill.discard(me)

    def _enter(self, number: int) -> None:
        with self._condition:
            self._numbers[threading.get_ident()] = number
            self._waiting[number] = self.now.timestamp() + number
            self._actors.add(number)
            if len(self._actors) == self._expected:
                self._next()
            self._condition.wait_for(lambda: self._turn == number)

    def _leave(self) -> None:
        with self._condition:
            self._actors.discard(self._numbers.pop(threading.get_ident()))
            self._next()

    def _yield(self, seconds: float) -> None:
        me = self._numbers.get(threading.get_ident())
        if me is None:
            return
        with self._condition:
            self._waiting[me] = self.now.timestamp() + seconds
            self._next()
            self._condition.wait_for(lambda: self._turn == me)

    def _next(self) -> None:
        """Give the turn to who wants it soonest, and move the clock there."""
        self.turns += 1
        if not self._waiting:
            self._turn = None
        else:
            self._turn = min(self._waiting, key=lambda number: (self._waiting[number], number))
            at = self._waiting.pop(self._turn)
            self.now = max(self.now, datetime.fromtimestamp(at, self.now.tzinfo))
            self._passed.append((time.time(), self.now.timestamp()))
        self._condition.notify_all()


class SimulatedClock:
    """The schedule's time."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def now(self) -> datetime:
        return self._schedule.now


def take_turns(monkeypatch, schedule: Schedule) -> None:
    """Have every write give the turn away first, and every wait let simulated time pass."""
    for owner, name in ((SqlRecordStore, "transact"), (SqlCatalog, "commit_table")):
        plain = getattr(owner, name)

        def turned(self, *args, _plain=plain, **kwargs):
            schedule.effect()
            return _plain(self, *args, **kwargs)

        monkeypatch.setattr(owner, name, turned)

    record = AuditTrail.record

    def recorded(self, *args, **kwargs):
        schedule.effect()
        with schedule.whole():
            return record(self, *args, **kwargs)

    monkeypatch.setattr(AuditTrail, "record", recorded)

    def waited(self, seconds):
        schedule.pause(seconds)
        self.check()

    monkeypatch.setattr(live.LiveOperation, "wait", waited)
    monkeypatch.setattr(dataset_locks, "_PATIENCE_SECONDS", 0.0)
    _age_files(monkeypatch, schedule)


def _age_files(monkeypatch, schedule: Schedule) -> None:
    """Have sweeps see files as old as they are in simulated time, and take for an hour what is less there."""
    aged: set[str] = set()
    plain = upkeep._files_below

    def below(root):
        for path in plain(root):
            if str(path) not in aged:
                aged.add(str(path))
                when = schedule.simulated(path.stat().st_mtime)
                os.utime(path, (when, when))
            yield path

    class Time:
        @staticmethod
        def time() -> float:
            return schedule.now.timestamp() + 3600 - _ORPHAN_SECONDS

    monkeypatch.setattr(upkeep, "_files_below", below)
    monkeypatch.setattr(upkeep, "time", Time)

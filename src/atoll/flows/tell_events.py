"""Listeners are told that something they may see has changed; what, they ask for themselves.

What this process writes is told at once. What other processes write is found by one
look a second for all listeners: new audit entries, open operations, standing machines.
Nobody is looked for while nobody listens.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from atoll.errors import AtollError, LimitExceeded
from atoll.flows.event_rules import RULES, Change, change_of
from atoll.flows.rooms import Rooms
from atoll.model.operation import Operation
from atoll.model.person import Caller
from atoll.model.record import new_id
from atoll.model.workspace import Workspace
from atoll.ports.records import Watchable, every

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
#: Changes that come together are told together.
_GATHER_SECONDS = 0.05
#: So long without a listener what was told is kept, for those who come back.
_LINGER_SECONDS = 60.0
_KEPT = 2000
#: Beyond this a listener does not read; it is told to look at everything instead.
_MAX_WAITING = 1000
_MAX_LISTENING = 30


@dataclass(frozen=True)
class Hint:
    """That something changed. An empty kind: look at everything anew."""

    number: int
    kind: str
    id: str


class Listening:
    """One listener. `caller` is set anew as their rights change."""

    def __init__(self, caller: Caller, wake: Callable[[], None]) -> None:
        self.caller = caller
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], Hint] = {}

    def tell(self, number: int, changes: Iterable[Change]) -> None:
        """Give the hints that the listener may have, and wake it."""
        seen = [change for change in changes if change.seen_by(self.caller)]
        if seen:
            self.give(Hint(number, change.kind, change.id) for change in seen)

    def give(self, hints: Iterable[Hint]) -> None:
        """Give hints as they are."""
        with self._lock:
            for hint in hints:
                self._waiting.pop((hint.kind, hint.id), None)
                self._waiting[hint.kind, hint.id] = hint
            if len(self._waiting) > _MAX_WAITING:
                self._waiting = {("", ""): Hint(next(reversed(self._waiting.values())).number, "", "")}
        self._wake()

    def take(self) -> tuple[Hint, ...]:
        """The hints since the last time, each thing once, oldest first."""
        with self._lock:
            taken = tuple(self._waiting.values())
            self._waiting = {}
        return taken


class Events:
    """Finds changes and tells listeners, in one thread that starts with the first of them."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._lock = threading.Lock()
        self._written: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._listeners: tuple[Listening, ...] = ()
        self._thread: threading.Thread | None = None
        self._told: deque[tuple[int, Sequence[Change]]] = deque(maxlen=_KEPT)
        self._number = 0
        self._epoch = ""

    def listen(self, caller: Caller, wake: Callable[[], None], last_id: str = "") -> Listening:
        """Begin to tell the caller. `wake` is called, from another thread, when there is something to `take`.

        `last_id` is the last event the caller had: what came after is told again, or, when
        that is not known any more, a hint to look at everything.
        Raises `LimitExceeded` for one who listens very often already.
        """
        listening = Listening(caller, wake)
        with self._lock:
            if sum(one.caller.subject_id == caller.subject_id for one in self._listeners) >= _MAX_LISTENING:
                raise LimitExceeded("You listen for events too many times at once.", todo="Close some pages.")
            if self._thread is None:
                self._begin()
            self._listeners = (*self._listeners, listening)
            told = list(self._told)
            epoch, number = self._epoch, self._number
        if last_id:
            after = _number_of(last_id, epoch)
            if after is None or (told and after < told[0][0] - 1):
                listening.give([Hint(number, "", "")])
            else:
                for at, changes in told:
                    if at > after:
                        listening.tell(at, changes)
        return listening

    def leave(self, listening: Listening) -> None:
        """No longer. Idempotent."""
        with self._lock:
            self._listeners = tuple(one for one in self._listeners if one is not listening)

    def id_of(self, hint: Hint) -> str:
        """The id under which a hint is sent."""
        return f"{self._epoch}-{hint.number}"

    def _begin(self) -> None:
        self._epoch = new_id("evt")
        self._told.clear()
        self._number = 0
        records = self._rooms.records
        if isinstance(records, Watchable):
            records.watch(self._wrote)
        self._thread = threading.Thread(target=self._work, name="events", daemon=True)
        self._thread.start()

    def _wrote(self, kind: str, id: str) -> None:
        if kind in RULES:
            self._written.put((kind, id))

    def _work(self) -> None:
        others = _Others(self._rooms)
        look_at, listened_at = 0.0, time.monotonic()
        while True:
            found = self._gathered(look_at - time.monotonic())
            now = time.monotonic()
            if self._listeners:
                listened_at = now
            elif now - listened_at > _LINGER_SECONDS and self._end():
                return
            try:
                if now >= look_at:
                    look_at = now + _LOOK_SECONDS
                    found.update(dict.fromkeys(others.changed()))
                self._tell(found)
            except AtollError as error:
                log.warning("Changes cannot be looked for.", extra={"fields": {"error_code": error.code}})
            except Exception as error:
                log.error("Events met an unexpected error.", extra={"fields": {"error_class": type(error).__name__}})

    def _gathered(self, seconds: float) -> dict[tuple[str, str], None]:
        """What this process wrote, as soon as there is something, at the latest after so long."""
        found: dict[tuple[str, str], None] = {}
        try:
            found[self._written.get(timeout=max(seconds, 0.001))] = None
            time.sleep(_GATHER_SECONDS)
            while True:
                found[self._written.get_nowait()] = None
        except queue.Empty:
            return found

    def _tell(self, found: Iterable[tuple[str, str]]) -> None:
        known = (change_of(self._rooms, kind, id) for kind, id in found)
        changes = tuple({(c.kind, c.id): c for c in known if c is not None}.values())
        if not changes:
            return
        with self._lock:
            self._number += 1
            number, listeners = self._number, self._listeners
            self._told.append((number, changes))
        for listening in listeners:
            listening.tell(number, changes)

    def _end(self) -> bool:
        """Let the thread end, unless somebody came in the same moment."""
        with self._lock:
            if self._listeners:
                return False
            records = self._rooms.records
            if isinstance(records, Watchable):
                records.unwatch(self._wrote)
            self._thread = None
            return True


class _Others:
    """What other processes changed since the last look."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._audited: int | None = None
        self._operations: dict[str, Operation] | None = None
        self._workspaces: dict[str, int] | None = None

    def changed(self) -> list[tuple[str, str]]:
        """Kind and id of what may have changed."""
        return [*self._entries(), *self._of_operations(), *self._of_workspaces()]

    def _entries(self) -> list[tuple[str, str]]:
        if self._audited is None:
            last = self._rooms.audit.tail(1)
            self._audited = last[-1].number if last else 0
            return []
        entries = self._rooms.audit.read(self._audited, 1000)
        if not entries:
            return []
        self._audited = entries[-1].number
        return [pair for e in entries for pair in (_pair(e.event.target), _pair(e.event.because)) if pair]

    def _of_operations(self) -> list[tuple[str, str]]:
        standing = {operation.id: operation for operation in self._rooms.operations.open()}
        before, self._operations = self._operations, standing
        if before is None:
            return []
        changed = [one for id, one in standing.items() if id not in before or before[id].version != one.version]
        changed += [one for id, one in before.items() if id not in standing]
        subjects = [pair for one in changed if (pair := _pair(one.subject))]
        return [*(("operation", one.id) for one in changed), *subjects]

    def _of_workspaces(self) -> list[tuple[str, str]]:
        standing = {one.id: one.version for one in every(self._rooms.records, Workspace, {"standing": "standing"})}
        before, self._workspaces = self._workspaces, standing
        if before is None:
            return []
        return [("workspace", id) for id, version in standing.items() if before.get(id) != version]


def _pair(text: str) -> tuple[str, str] | None:
    """Kind and id of `kind/id`, where changes of the kind are told."""
    kind, _, id = text.partition("/")
    return (kind, id) if id and kind in RULES else None


def _number_of(last_id: str, epoch: str) -> int | None:
    told_epoch, _, number = last_id.rpartition("-")
    return int(number) if told_epoch == epoch and number.isascii() and number.isdigit() else None

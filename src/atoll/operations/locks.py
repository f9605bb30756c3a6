"""Locks that an open operation holds, not a moment in time.

A time-limited lock could be taken over while its holder's half-done work still lies
in the lake. Here a lock stands until its operation gives it back or has ended; since
every open operation is resumed by some process, none is held for ever.
"""

from __future__ import annotations

from typing import ClassVar

from atoll.errors import AlreadyExists, NotFound, VersionConflict
from atoll.model.operation import Operation
from atoll.model.record import Record
from atoll.ports.records import RecordStore


class Lock(Record):
    """A named lock and the id of the operation that holds it (None: free)."""

    kind: ClassVar[str] = "lock"

    holder: str | None = None


class Locks:
    """Named locks in a record store."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def acquire(self, name: str, operation_id: str) -> Lock | None:
        """The lock as now held by the operation, or None when another open one holds it."""
        try:
            lock = self._records.get(Lock, name)
        except NotFound:
            lock = Lock(id=name)
        if lock.holder == operation_id:
            return lock
        if lock.holder is not None and self._is_open(lock.holder):
            return None
        try:
            return self._records.put(lock.but(holder=operation_id))
        except (VersionConflict, AlreadyExists):
            return None

    def release(self, name: str, operation_id: str) -> None:
        """Give the lock back if the operation holds it. Idempotent."""
        try:
            lock = self._records.get(Lock, name)
        except NotFound:
            return
        if lock.holder == operation_id:
            self._records.put(lock.but(holder=None))

    def _is_open(self, operation_id: str) -> bool:
        try:
            return self._records.get(Operation, operation_id).open
        except NotFound:
            return False

"""The audit trail: every act and refusal, in a chain of hashes."""

from __future__ import annotations

import random
import threading
import time

import pydantic

from atoll.errors import IntegrityBroken, Unavailable, VersionConflict
from atoll.ledger.chain import NOTHING_BEFORE, fault, link
from atoll.model.ledger import AuditEntry, AuditEvent, ChainCheck
from atoll.ports.clock import Clock
from atoll.ports.records import Append, RecordStore, StreamEntry, Write

STREAM = "audit"
#: Entries read at once while verifying.
BATCH = 1000
#: How long an entry tries to find its place among those of other processes.
PATIENCE_SECONDS = 20.0


class AuditTrail:
    """Writes and reads the chain. Safe from several threads and processes."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        """Keep the chain in the stream `audit` of `records`."""
        self._records = records
        self._clock = clock
        # Threads of one process take turns here; only other processes are raced against.
        self._turn = threading.Lock()

    def record(self, event: AuditEvent, *writes: Write) -> AuditEntry:
        """Chain the event and do `writes`, both or neither, in one transaction.

        At most 49 writes. Races of the chain with other processes are retried here.
        Raises `VersionConflict` or `AlreadyExists` when `writes` do not hold,
        `Unavailable` when no place in the chain was found for 20 seconds.
        """
        give_up = time.monotonic() + PATIENCE_SECONDS
        if not self._turn.acquire(timeout=PATIENCE_SECONDS):
            raise _too_busy()
        try:
            attempt = 0
            while (entry := self._try(event, writes)) is None:
                if time.monotonic() > give_up:
                    raise _too_busy()
                attempt += 1
                time.sleep(random.uniform(0, min(0.2, 0.002 * 2**attempt)))  # noqa: S311 - spreads retries, no secret
            return entry
        finally:
            self._turn.release()

    def tail(self, limit: int = 50) -> tuple[AuditEntry, ...]:
        """The last `limit` entries, oldest first."""
        return tuple(_entry(stored) for stored in self._records.tail(STREAM, limit=limit))

    def read(self, after: int = 0, limit: int = 100) -> tuple[AuditEntry, ...]:
        """Entries numbered above `after`, oldest first."""
        return tuple(_entry(stored) for stored in self._records.read(STREAM, after=after, limit=limit))

    def verify(self) -> ChainCheck:
        """Walk the whole chain; names the first entry that was changed, removed or moved.

        Entries that are written meanwhile may or may not be seen.
        """
        number, head = 0, NOTHING_BEFORE
        while True:
            try:
                batch = self._records.read(STREAM, after=number, limit=BATCH)
            except IntegrityBroken:
                batch = self._readable(number)
                if not batch:
                    return _broken(number, head, f"Entry {number + 1} cannot be read.")
            for stored in batch:
                reason = fault(stored.body, stored_as=stored.number, number=number + 1, previous=head)
                if reason:
                    return _broken(number, head, reason)
                number, head = stored.number, stored.body["hash"]
            if not batch:
                if self._ends_at(number):
                    return ChainCheck(entries=number, intact=True, head=head)
                if not self._records.read(STREAM, after=number, limit=1):
                    return _broken(number, head, f"Entry {number + 1} is missing, at the end.")

    def _try(self, event: AuditEvent, writes: tuple[Write, ...]) -> AuditEntry | None:
        """Add the entry behind the end as it is now; None when another process was faster."""
        number, previous = self._end()
        entry = link(event, number=number + 1, at=self._clock.now(), previous=previous)
        try:
            self._records.transact([Append(STREAM, (entry,), after=number), *writes])
        except VersionConflict:
            # The chain moved on: our own race. It did not: the caller's conflict.
            if self._end()[0] != number:
                return None
            self._must_end_at(number)
            raise
        return AuditEntry.model_validate(entry)

    def _readable(self, after: int) -> tuple[StreamEntry, ...]:
        """One entry, out of a batch that holds one that cannot be read; empty if it is this one."""
        try:
            return self._records.read(STREAM, after=after, limit=1)
        except IntegrityBroken:
            return ()

    def _end(self) -> tuple[int, str]:
        last = self._records.tail(STREAM, limit=1)
        return (last[0].number, str(last[0].body.get("hash"))) if last else (0, NOTHING_BEFORE)

    def _ends_at(self, number: int) -> bool:
        """Whether the store agrees that `number` is the last one it gave out."""
        try:
            self._records.transact([Append(STREAM, (), after=number)])
        except VersionConflict:
            return False
        return True

    def _must_end_at(self, number: int) -> None:
        """Raises `IntegrityBroken` if entries were taken off the end: nothing could be added any more."""
        if not self._ends_at(number) and self._end()[0] == number:
            raise IntegrityBroken(
                f"Entries after {number} are missing from the audit trail.",
                where=STREAM,
                todo="Run `atoll audit verify`, and restore the record store from a backup.",
            ) from None


def _too_busy() -> Unavailable:
    return Unavailable("The audit trail is too busy to take the entry.", where=STREAM, todo="Try again.")


def _broken(number: int, head: str, reason: str) -> ChainCheck:
    return ChainCheck(entries=number, intact=False, broken_at=number + 1, reason=reason, head=head)


def _entry(stored: StreamEntry) -> AuditEntry:
    try:
        return AuditEntry.model_validate(stored.body)
    except pydantic.ValidationError:
        raise IntegrityBroken(
            "An entry of the audit trail does not read as one.",
            where=f"{STREAM}/{stored.number}",
            todo="Run `atoll audit verify`.",
        ) from None

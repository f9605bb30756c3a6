"""The audit trail: every act and refusal, in a chain of hashes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import pydantic

from atoll.errors import IntegrityBroken, Unavailable, VersionConflict
from atoll.ledger.chain import NOTHING_BEFORE, canonical, fault, link, skimmed
from atoll.model.ledger import AuditCheckpoint, AuditEntry, AuditEvent, ChainCheck
from atoll.ports.clock import Clock
from atoll.ports.records import Append, ReadsTexts, RecordStore, StreamEntry, Write

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

    def end(self) -> int:
        """Number of the last entry, 0 when there is none."""
        return self._end()[0]

    def number_before(self, when: datetime) -> int:
        """Number of the last entry of before `when`, 0 when there is none. Entries stand in order of time."""
        low, high = 0, self.end()
        while low < high:
            middle = (low + high + 1) // 2
            found = self._records.read(STREAM, after=middle - 1, limit=1)
            if found and datetime.fromisoformat(str(found[0].body["at"])) < when:
                low = middle
            else:
                high = middle - 1
        return low

    def lines(self, after: int, to: int) -> Iterator[bytes]:
        """Entries numbered above `after` up to `to`, each as the canonical JSON of its hash, hash included."""
        while after < to:
            batch = self._records.read(STREAM, after=after, limit=min(BATCH, to - after))
            if not batch:
                return
            for stored in batch:
                yield canonical(stored.body) + b"\n"
            after = batch[-1].number

    def verify(self, checkpoints: Iterable[tuple[AuditCheckpoint, str]] = ()) -> ChainCheck:
        """Walk the whole chain; names the first entry that was changed, removed or moved.

        `checkpoints`, oldest first, each with what is wrong with its signature, are compared
        with it. Entries that are written meanwhile may or may not be seen.
        """
        signed = {checkpoint.number: (checkpoint, wrong) for checkpoint, wrong in checkpoints}
        check = self._walk(signed)
        held = [number for number in signed if number <= check.entries] if check.intact else []
        missing = [number for number in signed if number > check.entries] if check.intact else []
        if missing:
            reason = f"Entry {min(missing)}, which a checkpoint signed, is missing at the end."
            return _broken(check.entries, check.head, reason)
        return check.but(checkpoints=len(held), checked_to=max(held, default=0))

    def _walk(self, signed: Mapping[int, tuple[AuditCheckpoint, str]]) -> ChainCheck:
        number, head = 0, NOTHING_BEFORE
        while True:
            number, head = self._skim(number, head, signed)
            try:
                batch = self._records.read(STREAM, after=number, limit=BATCH)
            except IntegrityBroken:
                batch = self._readable(number)
                if not batch:
                    return _broken(number, head, f"Entry {number + 1} cannot be read.")
            for stored in batch:
                reason = fault(stored.body, stored_as=stored.number, number=number + 1, previous=head)
                if not reason and number + 1 in signed:
                    reason = _against(signed[number + 1], stored.body["hash"])
                if reason:
                    return _broken(number, head, reason)
                number, head = stored.number, stored.body["hash"]
            if not batch:
                if self._ends_at(number):
                    return ChainCheck(entries=number, intact=True, head=head)
                if not self._records.read(STREAM, after=number, limit=1):
                    return _broken(number, head, f"Entry {number + 1} is missing, at the end.")

    def _skim(self, number: int, head: str, signed: Mapping[int, tuple[AuditCheckpoint, str]]) -> tuple[int, str]:
        """Go on over entries that plainly hold; where it ends is for the careful walk to look at."""
        if not isinstance(self._records, ReadsTexts):
            return number, head
        while True:
            began = number
            for stored_as, text in self._records.read_texts(STREAM, after=number, limit=BATCH):
                found = skimmed(text, number=number + 1, previous=head) if stored_as == number + 1 else None
                if found is None or (stored_as in signed and _against(signed[stored_as], found)):
                    return number, head
                number, head = stored_as, found
            if number < began + BATCH:
                return number, head

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


def _against(signed: tuple[AuditCheckpoint, str], hash: str) -> str:
    """What a checkpoint has against the entry of its number; empty when they agree."""
    checkpoint, wrong = signed
    if wrong:
        return wrong
    if checkpoint.hash != hash:
        return f"Entry {checkpoint.number}, or one before it, was written anew since it was signed."
    return ""


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

"""Versions that held an erased person: marked, and all that was made of them taken away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from atoll.errors import NotFound, Unavailable
from atoll.flows.expire_versions import mark_expired
from atoll.flows.lay_out_dataset import store
from atoll.flows.rooms import Rooms
from atoll.flows.run_query_results import sweep_results
from atoll.model.catalog import TableProfile
from atoll.model.dataset import DatasetVersion
from atoll.model.ledger import AuditEvent
from atoll.model.mount import DatasetMount
from atoll.model.operation import Operation
from atoll.model.person import PLATFORM
from atoll.model.query import QueryRecord
from atoll.model.record import Record
from atoll.ports.records import Delete, Put, Write, every

#: Versions marked in one transaction.
_AT_ONCE = 40
REASON = "erasure"


class ErasureNotes(Record):
    """What an erasure must remember until it is over. Id of the operation."""

    kind: ClassVar[str] = "erasure_notes"

    #: Data files that held the person, and must be gone at the end.
    paths: tuple[str, ...] = ()
    #: What was taken away, by this try or earlier ones.
    mounts: int = 0
    results: int = 0
    profiles: int = 0


def expire(rooms: Rooms, operation: Operation, name: str, versions: Sequence[DatasetVersion]) -> None:
    """Put on record that the versions can be read no more."""
    for start in range(0, len(versions), _AT_ONCE):
        mark_expired(rooms, operation, name, versions[start : start + _AT_ONCE])


def expired_by(rooms: Rooms, operation: Operation) -> tuple[DatasetVersion, ...]:
    """The versions that the operation marked, in order."""
    because = f"operation/{operation.id}"
    found = [version for version in every(rooms.records, DatasetVersion) if version.expired_by == because]
    return tuple(sorted(found, key=lambda version: (version.dataset, version.number)))


def forget(rooms: Rooms, operation: Operation, versions: Iterable[DatasetVersion]) -> Mapping[str, int]:
    """Take away mounts, kept results and profiles of the versions; how many of each, also by earlier tries.

    A machine that has such a mount sees it become empty.
    """
    gone = list(versions)
    ids = {version.id for version in gone}
    snapshots = {(v.dataset, state.table, state.snapshot_id) for v in gone for state in v.tables}
    for mount in list(every(rooms.records, DatasetMount)):
        if mount.dataset_version in ids:
            if not store(rooms).remove(mount.id):
                raise Unavailable("A mount of a version that held the person is being made.", where=f"mount/{mount.id}")
            details = {"project": mount.project, "version": mount.dataset_version, "reason": REASON}
            _take(rooms, operation, "mounts", "mount.withdraw", f"mount/{mount.id}", details, Delete(mount))
    for record in list(every(rooms.records, QueryRecord, {"holds": "result"})):
        if record.result is not None and ids.intersection(record.versions):
            removed = record.result.but(removed_at=rooms.clock.now(), removed_because=REASON)
            put = Put(record.but(result=removed))
            _take(rooms, operation, "results", "query.forget", f"query/{record.id}", {"reason": REASON}, put)
    sweep_results(rooms)
    for profile in list(every(rooms.records, TableProfile)):
        if (profile.dataset, profile.table, profile.snapshot_id) in snapshots:
            details = {"table": profile.table, "snapshot": str(profile.snapshot_id)}
            target = f"dataset/{profile.dataset}"
            _take(rooms, operation, "profiles", "dataset.forget_profile", target, details, Delete(profile))
    notes = notes_of(rooms, operation)
    return {"mounts": notes.mounts, "results": notes.results, "profiles": notes.profiles}


def note_files(rooms: Rooms, operation: Operation, paths: Iterable[str]) -> None:
    """Remember files that must be gone at the end, beside those that are remembered."""
    notes = notes_of(rooms, operation)
    rooms.records.put(notes.but(paths=tuple(sorted({*notes.paths, *paths}))))


def drop_notes(notes: ErasureNotes) -> tuple[Write, ...]:
    """The writes that forget the notes, to join a transaction."""
    return (Delete(notes),) if notes.version else ()


def notes_of(rooms: Rooms, operation: Operation) -> ErasureNotes:
    """What the erasure remembers; not on record yet when there was nothing."""
    try:
        return rooms.records.get(ErasureNotes, operation.id)
    except NotFound:
        return ErasureNotes(id=operation.id)


def _take(
    rooms: Rooms,
    operation: Operation,
    what: str,
    action: str,
    target: str,
    details: Mapping[str, object],
    write: Write,
) -> None:
    """Take one thing away, and count it, in one transaction."""
    notes = notes_of(rooms, operation)
    counted = notes.but(**{what: getattr(notes, what) + 1})
    event = AuditEvent(
        action=action,
        target=target,
        caller=PLATFORM,
        because=f"operation/{operation.id}",
        details=dict(details),
    )
    rooms.audit.record(event, write, Put(counted))

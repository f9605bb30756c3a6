"""Old versions of a dataset cease to be readable, and the files that only they held are removed.

First it is on record that a version has expired, then its snapshots go, then what nothing
refers to any more. Versions that are the newest, kept by somebody, mounted, that a grant is pinned to, or that a query
may still be reading stay. Killed anywhere and run again, each step gives the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.errors import Conflict, VersionConflict
from atoll.flows import bind_version, dataset_locks, version_retention
from atoll.flows.rooms import Rooms
from atoll.lake import Upkeep
from atoll.model.dataset import Dataset, DatasetVersion, Keep, landing_of
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Failure, Operation
from atoll.model.person import PLATFORM, Caller
from atoll.operations import StepContext, Story
from atoll.ports.records import Put, Write, every

STORY = "expire_versions"
STEPS = ("mark", "expire", "sweep")
_DEADLINE_SECONDS = 86_400.0
#: Writes of one transaction, the audit entry's own aside.
_AT_ONCE = 40


def ask(rooms: Rooms, caller: Caller, dataset: str, *, kept: int | None = None, days: float | None = None) -> Operation:
    """Expire now what is beyond these limits (without them: those of the settings), and sweep.

    Raises `NotFound`, and `AlreadyExists` when that is under way.
    """
    permissions.require(caller, Scope.DATASETS_MAINTAIN)
    rooms.records.get(Dataset, dataset)
    return begin(rooms, caller, dataset, kept=kept, days=days)


def begin(
    rooms: Rooms, caller: Caller, dataset: str, *, kept: int | None = None, days: float | None = None
) -> Operation:
    """Queue it."""
    operation = rooms.operations.plan(
        story=STORY,
        subject=f"dataset/{dataset}/expiry",
        steps=STEPS,
        caller=caller,
        deadline_seconds=_DEADLINE_SECONDS,
        params={"dataset": dataset, "kept": kept, "days": days},
    )
    rooms.records.transact([Put(operation)])
    rooms.operations.woken.set()
    return rooms.operations.get(operation.id)


def keep(rooms: Rooms, caller: Caller, dataset: str, number: int, reason: str) -> DatasetVersion:
    """See that a version does not expire. Raises `NotFound`, `Conflict` when it has."""
    return _keep(rooms, caller, dataset, number, Keep(reason=reason, by=caller.name, at=rooms.clock.now()))


def unkeep(rooms: Rooms, caller: Caller, dataset: str, number: int) -> DatasetVersion:
    """The version expires like any other. Raises `NotFound`."""
    return _keep(rooms, caller, dataset, number, None)


def story(rooms: Rooms) -> Story:
    """The story for the runner."""
    return Story(
        name=STORY,
        steps=(
            ("mark", partial(mark, rooms)),
            ("expire", partial(expire, rooms)),
            ("sweep", partial(sweep, rooms)),
        ),
        abandon=partial(abandon, rooms),
    )


def mark(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Put on record which versions have expired: from here on nobody begins to read them."""
    name = _name(context)
    dataset_locks.hold_upkeep(rooms, context, name)
    params = context.operation.params
    found = version_retention.standings(rooms, name, kept=params["kept"], days=params["days"])
    versions = [standing.version for standing in found if standing.protection is None]
    for start in range(0, len(versions), _AT_ONCE):
        context.check()
        mark_expired(rooms, context.operation, name, versions[start : start + _AT_ONCE])
    expired = sum(
        version.expired_by == f"operation/{context.operation.id}"
        for version in every(rooms.records, DatasetVersion, {"dataset": name})
    )
    context.say("Versions have expired." if expired else "No version is due.", versions=expired)
    return {"versions": expired}


def expire(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Snapshots that no live version binds are forgotten."""
    return {"snapshots": expire_snapshots(rooms, context, _name(context))}


def expire_snapshots(rooms: Rooms, context: StepContext, name: str) -> int:
    """Forget the snapshots of every table that no live version binds; how many.

    Under the commit lock: a snapshot that waits for its version is never seen.
    """
    lock = dataset_locks.hold_commit(rooms, context, name)
    live: dict[str, set[int]] = {}
    known: set[str] = set()
    for version in every(rooms.records, DatasetVersion, {"dataset": name}):
        for state in version.tables:
            known.add(state.table)
            if version.live:
                live.setdefault(state.table, set()).add(state.snapshot_id)
    upkeep = Upkeep(rooms.lake)
    count = sum(upkeep.expire(name, table, live.get(table, set())) for table in sorted(known))
    rooms.locks.release(lock.id, context.operation.id)
    return count


def sweep(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Files that nothing refers to are removed, when they are old enough; on record how many."""
    name = _name(context)
    spare = open_landings(rooms)
    tables = sorted(
        {s.table for version in every(rooms.records, DatasetVersion, {"dataset": name}) for s in version.tables}
    )
    files = size_bytes = 0
    for number, table in enumerate(tables):
        context.progress(number / len(tables))
        swept = Upkeep(rooms.lake).sweep(
            name, table, spare=spare, older_than_seconds=rooms.settings.orphan_hours * 3600
        )
        files += swept.files
        size_bytes += swept.size_bytes
    told = {
        "versions": context.output("mark")["versions"],
        "snapshots": context.output("expire")["snapshots"],
        "files": files,
        "bytes": size_bytes,
    }
    rooms.audit.record(
        AuditEvent(
            action="dataset.sweep",
            target=f"dataset/{name}",
            caller=PLATFORM,
            because=f"operation/{context.operation.id}",
            details=told,
        )
    )
    context.say("Files that nothing refers to were removed.", files=files, bytes=size_bytes)
    return told


def abandon(rooms: Rooms, context: StepContext, failure: Failure) -> None:
    """What has expired stays so; the next time goes on from there."""
    name = _name(context)
    rooms.locks.release(dataset_locks.commit_lock(name), context.operation.id)
    rooms.audit.record(bind_version.failed(context.operation, name, failure))


def open_landings(rooms: Rooms) -> frozenset[str]:
    """Directories that open operations write to: their own, and those of deliveries that are admitted."""
    spare: set[str] = set()
    for operation in rooms.operations.open():
        spare.add(operation.id)
        if delivery := operation.params.get("delivery"):
            spare.add(landing_of(str(delivery), int(operation.params.get("replay", 0))))
    # A delivery that is submitted in this moment has no operation yet; nor has it files in the lake.
    return frozenset(spare)


def mark_expired(rooms: Rooms, operation: Operation, name: str, versions: Sequence[DatasetVersion]) -> None:
    """Put on record, in one transaction, that these versions can be read no more; 40 at most."""
    now = rooms.clock.now()
    because = f"operation/{operation.id}"
    writes: list[Write] = [Put(version.but(expired_at=now, expired_by=because)) for version in versions]
    event = AuditEvent(
        action="dataset.expire",
        target=f"dataset/{name}",
        caller=PLATFORM,
        because=because,
        details={"versions": sorted(version.number for version in versions), "asked_by": operation.asked_by},
    )
    # Somebody who has just said that one is to be kept comes first: read again, then.
    rooms.audit.record(event, *writes)


def _keep(rooms: Rooms, caller: Caller, dataset: str, number: int, wish: Keep | None) -> DatasetVersion:
    permissions.require(caller, Scope.DATASETS_MAINTAIN)
    while True:
        version = rooms.records.get(DatasetVersion, f"{dataset}@{number}")
        if not version.live:
            raise Conflict("The version has expired.", where=f"dataset/{version.id}", todo="Choose one that stands.")
        event = AuditEvent(
            action="dataset.keep" if wish else "dataset.unkeep",
            target=f"dataset/{dataset}",
            caller=caller,
            details={"version": number, "reason": wish.reason if wish else ""},
        )
        try:
            rooms.audit.record(event, Put(version.but(keep=wish)))
        except VersionConflict:
            continue
        return rooms.records.get(DatasetVersion, version.id)


def _name(context: StepContext) -> str:
    return str(context.operation.params["dataset"])

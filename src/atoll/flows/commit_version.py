"""Staged files become one snapshot for each table and one version of the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atoll.deid import FileReport
from atoll.flows import dataset_locks
from atoll.flows.gate_version import pass_gate
from atoll.flows.rooms import Rooms
from atoll.model.contract import ContractVersion
from atoll.model.dataset import Dataset, DatasetVersion, TableState, landing_of
from atoll.model.delivery import Delivery, Hold
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Operation
from atoll.model.person import PLATFORM
from atoll.model.table import StagedFile, TableSchema
from atoll.operations import StepContext
from atoll.ports.records import Put, every


def commit_version(
    rooms: Rooms,
    context: StepContext,
    delivery: Delivery,
    schemas: Mapping[str, TableSchema],
    staged: Mapping[str, Sequence[StagedFile]],
    reports: Sequence[FileReport],
) -> DatasetVersion | Hold:
    """Commit the delivery's staged files; its version, made now or before a crash.

    Or why nothing is committed: see `gate_version`.

    Readers go by versions, so the delivery becomes visible in all its tables at once,
    when the version is written. One operation at a time commits to a dataset: a
    snapshot must not build on another delivery that has no version yet.
    """
    lock = dataset_locks.hold_commit(rooms, context, delivery.dataset)
    replay = replay_of(context.operation)
    made = version_of(rooms, delivery.id, replay)
    if made is not None:
        rooms.locks.release(lock.id, context.operation.id)
        return made
    contract = str(context.output("verify")["contract"])
    passed = pass_gate(rooms, rooms.records.get(ContractVersion, contract), staged, reports)
    for line in passed.warnings:
        context.say(line)
    if passed.hold is not None:
        rooms.locks.release(lock.id, context.operation.id)
        return passed.hold
    states: dict[str, TableState] = {}
    for number, table in enumerate(sorted(staged)):
        context.progress(number / len(staged))
        states[table] = rooms.lake.commit(
            schemas[table], staged[table], delivery_id=landing_of(delivery.id, replay), contract=contract
        )
    dataset = rooms.records.get(Dataset, delivery.dataset)
    files = [file for table in staged.values() for file in table]
    version = _version(rooms, delivery, dataset, contract, states, files).but(replay=replay)
    rooms.audit.record(
        AuditEvent(
            action="dataset.commit",
            target=f"dataset/{dataset.id}",
            caller=PLATFORM,
            because=f"operation/{context.operation.id}",
            details={"version": version.number, "delivery": delivery.id, "rows": version.rows_added, **passed.told},
        ),
        *passed.writes,
        Put(version),
        Put(dataset.but(latest=version.number)),
        Put(lock.but(holder=None)),
    )
    return rooms.records.get(DatasetVersion, version.id)


def withdraw_version(rooms: Rooms, operation: Operation, delivery: Delivery, tables: Sequence[str]) -> None:
    """Take a failed admission's snapshots out of the lake again, and give the lock back.

    Does nothing to an admission that has its version.
    """
    replay = replay_of(operation)
    if version_of(rooms, delivery.id, replay) is None:
        for table in tables:
            rooms.lake.withdraw(delivery.dataset, table, landing_of(delivery.id, replay))
    rooms.locks.release(dataset_locks.commit_lock(delivery.dataset), operation.id)


def version_of(rooms: Rooms, delivery_id: str, replay: int = 0) -> DatasetVersion | None:
    """The dataset version that the delivery's first admission or a replay made, if it did."""
    made = every(rooms.records, DatasetVersion, {"delivery": delivery_id})
    return next((version for version in made if version.replay == replay), None)


def replay_of(operation: Operation) -> int:
    """Number of the replay that the operation is, 0 for a first admission."""
    return int(operation.params.get("replay", 0))


def newest_tables(rooms: Rooms, dataset: Dataset) -> dict[str, TableState]:
    """Tables of the dataset's newest version, by name; none before the first."""
    if not dataset.latest:
        return {}
    newest = rooms.records.get(DatasetVersion, f"{dataset.id}@{dataset.latest}")
    return {state.table: state for state in newest.tables}


def _version(
    rooms: Rooms,
    delivery: Delivery,
    dataset: Dataset,
    contract: str,
    states: Mapping[str, TableState],
    files: Sequence[StagedFile],
) -> DatasetVersion:
    tables = {**newest_tables(rooms, dataset), **states}
    number = dataset.latest + 1
    return DatasetVersion(
        id=f"{dataset.id}@{number}",
        dataset=dataset.id,
        number=number,
        delivery=delivery.id,
        contract=contract,
        tables=tuple(tables[name] for name in sorted(tables)),
        committed_at=rooms.clock.now(),
        rows_added=sum(f.rows for f in files),
        bytes_added=sum(f.size_bytes for f in files),
    )

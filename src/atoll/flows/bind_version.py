"""What maintenance made of tables becomes a version of the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atoll.flows.commit_version import newest_tables
from atoll.flows.rooms import Rooms
from atoll.ledger import upkeep_event
from atoll.model.dataset import Dataset, DatasetVersion, MadeBy, TableState
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Failure, Operation
from atoll.model.person import PLATFORM
from atoll.operations.locks import Lock
from atoll.ports.records import Put, every


def bind(
    rooms: Rooms,
    operation: Operation,
    name: str,
    states: Mapping[str, TableState],
    made_by: MadeBy,
    lock: Lock,
    details: Mapping[str, Any],
) -> DatasetVersion:
    """The version that binds these tables and, of the others, what is newest; made now or before a crash.

    One transaction: version, audit, flow event, and the commit lock, which the operation
    holds, is given back.
    """
    made = made_by_operation(rooms, name, operation)
    if made is not None:
        rooms.locks.release(lock.id, operation.id)
        return made
    dataset = rooms.records.get(Dataset, name)
    before = rooms.records.get(DatasetVersion, f"{name}@{dataset.latest}")
    tables = {**newest_tables(rooms, dataset), **states}
    version = DatasetVersion(
        id=f"{name}@{dataset.latest + 1}",
        dataset=name,
        number=dataset.latest + 1,
        made_by=made_by,
        operation=operation.id,
        contract=before.contract,
        tables=tuple(tables[table] for table in sorted(tables)),
        committed_at=rooms.clock.now(),
        rows_added=_total(tables, "rows") - sum(state.rows for state in before.tables),
        bytes_added=_total(tables, "size_bytes") - sum(state.size_bytes for state in before.tables),
    )
    because = f"operation/{operation.id}"
    event = AuditEvent(
        action="dataset.commit",
        target=f"dataset/{name}",
        caller=PLATFORM,
        because=because,
        details={
            "version": version.number,
            "made_by": made_by.value,
            "rows": version.rows_added,
            "tables": {
                table: {"files": state.files, "rows": state.rows, "snapshot": str(state.snapshot_id)}
                for table, state in sorted(states.items())
            },
            **details,
        },
    )
    rooms.audit.record(
        event,
        Put(version),
        Put(dataset.but(latest=version.number)),
        Put(lock.but(holder=None)),
        rooms.flow_log.append(upkeep_event(before, version, tuple(sorted(states)), because=because)),
    )
    return rooms.records.get(DatasetVersion, version.id)


def made_by_operation(rooms: Rooms, name: str, operation: Operation) -> DatasetVersion | None:
    """The version that the operation made, if it did."""
    where = {"landing": f"{name}/{operation.id}"}
    return next(every(rooms.records, DatasetVersion, where), None)


def failed(operation: Operation, name: str, failure: Failure) -> AuditEvent:
    """That maintenance of a dataset failed for good."""
    return AuditEvent(
        action="dataset.fail",
        target=f"dataset/{name}",
        caller=PLATFORM,
        because=f"operation/{operation.id}",
        details={"story": operation.story, "error_code": failure.error_code, "step": failure.step},
    )


def _total(tables: Mapping[str, TableState], what: str) -> int:
    return sum(int(getattr(state, what)) for state in tables.values())

"""Deliveries for tests of the lake's maintenance, and what must hold of a dataset afterwards."""

from __future__ import annotations

from collections import Counter

import pyarrow.parquet as pq
from tests.flows.trial import admit, hand_over

from atoll.flows import read_lake
from atoll.flows.rooms import Rooms
from atoll.model.dataset import DatasetVersion
from atoll.model.operation import Operation
from atoll.model.person import PLATFORM
from atoll.wiring import platform

DATASET = "trial"


def deliver(rooms: Rooms, number: int, *, subjects: int = 3) -> None:
    """One delivery to both tables: people `S-<number>-<k>`, each with two visits."""
    ids = [f"S-{number}-{k}" for k in range(subjects)]
    people = "ID,NAME,AGE,SEEN\n" + "".join(f"{id},Name,{20 + number % 60},2020-02-01\n" for id in ids)
    visits = "ID,VISIT,AT\n" + "".join(f"{id},{v},2020-02-{v:02d}T10:00:00Z\n" for id in ids for v in (1, 2))
    hand_over(rooms, {f"subjects{number}.csv": people.encode(), f"visits{number}.csv": visits.encode()})
    admit(rooms)


def work(rooms: Rooms) -> None:
    """Run the maintenance that is queued, to its end."""
    runner = platform.upkeep_runner(rooms)
    while rooms.operations.open():
        runner.run_open()


def rows_of(rooms: Rooms, version: DatasetVersion, name: str) -> Counter[tuple[object, ...]]:
    """Every row of a table at a version, by how often it is there, read from the files themselves."""
    state = next(s for s in version.tables if s.table == name)
    files = rooms.lake.plan(version.dataset, name, state.snapshot_id).files
    names = sorted(c.name for c in state.columns)
    tables = [pq.read_table(f.path, columns=names).select(names) for f in files]
    rows = Counter(tuple(row.values()) for table in tables for row in table.to_pylist())
    assert rows.total() == state.rows == sum(f.rows for f in files)
    assert len(files) == state.files
    return rows


def newest(rooms: Rooms) -> DatasetVersion:
    """The newest version."""
    return read_lake.version(rooms, PLATFORM, DATASET)


def ended(rooms: Rooms, operation: Operation) -> Operation:
    """The operation after all that is queued has run; it must have succeeded."""
    work(rooms)
    operation = rooms.operations.get(operation.id)
    assert operation.state.value == "succeeded", (
        operation.failure,
        [e.body for e in rooms.operations.log(operation.id)],
    )
    return operation

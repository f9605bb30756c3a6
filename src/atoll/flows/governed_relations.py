"""What a statement may read: the relations it names, at the versions its project was granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atoll.access import grants
from atoll.flows import read_lake
from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset, TableState
from atoll.model.grant import Grant, TableGrant
from atoll.model.query import Relation
from atoll.model.table import Column


@dataclass(frozen=True)
class Governed:
    """The relations a statement names, and the dataset versions they are of."""

    relations: tuple[Relation, ...]
    #: `<dataset>@<number>`, in order.
    versions: tuple[str, ...]

    @property
    def scanned_bytes(self) -> Mapping[str, int]:
        """Bytes of the data files, by dataset."""
        found: dict[str, int] = {}
        for relation in self.relations:
            size_bytes = sum(file.size_bytes for file in relation.files)
            found[relation.dataset] = found.get(relation.dataset, 0) + size_bytes
        return found


@dataclass(frozen=True)
class _Granted:
    version: str
    state: TableState
    part: TableGrant


def governed_relations(rooms: Rooms, project: str, sql: str) -> Governed:
    """Check the statement against the project's grants and plan the tables it names.

    Raises `StatementRefused` for anything but one SELECT over granted tables.
    """
    granted = _granted(rooms, project)
    named = sorted(granted)
    relations = tuple(_relation(rooms, dataset, table, granted[dataset, table]) for dataset, table in named)
    versions = sorted({granted[name].version for name in named})
    return Governed(relations, tuple(versions))


def _granted(rooms: Rooms, project: str) -> dict[tuple[str, str], _Granted]:
    """Every table that the project's standing grants name, at the newest version."""
    found: dict[tuple[str, str], _Granted] = {}
    for grant in grants.in_force(rooms.records, project, rooms.clock.now()):
        version = read_lake.latest_version(rooms, rooms.records.get(Dataset, grant.dataset))
        if version is None:
            continue
        for state in version.tables:
            part = _part(grant, state.table)
            if part is not None:
                found[grant.dataset, state.table] = _Granted(version.id, state, part)
    return found


def _part(grant: Grant, table: str) -> TableGrant | None:
    if grant.tables is None:
        return TableGrant(table=table)
    return next((part for part in grant.tables if part.table == table), None)


def _relation(rooms: Rooms, dataset: str, table: str, granted: _Granted) -> Relation:
    plan = rooms.lake.plan(dataset, table, granted.state.snapshot_id)
    allowed = granted.part.columns
    columns: tuple[Column, ...] = tuple(c for c in plan.columns if allowed is None or c.name in allowed)
    return Relation(
        dataset=dataset,
        table=table,
        snapshot_id=plan.snapshot_id,
        columns=columns,
        row_filter=granted.part.row_filter,
        files=plan.files,
    )

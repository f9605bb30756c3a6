"""What a statement may read: the relations it could name, at the versions its project was granted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from atoll.access import grants
from atoll.errors import NotFound, StatementRefused
from atoll.flows import read_lake
from atoll.flows.rooms import Rooms
from atoll.model.dataset import DatasetVersion, TableState
from atoll.model.grant import Grant, TableGrant
from atoll.model.person import PLATFORM
from atoll.model.query import Relation, TablePoint
from atoll.query import may_name, may_travel


@dataclass(frozen=True)
class Governed:
    """The granted relations that a statement could name.

    Attributes:
        relations: planned, with the granted columns and row filter.
        grants: id of the grant by dataset.
        names: every table that is granted, as `dataset.table`.
    """

    relations: tuple[Relation, ...]
    grants: Mapping[str, str]
    names: tuple[str, ...]

    def versions_of(self, relations: Iterable[Relation]) -> tuple[str, ...]:
        """The dataset versions that these relations are of, in order."""
        return tuple(sorted({relation.version for relation in relations}))

    def grants_of(self, relations: Iterable[Relation]) -> tuple[str, ...]:
        """The grants that let these relations be read, in order."""
        return tuple(sorted({self.grants[relation.dataset] for relation in relations}))


def governed_relations(rooms: Rooms, project: str, sql: str) -> Governed:
    """Plan what the project's standing grants name and the statement's text could mean.

    Of each dataset the version is read that the grant is pinned to, or the newest; another that stands, where the
    statement asks for it by AT and the grant is not pinned. Whether the statement may run is for
    the engine's guard to say; this only spares the planning of tables it cannot name.
    Raises `StatementRefused` when it could name a table of a pinned version that is gone, or names one at a
    version that cannot be read.
    """
    relations: list[Relation] = []
    given: dict[str, str] = {}
    names: list[str] = []
    granted = grants.in_force(rooms.records, project, rooms.clock.now())
    for grant in granted:
        version = read_lake.granted_version(rooms, grant)
        if version is None:
            _check_pinned(rooms, grant, sql)
            continue
        given[grant.dataset] = grant.id
        names += [f"{grant.dataset}.{s.table}" for s in version.tables if part_of(grant, s.table) is not None]
        relations.extend(relation_of(rooms, version, state, part, sql) for state, part in _named(grant, version, sql))
    if may_travel(sql):
        relations += travelled_relations(rooms, granted, rooms.engine.points(sql), sql)
    return Governed(tuple(relations), given, tuple(names))


def scanned_bytes(relations: Iterable[Relation]) -> Mapping[str, int]:
    """Bytes of the data files of relations, by dataset."""
    found: dict[str, int] = {}
    for relation in relations:
        size_bytes = sum(file.size_bytes for file in relation.files)
        found[relation.dataset] = found.get(relation.dataset, 0) + size_bytes
    return found


def _named(grant: Grant, version: DatasetVersion, sql: str) -> Iterable[tuple[TableState, TableGrant]]:
    for state in version.tables:
        part = part_of(grant, state.table)
        if part is not None and may_name(sql, grant.dataset, state.table):
            yield state, part


def _check_pinned(rooms: Rooms, grant: Grant, sql: str) -> None:
    """The project knows its grant, so it may be told why there is nothing to read. Raises `StatementRefused`."""
    if grant.pinned is None:
        return
    gone = rooms.records.get(DatasetVersion, f"{grant.dataset}@{grant.pinned}")
    if any(part_of(grant, s.table) and may_name(sql, grant.dataset, s.table) for s in gone.tables):
        raise StatementRefused(
            "The version that the project's grant is pinned to can be read no more.",
            where=f"dataset/{gone.id}, grant/{grant.id}",
            todo="Ask for a grant to the newest version, or to one that stands.",
        )


def travelled_relations(
    rooms: Rooms, granted: Iterable[Grant], points: Iterable[TablePoint], sql: str
) -> Iterable[Relation]:
    """The granted tables that a statement names at versions; what is not granted is left for the guard to refuse.

    A grant that is pinned shows its version and no other. Raises `StatementRefused` for a version that the
    project cannot read.
    """
    by_dataset = {grant.dataset.lower(): grant for grant in granted}
    for point in points:
        grant = by_dataset.get(point.dataset)
        if grant is None:
            continue
        version = _version_at(rooms, grant, point.at)
        for state in version.tables:
            part = part_of(grant, state.table)
            if part is not None and state.table.lower() == point.table:
                yield relation_of(rooms, version, state, part, sql, point.at)


def _version_at(rooms: Rooms, grant: Grant, at: str) -> DatasetVersion:
    try:
        if at.isdigit():
            version = read_lake.version(rooms, PLATFORM, grant.dataset, int(at))
        else:
            version = read_lake.version_at(rooms, PLATFORM, grant.dataset, datetime.fromisoformat(at))
    except NotFound:
        raise StatementRefused(
            "The dataset had no version then." if not at.isdigit() else f"The dataset has no version {at}.",
            where=f"dataset/{grant.dataset}",
            todo="`atoll dataset versions` lists them.",
        ) from None
    if grant.pinned is not None and version.number != grant.pinned:
        raise StatementRefused(
            f"The project's grant is pinned to version {grant.pinned}, and shows no other.",
            where=f"dataset/{grant.dataset}, grant/{grant.id}",
            todo="Ask for a grant to the dataset that is not pinned.",
        )
    if not version.live:
        raise StatementRefused(
            f"Version {version.number} has expired and can be read no more.",
            where=f"dataset/{version.id}",
            todo="`atoll dataset retention` lists those that stand.",
        )
    return version


def part_of(grant: Grant, table: str) -> TableGrant | None:
    """The part of a table that the grant gives, None when it gives nothing of it."""
    if grant.tables is None:
        return TableGrant(table=table)
    return next((part for part in grant.tables if part.table == table), None)


def relation_of(
    rooms: Rooms, version: DatasetVersion, state: TableState, part: TableGrant, sql: str = "", at: str = ""
) -> Relation:
    """The granted part of a table at a version, planned; with bounds of the columns that could rule files out.

    Those are the ones that stand in `sql` or in the row filter.
    """
    plan = rooms.lake.known_plan(version.dataset, state.table, state.snapshot_id)
    text = f"{sql} {part.row_filter or ''}".lower()
    bounded = [c for c in plan.columns if c.name.lower() in text] if len(plan.files) > 1 else []
    return Relation(
        dataset=version.dataset,
        table=state.table,
        snapshot_id=plan.snapshot_id,
        columns=tuple(c for c in plan.columns if part.columns is None or c.name in part.columns),
        row_filter=part.row_filter,
        files=plan.files,
        bounded=tuple((column.name, column.type) for column in bounded),
        bounds={c.name: tuple(file.bounds.get(c.name) for file in plan.files) for c in bounded},
        version=version.id,
        at=at,
    )

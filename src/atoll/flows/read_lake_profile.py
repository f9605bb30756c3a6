"""Profiles: safe figures of each table of a version, computed apart from admission and kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from atoll.deid import parse_contract, table_schema
from atoll.errors import AtollError, NotFound, Unavailable, VersionConflict
from atoll.flows import read_lake
from atoll.flows.governed_relations import relation_of
from atoll.flows.rooms import Rooms
from atoll.lake import profiles
from atoll.model.catalog import ColumnProfile, DatasetProfile, ProfileState, ProfileWish, TableProfile
from atoll.model.contract import ContractVersion
from atoll.model.dataset import Dataset, DatasetVersion, TableState
from atoll.model.grant import TableGrant
from atoll.model.person import Caller
from atoll.model.query import QueryLimits, Relation
from atoll.model.table import Column
from atoll.ports.records import Delete, every

log = logging.getLogger(__name__)

#: A profile is made in the background, so it may take its time.
_SECONDS = 1800.0
_MAX_ROWS = 100_000


def show_profile(rooms: Rooms, caller: Caller, name: str, number: int | None = None) -> DatasetProfile:
    """The profile of a version (None: the newest), as far as it is computed; what lacks is computed soon.

    Raises `NotFound` for an unknown dataset or version, and before the first commit.
    """
    version = read_lake.version(rooms, caller, name, number)
    found, missing = [], []
    for state in version.tables:
        kept = _kept(rooms, version.dataset, state)
        if kept is None:
            missing.append(state.table)
        else:
            found.append(kept)
    if missing:
        _wish(rooms, version)
    return DatasetProfile(
        dataset=version.dataset,
        version=version.id,
        number=version.number,
        state=ProfileState.PENDING if missing else ProfileState.READY,
        tables=tuple(found),
        missing=tuple(missing),
    )


def profile_datasets(rooms: Rooms) -> int:
    """Compute what lacks, of newest versions and of those somebody asked for; how many tables."""
    count = 0
    for dataset in every(rooms.records, Dataset):
        newest = read_lake.latest_version(rooms, dataset)
        if newest is not None:
            count += _compute_missing(rooms, newest)
    for wish in every(rooms.records, ProfileWish):
        count += _compute_missing(rooms, rooms.records.get(DatasetVersion, wish.id))
        try:
            rooms.records.transact([Delete(wish)])
        except VersionConflict:
            continue
    return count


def _compute_missing(rooms: Rooms, version: DatasetVersion) -> int:
    count = 0
    for state in version.tables:
        if _kept(rooms, version.dataset, state) is None:
            try:
                rooms.records.put(_compute(rooms, version, state))
            except VersionConflict:
                continue  # another process was faster
            count += 1
    return count


def _compute(rooms: Rooms, version: DatasetVersion, state: TableState) -> TableProfile:
    """The table's profile. Raises `Unavailable` when no engine is free now; another failure is kept."""
    began = time.monotonic()
    subject = subject_of(rooms, version.contract, state)
    columns: tuple[ColumnProfile, ...] = ()
    failure = ""
    try:
        relation = relation_of(rooms, version, state, TableGrant(table=state.table))
        for piece in profiles.in_pieces(state.columns):
            columns += _profiled(rooms, relation, piece, subject)
    except Unavailable:
        raise
    except AtollError as error:
        log.warning(
            "A table could not be profiled.",
            extra={"fields": {"table": f"{version.dataset}.{state.table}", "error_code": error.code}},
        )
        columns, failure = (), error.code
    return TableProfile(
        id=_id(version.dataset, state),
        dataset=version.dataset,
        table=state.table,
        snapshot_id=state.snapshot_id,
        rows=state.rows,
        counted_by=subject,
        columns=columns,
        computed_at=rooms.clock.now(),
        seconds=round(time.monotonic() - began, 3),
        failure=failure,
    )


def _profiled(
    rooms: Rooms, relation: Relation, columns: Sequence[Column], subject: str | None
) -> tuple[ColumnProfile, ...]:
    name = f'"{relation.dataset}"."{relation.table}"'
    counts = profiles.counted(columns, _ask(rooms, relation, profiles.counts_sql(name, columns, subject))[0])
    measured = profiles.measured(columns)
    reached: dict[str, profiles.Range] = {}
    if measured:
        row = _ask(rooms, relation, profiles.ranges_sql(name, measured, subject))[0]
        reached = profiles.ranges(measured, row)
    listed = profiles.listable(columns, counts)
    binned = [(column, reached[column.name]) for column in measured if column.name in reached]
    cells: dict[str, list[tuple[str, str, int, int]]] = {}
    if listed or binned:
        for kind, column, cell, rows, subjects in _ask(
            rooms, relation, profiles.cells_sql(name, listed, binned, subject)
        ):
            cells.setdefault(column, []).append((kind, cell, rows, subjects))
    return tuple(profiles.profile(c, counts[c.name], reached.get(c.name), cells.get(c.name, ())) for c in columns)


def _ask(rooms: Rooms, relation: Relation, sql: str) -> list[tuple[Any, ...]]:
    limits = QueryLimits(
        memory_bytes=rooms.settings.query_memory_bytes, seconds=_SECONDS, max_rows=_MAX_ROWS, threads=1
    )
    rows: list[tuple[Any, ...]] = []
    with rooms.engine.run(sql, [relation], limits) as running:
        for batch in running:
            rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return rows


def subject_of(rooms: Rooms, contract_id: str, state: TableState) -> str | None:
    """The lake column that says whom a row is about, by the contract; None where none does."""
    try:
        contract = parse_contract(rooms.records.get(ContractVersion, contract_id).text)
    except NotFound:
        return None
    table = contract.tables.get(state.table)
    if table is None or table.subject is None:
        return None
    source = table.columns[table.subject].path or table.subject
    entering = table_schema(contract, state.table).columns
    name = next((column.name for column in entering if column.source_column == source), None)
    return name if name in {column.name for column in state.columns} else None


def _kept(rooms: Rooms, dataset: str, state: TableState) -> TableProfile | None:
    try:
        return rooms.records.get(TableProfile, _id(dataset, state))
    except NotFound:
        return None


def _wish(rooms: Rooms, version: DatasetVersion) -> None:
    try:
        rooms.records.put(ProfileWish(id=version.id, asked_at=rooms.clock.now()))
    except VersionConflict:
        return  # somebody wished it already


def _id(dataset: str, state: TableState) -> str:
    return f"{dataset}.{state.table}@{state.snapshot_id}"

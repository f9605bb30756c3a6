"""Rows of some data files of a table written anew, and the proof that they are the same rows."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.deid import parse_contract
from atoll.errors import NotFound
from atoll.flows.rooms import Rooms
from atoll.lake import LaidOut, Upkeep, in_groups
from atoll.model.contract import ContractVersion
from atoll.model.dataset import DatasetVersion, TableState
from atoll.model.query import QueryLimits, Relation
from atoll.model.table import DataFile, Layout, StagedFile, TableSchema
from atoll.operations import StepContext

#: Whole tables are written, not an answer for somebody who waits.
_SECONDS = 12 * 3600.0
#: Of the engine's memory, what the files may have that are sorted together: compressed files
#: grow in memory, and the engine may spill four times its memory.
_GROUP_PART = 2


@dataclass(frozen=True)
class Checksum:
    """What some rows are, whatever files they lie in and in whatever order.

    Attributes:
        content: sum of a 64-bit hash of each row over all its columns, as a decimal number.
    """

    rows: int
    content: str


def layout_of(rooms: Rooms, version: DatasetVersion, table: str) -> Layout:
    """What the version's contract says of the table, as far as the table has the columns."""
    try:
        contract = parse_contract(rooms.records.get(ContractVersion, version.contract).text)
    except NotFound:
        return Layout()
    said = contract.tables.get(table)
    return Layout() if said is None else said.layout


def file_bytes(rooms: Rooms, layout: Layout) -> int:
    """What a file of the table should have."""
    return layout.file_bytes or rooms.settings.lake_file_bytes


def lay_out(
    rooms: Rooms,
    context: StepContext,
    version: DatasetVersion,
    state: TableState,
    files: Sequence[DataFile],
    turn: tuple[int, int],
    where: str | None = None,
) -> list[StagedFile]:
    """The files' rows (those that meet the SQL predicate `where`) in files of the operation's own.

    Nothing refers to them yet. What an earlier try wrote is written over. `turn`: number
    of this table of how many, for the progress.
    """
    layout = layout_of(rooms, version, state.table)
    place = Upkeep(rooms.lake).place(version.dataset, state.table, context.operation.id)
    shutil.rmtree(place, ignore_errors=True)
    order = [name for name in (*layout.partition, *layout.sort) if name in {c.name for c in state.columns}]
    wanted = file_bytes(rooms, layout)
    sorted_together = max(wanted, rooms.settings.query_memory_bytes // _GROUP_PART)
    whole = sum(file.rows for file in files) or 1
    done = 0
    written: list[StagedFile] = []
    for group in in_groups(files, sorted_together):
        out = LaidOut(
            version.dataset,
            state.table,
            state.columns,
            place,
            file_bytes=wanted,
            partition=layout.partition,
            first=len(written),
        )
        statement = _select(version.dataset, state, order, where)
        relation = _relation(version.dataset, state, group)
        with rooms.engine.run(statement, (relation,), _limits(rooms, relation)) as run:
            for batch in run:
                out.add(batch)
                done += batch.num_rows
                context.progress((turn[0] + min(done / whole, 1.0)) / turn[1])
        out.close()
        written += out.files
    return written


def checksum(
    rooms: Rooms, dataset: str, state: TableState, files: Sequence[DataFile], where: str | None = None
) -> Checksum:
    """What the rows of the files (those that meet `where`) are."""
    rows = 0
    content = 0
    columns = ", ".join(_quoted(column.name) for column in state.columns)
    statement = (
        f"SELECT count(*) AS n, CAST(coalesce(sum(CAST(hash({columns}) AS HUGEINT)), 0) AS VARCHAR) AS h "  # noqa: S608
        f"FROM {_quoted(dataset)}.{_quoted(state.table)}" + (f" WHERE {where}" if where else "")
    )
    for group in in_groups(files, rooms.settings.query_memory_bytes):
        relation = _relation(dataset, state, group)
        with rooms.engine.run(statement, (relation,), _limits(rooms, relation)) as run:
            for batch in run:
                for row in batch.to_pylist():
                    rows += int(row["n"])
                    content += int(row["h"])
    return Checksum(rows, str(content))


def as_data(files: Sequence[StagedFile]) -> tuple[DataFile, ...]:
    """Staged files as the engine reads data files: they have every column."""
    return tuple(DataFile(path=f.path, rows=f.rows, size_bytes=f.size_bytes, lacks=()) for f in files)


def schema_of(dataset: str, state: TableState) -> TableSchema:
    """The schema of a table as it is at a version."""
    return TableSchema(dataset=dataset, table=state.table, columns=state.columns, description=state.description)


def _select(dataset: str, state: TableState, order: Sequence[str], where: str | None) -> str:
    columns = ", ".join(_quoted(column.name) for column in state.columns)
    statement = f"SELECT {columns} FROM {_quoted(dataset)}.{_quoted(state.table)}"  # noqa: S608
    if where:
        statement += f" WHERE {where}"
    if order:
        statement += " ORDER BY " + ", ".join(f"{_quoted(name)} NULLS FIRST" for name in order)
    return statement


def _relation(dataset: str, state: TableState, files: Sequence[DataFile]) -> Relation:
    return Relation(
        dataset=dataset,
        table=state.table,
        snapshot_id=state.snapshot_id,
        columns=state.columns,
        row_filter=None,
        files=tuple(files),
    )


def _limits(rooms: Rooms, relation: Relation) -> QueryLimits:
    return QueryLimits(
        memory_bytes=rooms.settings.query_memory_bytes,
        seconds=_SECONDS,
        max_rows=max(1, sum(file.rows for file in relation.files)),
        threads=rooms.settings.query_threads,
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

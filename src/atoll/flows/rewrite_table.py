"""Rows of some data files of a table written anew, and the proof that they are the same rows."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Cut:
    """What a rewriting leaves out, by column and the texts that its values begin with.

    Attributes:
        removed: rows with such a value are left out.
        blanked: such values become NULL in the rows that stay.
    """

    removed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    blanked: Mapping[str, Sequence[str]] = field(default_factory=dict)


#: Every row as it is.
WHOLE = Cut()


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
    cut: Cut = WHOLE,
) -> list[StagedFile]:
    """The files' rows, as the cut leaves them, in files of the operation's own.

    Nothing refers to them yet: not to be called once they are committed. What an earlier
    try wrote is written over. `turn`: number
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
        statement = _select(version.dataset, state, order, cut)
        relation = _relation(version.dataset, state, group)
        with rooms.engine.run(statement, (relation,), _limits(rooms, relation)) as run:
            for batch in run:
                out.add(batch)
                done += batch.num_rows
                context.progress((turn[0] + min(done / whole, 1.0)) / turn[1])
        out.close()
        written += out.files
    return written


def checksum(rooms: Rooms, dataset: str, state: TableState, files: Sequence[DataFile], cut: Cut = WHOLE) -> Checksum:
    """What the rows of the files are, as the cut leaves them."""
    rows = 0
    content = 0
    columns = ", ".join(_told(column.name, cut) for column in state.columns)
    statement = (
        f"SELECT count(*) AS n, CAST(coalesce(sum(CAST(hash({columns}) AS HUGEINT)), 0) AS VARCHAR) AS h "  # noqa: S608
        f"FROM {_quoted(dataset)}.{_quoted(state.table)}{_left(cut)}"
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


def _select(dataset: str, state: TableState, order: Sequence[str], cut: Cut) -> str:
    columns = ", ".join(f"{_told(c.name, cut)} AS {_quoted(c.name)}" for c in state.columns)
    statement = f"SELECT {columns} FROM {_quoted(dataset)}.{_quoted(state.table)}{_left(cut)}"  # noqa: S608
    if order:
        statement += " ORDER BY " + ", ".join(f"{_quoted(name)} NULLS FIRST" for name in order)
    return statement


def _told(column: str, cut: Cut) -> str:
    """The column's value, NULL where the cut blanks it."""
    texts = cut.blanked.get(column, ())
    return f"CASE WHEN {_begins(column, texts)} THEN NULL ELSE {_quoted(column)} END" if texts else _quoted(column)


def _left(cut: Cut) -> str:
    """The rows that the cut leaves."""
    gone = " OR ".join(_begins(column, texts) for column, texts in sorted(cut.removed.items()))
    return f" WHERE ({gone}) IS NOT TRUE" if gone else ""


def _begins(column: str, texts: Sequence[str]) -> str:
    return "(" + " OR ".join(f"starts_with({_quoted(column)}, {_literal(text)})" for text in texts) + ")"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


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

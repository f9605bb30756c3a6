"""Small files of a dataset's tables become few large ones, laid out as the contract says.

Rows stay what they are, which is proven by count and checksum before anything takes
effect; then one snapshot for each table and a new version of the dataset bind the new
files. Older versions, and whoever reads them, keep the old files until they expire.
Killed anywhere and run again, each step gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.errors import Conflict
from atoll.flows import bind_version, dataset_locks, read_lake, rewrite_table
from atoll.flows.rooms import Rooms
from atoll.lake import Upkeep, rewritable
from atoll.model.dataset import Dataset, DatasetVersion, MadeBy, TableState
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Failure, Operation
from atoll.model.person import Caller
from atoll.model.table import DataFile, StagedFile
from atoll.operations import StepContext, Story
from atoll.ports.records import Put

STORY = "compact_dataset"
STEPS = ("plan", "rewrite", "prove", "commit")
_DEADLINE_SECONDS = 2 * 86_400.0


def ask(rooms: Rooms, caller: Caller, dataset: str, *, whole: bool = False) -> Operation:
    """Have the dataset compacted; with `whole` files that are large enough are laid out anew, too.

    Raises `NotFound`, and `AlreadyExists` when that is under way.
    """
    permissions.require(caller, Scope.DATASETS_MAINTAIN)
    rooms.records.get(Dataset, dataset)
    return begin(rooms, caller, dataset, whole=whole)


def begin(rooms: Rooms, caller: Caller, dataset: str, *, whole: bool = False) -> Operation:
    """Queue it."""
    operation = rooms.operations.plan(
        story=STORY,
        subject=f"dataset/{dataset}/compaction",
        steps=STEPS,
        caller=caller,
        deadline_seconds=_DEADLINE_SECONDS,
        params={"dataset": dataset, "whole": whole},
    )
    event = AuditEvent(
        action="dataset.compact",
        target=f"dataset/{dataset}",
        caller=caller,
        because=f"operation/{operation.id}",
        details={"whole": whole},
    )
    rooms.audit.record(event, Put(operation))
    rooms.operations.woken.set()
    return rooms.operations.get(operation.id)


def story(rooms: Rooms) -> Story:
    """The story for the runner."""
    return Story(
        name=STORY,
        steps=(
            ("plan", partial(plan, rooms)),
            ("rewrite", partial(rewrite, rooms)),
            ("prove", partial(prove, rooms)),
            ("commit", partial(commit, rooms)),
        ),
        abandon=partial(abandon, rooms),
    )


def worth_it(rooms: Rooms, version: DatasetVersion, state: TableState, *, whole: bool = False) -> tuple[DataFile, ...]:
    """The files of a table that compaction would replace; none when it would not pay."""
    files = rooms.lake.known_plan(version.dataset, state.table, state.snapshot_id).files
    return rewritable(files, _wanted(rooms, version, state), least_files=rooms.settings.compact_files or 2, whole=whole)


def plan(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """The newest version, and its tables that are worth it; the files follow from these."""
    name = _name(context)
    dataset_locks.hold_upkeep(rooms, context, name)
    newest = read_lake.latest_version(rooms, rooms.records.get(Dataset, name))
    if newest is None:
        return {"version": None, "tables": {}}
    whole = bool(context.operation.params["whole"])
    worth = [state for state in newest.tables if worth_it(rooms, newest, state, whole=whole)]
    # On record, so that the same files are chosen again whatever the settings have become.
    tables = {state.table: _wanted(rooms, newest, state) for state in worth}
    context.say("Tables to compact were chosen.", version=newest.id, tables=len(tables))
    return {"version": newest.id, "tables": tables}


def rewrite(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """The rows of the chosen files in new ones, which nothing refers to yet."""
    tables: dict[str, Any] = {}
    chosen = list(_chosen(rooms, context))
    for number, (version, state, gone) in enumerate(chosen):
        came = rewrite_table.lay_out(rooms, context, version, state, gone, (number, len(chosen)))
        tables[state.table] = {"files": [file.model_dump(mode="json") for file in came], "replaced": len(gone)}
        context.say(f"Table {state.table} is rewritten.", files_before=len(gone), files_after=len(came))
    return {"tables": tables}


def prove(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """The new files hold the rows of the old ones, each as often. Raises `Conflict` when they do not."""
    proven: dict[str, Any] = {}
    for version, state, gone in _chosen(rooms, context):
        context.check()
        before = rewrite_table.checksum(rooms, version.dataset, state, gone)
        after = rewrite_table.checksum(rooms, version.dataset, state, rewrite_table.as_data(_came(context, state)))
        if before != after:
            raise Conflict(
                f"The rewritten files have {after.rows} rows and checksum {after.content}, the files they would "
                f"replace {before.rows} and {before.content}. Nothing was changed.",
                where=f"{version.dataset}.{state.table}",
                todo="Look at the disk; start the compaction again.",
            )
        proven[state.table] = {"rows": after.rows, "checksum": after.content}
        context.say(f"Table {state.table} holds the same rows.", rows=after.rows, checksum=after.content)
    return {"tables": proven}


def commit(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """One snapshot for each table, bound together in one version; readers go by versions."""
    chosen = list(_chosen(rooms, context))
    if not chosen:
        context.say("Nothing was worth compacting.")
        return {"version": None}
    name = _name(context)
    lock = dataset_locks.hold_commit(rooms, context, name)
    states: dict[str, TableState] = {}
    for version, state, gone in chosen:
        schema = rewrite_table.schema_of(version.dataset, state)
        paths = [file.path for file in gone]
        states[state.table] = Upkeep(rooms.lake).replace(
            schema, paths, _came(context, state), job=context.operation.id, kind=MadeBy.COMPACTION
        )
    made = bind_version.bind(rooms, context.operation, name, states, MadeBy.COMPACTION, lock, {})
    context.say("Committed.", version=made.id)
    return {"version": made.number}


def abandon(rooms: Rooms, context: StepContext, failure: Failure) -> None:
    """What did not take effect is removed; what did holds the same rows, and is bound."""
    name = _name(context)
    states: dict[str, TableState] = {}
    upkeep = Upkeep(rooms.lake)
    for state in _newest_tables(rooms, name):
        landed = upkeep.rewritten(name, state.table, context.operation.id)
        if landed is not None:
            states[state.table] = landed
        else:
            upkeep.forget(name, state.table, context.operation.id)
    if states:
        # The lock is this operation's: it was held when the first snapshot was made.
        lock = rooms.locks.acquire(dataset_locks.commit_lock(name), context.operation.id)
        if lock is not None:
            bind_version.bind(rooms, context.operation, name, states, MadeBy.COMPACTION, lock, {})
    rooms.locks.release(dataset_locks.commit_lock(name), context.operation.id)
    rooms.audit.record(bind_version.failed(context.operation, name, failure))


def _chosen(rooms: Rooms, context: StepContext) -> Iterator[tuple[DatasetVersion, TableState, tuple[DataFile, ...]]]:
    """What `plan` chose. The files of a snapshot never change, so they need not be on record."""
    planned = context.output("plan")
    if planned["version"] is None:
        return
    version = rooms.records.get(DatasetVersion, planned["version"])
    whole = bool(context.operation.params["whole"])
    for state in version.tables:
        if state.table in planned["tables"]:
            files = rooms.lake.known_plan(version.dataset, state.table, state.snapshot_id).files
            yield version, state, rewritable(files, planned["tables"][state.table], least_files=2, whole=whole)


def _wanted(rooms: Rooms, version: DatasetVersion, state: TableState) -> int:
    return rewrite_table.file_bytes(rooms, rewrite_table.layout_of(rooms, version, state.table))


def _came(context: StepContext, state: TableState) -> list[StagedFile]:
    return [StagedFile.model_validate(file) for file in context.output("rewrite")["tables"][state.table]["files"]]


def _newest_tables(rooms: Rooms, name: str) -> tuple[TableState, ...]:
    newest = read_lake.latest_version(rooms, rooms.records.get(Dataset, name))
    return () if newest is None else newest.tables


def _name(context: StepContext) -> str:
    return str(context.operation.params["dataset"])

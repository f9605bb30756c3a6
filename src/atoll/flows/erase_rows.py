"""A person's rows are taken out of one dataset, and every version that held them ceases to be readable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from atoll.deid import PersonColumns, parse_contract, person_columns
from atoll.errors import Conflict
from atoll.flows import bind_version, dataset_locks, read_lake, rewrite_table
from atoll.flows.rewrite_table import Cut
from atoll.flows.rooms import Rooms
from atoll.lake import Upkeep
from atoll.model.contract import ContractVersion
from atoll.model.dataset import Dataset, DatasetVersion, MadeBy, TableState
from atoll.model.erasure import ErasedRows
from atoll.operations import StepContext
from atoll.ports.records import every


def cuts(rooms: Rooms, dataset: str, domain: str, digits: Sequence[str]) -> dict[str, Cut]:
    """By table, what leaves the person out, by every contract that the dataset ever had.

    A person is named by the first of the `digits`, however many a column shows.
    """
    found: dict[str, Cut] = {}
    for published in every(rooms.records, ContractVersion, {"dataset": dataset}):
        for table, columns in person_columns(parse_contract(published.text), domain).items():
            known = found.get(table, Cut())
            removed = {**known.removed, **_texts(columns.about, digits)}
            blanked = {**known.blanked, **_texts(columns.mentions, digits)}
            # What a row was about under one contract, it is about.
            found[table] = Cut(removed, {name: texts for name, texts in blanked.items() if name not in removed})
    return found


def prefixes(rooms: Rooms, domain: str) -> frozenset[str]:
    """What pseudonyms of the domain begin with, in any table of any contract."""
    found: set[str] = set()
    for published in every(rooms.records, ContractVersion):
        for columns in person_columns(parse_contract(published.text), domain).values():
            found.update(prefix for prefix, _ in _all(columns).values())
    return frozenset(found)


def erase(rooms: Rooms, context: StepContext, name: str, cut: Mapping[str, Cut]) -> tuple[ErasedRows, ...]:
    """A version without the person, where the newest holds them; what it left out, by table.

    The commit lock is held throughout, so that no delivery brings rows that nobody looked for.
    """
    dataset_locks.hold_upkeep(rooms, context, name)
    made = bind_version.made_by_operation(rooms, name, context.operation)
    if made is None:
        lock = dataset_locks.hold_commit(rooms, context, name)
        newest = read_lake.latest_version(rooms, rooms.records.get(Dataset, name))
        states = {} if newest is None else dict(_rewritten(rooms, context, newest, cut))
        if not states:
            rooms.locks.release(lock.id, context.operation.id)
            return ()
        made = bind_version.bind(rooms, context.operation, name, states, MadeBy.ERASURE, lock, {})
        context.say("A version without the person was committed.", version=made.id)
    before = rooms.records.get(DatasetVersion, f"{name}@{made.number - 1}")
    old = {state.table: state for state in before.tables}
    return tuple(
        ErasedRows(dataset=name, table=s.table, rows=old[s.table].rows - s.rows, version=made.number)
        for s in made.tables
        if s.snapshot_id != old[s.table].snapshot_id
    )


def versions_holding(rooms: Rooms, context: StepContext, name: str, cut: Mapping[str, Cut]) -> list[DatasetVersion]:
    """The versions of the dataset that can be read and hold the person."""
    live = [version for version in every(rooms.records, DatasetVersion, {"dataset": name}) if version.live]
    looked: dict[str, bool] = {}
    return [version for version in live if _holds(rooms, context, version, cut, looked)]


def holding_files(rooms: Rooms, versions: Iterable[DatasetVersion], cut: Mapping[str, Cut]) -> set[str]:
    """Paths of the data files of these versions that hold the person."""
    found: set[str] = set()
    for version in versions:
        for state in _concerned(version, cut):
            paths = set(_paths(rooms, version.dataset, state)) - found
            found |= Upkeep(rooms.lake).holding(paths, _targets(cut[state.table]))
    return found


def search(rooms: Rooms, context: StepContext, name: str, cut: Mapping[str, Cut]) -> int:
    """Look into every data file of every version that can be read; how many. Raises `Conflict` when one holds them."""
    seen: set[str] = set()
    for version in every(rooms.records, DatasetVersion, {"dataset": name}):
        for state in _concerned(version, cut) if version.live else ():
            context.check()
            paths = set(_paths(rooms, name, state)) - seen
            if Upkeep(rooms.lake).holding(paths, _targets(cut[state.table])):
                raise Conflict(
                    "Rows of the person are still, or again, in the dataset.",
                    where=f"dataset/{version.id}, {state.table}",
                    todo="A source may have delivered them anew: speak to it, then ask for the erasure again.",
                )
            seen |= paths
    return len(seen)


def _rewritten(
    rooms: Rooms, context: StepContext, newest: DatasetVersion, cut: Mapping[str, Cut]
) -> Iterator[tuple[str, TableState]]:
    upkeep = Upkeep(rooms.lake)
    concerned = list(_concerned(newest, cut))
    for number, state in enumerate(concerned):
        # Committed before a crash: its files must not be written again.
        done = upkeep.rewritten(newest.dataset, state.table, context.operation.id)
        if done is None:
            done = _without(rooms, context, newest, state, cut[state.table], (number, len(concerned)))
        if done is not None:
            yield state.table, done


def _without(
    rooms: Rooms, context: StepContext, newest: DatasetVersion, state: TableState, cut: Cut, turn: tuple[int, int]
) -> TableState | None:
    """The table with the files that hold the person written anew without them; None where none does."""
    upkeep = Upkeep(rooms.lake)
    files = rooms.lake.plan(newest.dataset, state.table, state.snapshot_id).files
    held = upkeep.holding((file.path for file in files), _targets(cut))
    gone = [file for file in files if file.path in held]
    if not gone:
        return None
    came = rewrite_table.lay_out(rooms, context, newest, state, gone, turn, cut)
    # Both sides are read without the person: what is left must be the same, each row as often.
    before = rewrite_table.checksum(rooms, newest.dataset, state, gone, cut)
    after = rewrite_table.checksum(rooms, newest.dataset, state, rewrite_table.as_data(came))
    if before != after or upkeep.holding((file.path for file in came), _targets(cut)):
        raise Conflict(
            "The rows of others would not have stayed as they are. Nothing was changed.",
            where=f"{newest.dataset}.{state.table}",
            todo="Look at the disk; ask for the erasure again.",
        )
    schema = rewrite_table.schema_of(newest.dataset, state)
    return upkeep.replace(schema, [file.path for file in gone], came, job=context.operation.id, kind=MadeBy.ERASURE)


def _holds(
    rooms: Rooms, context: StepContext, version: DatasetVersion, cut: Mapping[str, Cut], looked: dict[str, bool]
) -> bool:
    for state in _concerned(version, cut):
        context.check()
        paths = list(_paths(rooms, version.dataset, state))
        new = [path for path in paths if path not in looked]
        held = Upkeep(rooms.lake).holding(new, _targets(cut[state.table]))
        looked.update({path: path in held for path in new})
        if any(looked[path] for path in paths):
            return True
    return False


def _concerned(version: DatasetVersion, cut: Mapping[str, Cut]) -> Iterator[TableState]:
    return (state for state in version.tables if state.table in cut)


def _paths(rooms: Rooms, dataset: str, state: TableState) -> Iterator[str]:
    return (file.path for file in rooms.lake.plan(dataset, state.table, state.snapshot_id).files)


def _targets(cut: Cut) -> dict[str, Sequence[str]]:
    return {**cut.blanked, **cut.removed}


def _texts(columns: Mapping[str, tuple[str, int]], digits: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(prefix + one[:length] for one in digits) for name, (prefix, length) in columns.items()}


def _all(columns: PersonColumns) -> dict[str, tuple[str, int]]:
    return {**columns.about, **columns.mentions}

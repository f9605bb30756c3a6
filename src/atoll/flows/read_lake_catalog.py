"""The data catalog: datasets found and described, the quality of deliveries, versions compared."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from atoll.deid import explain, parse_contract, table_schema
from atoll.deid.explain import TableExplanation
from atoll.flows import publish_contract, read_lake, receive_delivery
from atoll.flows.read_lake_profile import subject_of
from atoll.flows.rooms import Rooms
from atoll.lake import comparison
from atoll.model.catalog import (
    CatalogEntry,
    CatalogKind,
    DatasetDescription,
    DatasetDifference,
    DatasetQuality,
    DeliveryQuality,
    DescribedColumn,
    DescribedTable,
)
from atoll.model.contract import Contract
from atoll.model.dataset import Dataset, DatasetVersion, TableState
from atoll.model.delivery import Delivery
from atoll.model.person import Caller, Source
from atoll.ports.records import every


def search(rooms: Rooms, caller: Caller, text: str, *, offset: int = 0, limit: int = 50) -> tuple[CatalogEntry, ...]:
    """Datasets, tables and columns in whose names and words each word of the text stands, upper or lower case.

    Names count first, then words; without text every dataset.
    """
    words = text.casefold().split()
    entries = (entry for dataset in every(rooms.records, Dataset) for entry in _entries(rooms, dataset))
    if not words:
        datasets = (entry for entry in entries if entry.kind is CatalogKind.DATASET)
        return tuple(islice(datasets, offset, offset + limit))
    ranked = ((_rank(entry, words), entry) for entry in entries)
    found = sorted((one for one in ranked if one[0] > 0), key=lambda one: -one[0])
    return tuple(entry for _, entry in found[offset : offset + limit])


def describe(rooms: Rooms, caller: Caller, name: str) -> DatasetDescription:
    """All that is known of a dataset, but its values. Raises `NotFound`."""
    dataset, newest = read_lake.dataset(rooms, caller, name)
    published = publish_contract.latest_or_none(rooms, name)
    contract = None if published is None else parse_contract(published.text)
    told = {} if contract is None else {table.table: table for table in explain(contract).tables}
    states = {} if newest is None else {state.table: state for state in newest.tables}
    tables = []
    for table in sorted(states.keys() | told.keys()):
        state = states.get(table) or _announced(contract, table)
        subject = subject_of(rooms, published.id, state) if published is not None else None
        tables.append(_described(name, state, told.get(table), subject, filled=table in states))
    return DatasetDescription(
        name=name,
        title=dataset.title,
        description=dataset.description,
        owner=dataset.owner,
        latest=dataset.latest,
        committed_at=None if newest is None else newest.committed_at,
        contract=None if published is None else published.id,
        sources=tuple(sorted(s.name for s in every(rooms.records, Source) if s.active and name in s.datasets)),
        tables=tuple(tables),
    )


def quality(rooms: Rooms, caller: Caller, name: str, limit: int = 20) -> DatasetQuality:
    """What became of the last deliveries, newest first. Raises `NotFound`."""
    rooms.records.get(Dataset, name)
    page = rooms.records.find(Delivery, where={"dataset": name}, limit=limit, newest_first=True)
    return DatasetQuality(dataset=name, deliveries=tuple(_quality(rooms, delivery) for delivery in page.records))


def difference(rooms: Rooms, caller: Caller, name: str, before: int, after: int) -> DatasetDifference:
    """How two versions differ: rows by data files, and columns. Raises `NotFound`."""
    old, new = (read_lake.version(rooms, caller, name, number) for number in (before, after))
    low, high = sorted((old.number, new.number))
    between = [rooms.records.get(DatasetVersion, f"{name}@{number}") for number in range(low, high + 1)]
    way = between if old.number == low else between[::-1]
    states = [{state.table: state for state in version.tables} for version in way]
    return DatasetDifference(
        dataset=name,
        before=old.id,
        after=new.id,
        contract_before=old.contract,
        contract_after=new.contract,
        deliveries=tuple(version.delivery for version in between[1:] if version.delivery),
        tables=tuple(
            comparison.compared(table, [at.get(table) for at in states])
            for table in sorted(states[0].keys() | states[-1].keys())
        ),
    )


def _entries(rooms: Rooms, dataset: Dataset) -> Iterator[CatalogEntry]:
    newest = read_lake.latest_version(rooms, dataset)
    common = {"dataset": dataset.id, "title": dataset.title, "owner": dataset.owner, "latest": dataset.latest}
    tables = () if newest is None else newest.tables
    yield CatalogEntry(
        kind=CatalogKind.DATASET,
        description=dataset.description,
        rows=None if newest is None else sum(state.rows for state in tables),
        **common,
    )
    for state in tables:
        yield CatalogEntry(
            kind=CatalogKind.TABLE, table=state.table, description=state.description, rows=state.rows, **common
        )
        for column in state.columns:
            yield CatalogEntry(
                kind=CatalogKind.COLUMN,
                table=state.table,
                column=column.name,
                description=column.description,
                type=column.type,
                unit=column.unit,
                treatment=column.treatment,
                **common,
            )


def _rank(entry: CatalogEntry, words: list[str]) -> int:
    """0 when a word is nowhere; the more the nearer to the thing's own name."""
    own = (entry.column or entry.table or entry.dataset).casefold()
    named = " ".join(filter(None, (entry.dataset, entry.table, entry.column))).casefold()
    if entry.kind is CatalogKind.DATASET:
        named += f" {entry.title} {entry.owner}".casefold()
    told = f"{entry.description} {entry.unit or ''} {entry.treatment or ''}".casefold()
    rank = 0
    near = False
    for word in words:
        if word in own:
            rank += 30 if word == own else 20
            near = True
        elif word in told:
            rank += 5
            near = True
        elif word in named:
            rank += 2
        else:
            return 0
    # A thing of which only the names above it match says nothing new.
    wide = {CatalogKind.DATASET: 3, CatalogKind.TABLE: 2, CatalogKind.COLUMN: 1}[entry.kind]
    return rank + wide if near or entry.kind is CatalogKind.DATASET else 0


def _announced(contract: Contract | None, table: str) -> TableState:
    assert contract is not None
    schema = table_schema(contract, table)
    return TableState(
        table=table,
        snapshot_id=0,
        rows=0,
        size_bytes=0,
        files=0,
        columns=schema.columns,
        description=schema.description,
    )


def _described(
    dataset: str, state: TableState, told: TableExplanation | None, subject: str | None, *, filled: bool
) -> DescribedTable:
    rules = {} if told is None else {column.lake_name: column for column in told.columns}
    columns = []
    for column in state.columns:
        rule = rules.get(column.name)
        columns.append(
            DescribedColumn(
                name=column.name,
                type=column.type,
                description=column.description,
                unit=column.unit,
                treatment=rule.treatment if rule else column.treatment,
                words=rule.words if rule else "",
                reason=rule.reason if rule else "",
                source_column=column.source_column,
            )
        )
    return DescribedTable(
        table=state.table,
        description=state.description,
        rows=state.rows if filled else None,
        size_bytes=state.size_bytes if filled else None,
        subject=subject,
        columns=tuple(columns),
        sample_query=comparison.sample_query(dataset, state),
    )


def _quality(rooms: Rooms, delivery: Delivery) -> DeliveryQuality:
    outcome = delivery.outcome
    rows_in = 0 if outcome is None else outcome.rows_in
    committed = 0 if outcome is None else outcome.rows_committed
    return DeliveryQuality(
        delivery=delivery.id,
        source=delivery.source,
        state=receive_delivery.view(rooms, delivery).state.value,
        submitted_at=delivery.submitted_at,
        finished_at=None if outcome is None else outcome.finished_at,
        contract=None if outcome is None else outcome.contract,
        dataset_version=None if outcome is None else outcome.dataset_version,
        files=len(delivery.files),
        files_refused=0 if outcome is None else sum(not file.accepted for file in outcome.files),
        rows_in=rows_in,
        rows_committed=committed,
        rows_quarantined=0 if outcome is None else outcome.rows_quarantined,
        part_committed=round(committed / rows_in, 6) if rows_in else None,
    )

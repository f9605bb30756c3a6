"""The risk of a dataset version by its contract: computed before it is committed, kept, and read."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

from atoll.deid import parse_contract
from atoll.deid.risk import RiskColumns, risk_columns, table_risk
from atoll.errors import NotFound, VersionConflict
from atoll.flows import publish_contract, read_lake
from atoll.flows.next_rows import next_rows
from atoll.flows.rooms import Rooms
from atoll.model.contract import ContractVersion
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.person import Caller
from atoll.model.risk import DatasetRisk, RiskReport, RiskState, TableRisk
from atoll.model.table import StagedFile
from atoll.ports.records import every


def show_risk(rooms: Rooms, caller: Caller, name: str, number: int | None = None) -> DatasetRisk:
    """The risk of a version (None: the newest), by the contract in force or else the one that admitted it.

    Raises `NotFound` for an unknown dataset or version, and before the first commit.
    """
    version = read_lake.version(rooms, caller, name, number)
    dataset = rooms.records.get(Dataset, name)
    in_force = publish_contract.latest_or_none(rooms, name)
    report = _kept(rooms, version.id, version.contract)
    state = RiskState.NONE if report is None else RiskState.READY
    if in_force is not None and in_force.id != version.contract:
        newer = _kept(rooms, version.id, in_force.id)
        report = newer or report
        if newer is not None:
            state = RiskState.READY
        elif version.number == dataset.latest and _asked(in_force.text):
            state = RiskState.PENDING
    return DatasetRisk(
        dataset=name,
        version=version.id,
        number=version.number,
        state=state,
        contract=None if report is None else report.contract,
        passes=None if report is None else all(table.passes for table in report.tables),
        tables=() if report is None else report.tables,
        computed_at=None if report is None else report.computed_at,
    )


def assess(
    rooms: Rooms,
    contract: ContractVersion,
    version_id: str,
    before: DatasetVersion | None,
    staged: Mapping[str, Sequence[StagedFile]],
) -> RiskReport | None:
    """The report of a version that is `before` (None: nothing) and the staged files; not yet on record.

    None where the contract names no quasi-identifiers.
    """
    asked = _asked(contract.text)
    if not asked:
        return None
    began = time.monotonic()
    tables: list[TableRisk] = []
    for columns in asked:
        rows = next_rows(rooms, before, staged, columns.table, columns.every)
        if rows is not None:
            tables.append(table_risk(rows, columns))
    return RiskReport(
        id=_id(version_id, contract.id),
        dataset=contract.dataset,
        dataset_version=version_id,
        contract=contract.id,
        tables=tuple(tables),
        computed_at=rooms.clock.now(),
        seconds=round(time.monotonic() - began, 3),
    )


def assess_datasets(rooms: Rooms) -> int:
    """Assess newest versions that the contract in force has no report of; how many."""
    count = 0
    for dataset in every(rooms.records, Dataset):
        newest = read_lake.latest_version(rooms, dataset)
        in_force = publish_contract.latest_or_none(rooms, dataset.id)
        if newest is None or in_force is None or _kept(rooms, newest.id, in_force.id) is not None:
            continue
        try:
            report = assess(rooms, in_force, newest.id, newest, {})
            if report is not None:
                rooms.records.put(report)
                count += 1
        except VersionConflict:
            continue  # another process was faster
    return count


@lru_cache(maxsize=64)
def _asked(contract: str) -> tuple[RiskColumns, ...]:
    return risk_columns(parse_contract(contract))


def _kept(rooms: Rooms, version_id: str, contract_id: str) -> RiskReport | None:
    try:
        return rooms.records.get(RiskReport, _id(version_id, contract_id))
    except NotFound:
        return None


def _id(version_id: str, contract_id: str) -> str:
    return f"{version_id}:{contract_id.rpartition('@')[2]}"

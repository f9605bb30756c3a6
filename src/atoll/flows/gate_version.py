"""What a contract asks of a version as a whole, before any of it is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atoll.deid import FileReport, parse_contract
from atoll.deid.across_rows import dangling, orders, repeated
from atoll.flows import assess_risk, read_lake
from atoll.flows.next_rows import next_rows
from atoll.flows.rooms import Rooms
from atoll.model.contract import Contract, ContractVersion
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.delivery import Hold
from atoll.model.risk import RiskReport
from atoll.model.table import StagedFile
from atoll.ports.records import Put, Write


@dataclass(frozen=True)
class Passage:
    """What came of the gate.

    Attributes:
        hold: why nothing may enter; None where all may.
        warnings: what is above a threshold that only warns, a sentence each.
        writes: what is put on record together with the version.
        told: for the audit entry of the commit.
    """

    hold: Hold | None
    warnings: tuple[str, ...]
    writes: tuple[Write, ...]
    told: Mapping[str, Any]


def pass_gate(
    rooms: Rooms,
    contract: ContractVersion,
    staged: Mapping[str, Sequence[StagedFile]],
    reports: Sequence[FileReport],
) -> Passage:
    """Whether the staged files may become the dataset's next version.

    Ask while no other delivery can commit to the dataset. Killed and asked again, the
    answer is the same: nothing is written here.
    """
    dataset = rooms.records.get(Dataset, contract.dataset)
    before = read_lake.latest_version(rooms, dataset)
    rules = parse_contract(contract.text)
    hold = _bad_rows(rules, reports) or _across_rows(rooms, rules, before, staged)
    if hold is not None:
        return Passage(hold, (), (), {})
    report = assess_risk.assess(rooms, contract, f"{dataset.id}@{dataset.latest + 1}", before, staged)
    if report is None:
        return Passage(None, (), (), {})
    exceeded = [f"Table {table.table}: {line}" for table in report.tables for line in table.exceeded]
    return Passage(
        hold=_risk_hold(report),
        warnings=tuple(exceeded),
        writes=(Put(report),),
        told={"risk": "above its thresholds" if exceeded else "within its thresholds"},
    )


def _bad_rows(contract: Contract, reports: Sequence[FileReport]) -> Hold | None:
    """Whether more rows of a table were held than its contract puts up with."""
    for name, table in contract.tables.items():
        mine = [report for report in reports if report.table == name and report.rows_in is not None]
        rows, held = sum(report.rows_in or 0 for report in mine), sum(report.rows_held for report in mine)
        if table.max_held is not None and rows and held / rows > table.max_held:
            what = f"Table {name}: {held} of {rows} rows break the contract; at most {table.max_held:.2%} may."
            return Hold(rule="bad_rows", message=f"{what} Have the source mend them, or mend the contract and replay.")
    return None


def _across_rows(
    rooms: Rooms, contract: Contract, before: DatasetVersion | None, staged: Mapping[str, Sequence[StagedFile]]
) -> Hold | None:
    """Whether a value stands twice that may stand once, or refers to nothing."""
    for order in orders(contract):
        if not staged.get(order.table):
            continue  # what stood before was asked when it entered
        where = f"{order.table}.{order.column}"
        if order.target is None:
            rows = next_rows(rooms, before, staged, order.table, [order.column])
            count = 0 if rows is None else repeated(rows)
            if count:
                what = f"{count} rows have a value in {where} that another row has, in this delivery or from before."
                return Hold(rule="unique", message=f"{what} Deliver each once, or take `unique` out of the contract.")
            continue
        new = next_rows(rooms, None, staged, order.table, [order.column])
        targets = next_rows(rooms, before, staged, order.target[0], [order.target[1]])
        count = 0 if new is None else dangling(new, targets if targets is not None else new.head(0))
        if count:
            what = f"{count} rows have a value in {where} that does not stand in {'.'.join(order.target)}."
            todo = "Deliver what they refer to with them or before, then replay."
            return Hold(rule="references", message=f"{what} {todo}")
    return None


def _risk_hold(report: RiskReport) -> Hold | None:
    above = [
        f"Table {table.table}: {line}"
        for table in report.tables
        if table.policy.above == "hold"
        for line in table.exceeded
    ]
    if not above:
        return None
    todo = "Make the quasi-identifiers coarser, or wait for more people, and replay the delivery."
    return Hold(rule="risk", message=f"People could be recognised. {' '.join(above)} {todo}")

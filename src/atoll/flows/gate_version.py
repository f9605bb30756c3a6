"""What a contract asks of a version as a whole, before any of it is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atoll.flows import assess_risk, read_lake
from atoll.flows.rooms import Rooms
from atoll.model.contract import ContractVersion
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


def pass_gate(rooms: Rooms, contract: ContractVersion, staged: Mapping[str, Sequence[StagedFile]]) -> Passage:
    """Whether the staged files may become the dataset's next version.

    Ask while no other delivery can commit to the dataset. Killed and asked again, the
    answer is the same: nothing is written here.
    """
    dataset = rooms.records.get(Dataset, contract.dataset)
    before = _newest(rooms, dataset)
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


def _newest(rooms: Rooms, dataset: Dataset) -> DatasetVersion | None:
    return read_lake.latest_version(rooms, dataset)

"""Risk reports: how likely it is that somebody is recognised in a version of a dataset."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from atoll.model.contract import RiskPolicy
from atoll.model.record import Frozen, Record
from atoll.model.said import Sentence


class GroupSizes(Frozen):
    """Groups of `low` to `high` people: one bar of the histogram."""

    low: int
    #: None: or more.
    high: int | None
    groups: int
    people: int


class Diversity(Frozen):
    """How many different values a sensitive column has within a group."""

    column: str
    #: In the group that has the fewest (l).
    least: int
    #: People in groups with fewer than the policy asks for; None where it asks for none.
    people_under: int | None


class WithoutColumn(Frozen):
    """What the same table comes to when one quasi-identifier is left out: which of them to coarsen."""

    column: str
    #: Different values of the column.
    values: int
    smallest_group: int
    people_under_k: int


class TableRisk(Frozen):
    """One table's figures. No value of any row is in it."""

    table: str
    #: Lake column that tells people apart; None: every row counts as a person.
    counted_by: str | None
    #: As the lake names them.
    quasi_identifiers: tuple[str, ...]
    policy: RiskPolicy
    rows: int
    people: int
    groups: int
    #: k; 0 for an empty table.
    smallest_group: int
    people_under_k: int
    #: People alone in their group (sample uniqueness).
    unique_people: int
    #: 1 / k.
    highest_risk: float
    #: Groups divided by people.
    average_risk: float
    sizes: tuple[GroupSizes, ...]
    diversity: tuple[Diversity, ...]
    without: tuple[WithoutColumn, ...]
    #: What is above a threshold, a sentence each; empty when the table passes.
    exceeded: tuple[Sentence, ...]

    @property
    def passes(self) -> bool:
        """Whether it is within every threshold."""
        return not self.exceeded


class RiskReport(Record):
    """The risk of a dataset version by one contract. Id `<dataset>@<number>:<number of the contract>`."""

    kind: ClassVar[str] = "risk_report"
    indexes: ClassVar[tuple[str, ...]] = ("dataset", "dataset_version")

    dataset: str
    #: `<dataset>@<number>`.
    dataset_version: str
    #: `<dataset>@<number>` of the contract whose quasi-identifiers and thresholds these are.
    contract: str
    tables: tuple[TableRisk, ...]
    computed_at: datetime
    seconds: float


class RiskState(StrEnum):
    """Whether there is a report."""

    READY = "ready"
    #: It is being computed.
    PENDING = "pending"
    #: The contract names no quasi-identifiers.
    NONE = "none"


class DatasetRisk(Frozen):
    """The risk of a dataset version, as far as it is known."""

    dataset: str
    #: `<dataset>@<number>`.
    version: str
    number: int
    state: RiskState
    #: `<dataset>@<number>` of the contract that the figures are by; None without figures.
    contract: str | None
    #: Within every threshold; None without figures.
    passes: bool | None
    tables: tuple[TableRisk, ...]
    computed_at: datetime | None

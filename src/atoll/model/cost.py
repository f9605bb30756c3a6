"""Costs over time, and months that are closed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import Field

from atoll.model.ledger import Metric, UsageRecord
from atoll.model.record import Frozen, Record


class CostStep(StrEnum):
    """Length of a period."""

    DAY = "day"
    MONTH = "month"


#: What stands for "none" where usage belongs to no project, dataset, product or workspace.
NOBODY = "-"


class CostFilter(Frozen):
    """Of which usage; what is None is not asked, and `-` asks for what has none."""

    user: str | None = None
    project: str | None = None
    dataset: str | None = None
    product: str | None = None
    workspace: str | None = None
    metric: Metric | None = None


class CostPoint(Frozen):
    """One period of one key."""

    #: First day of the period, UTC.
    period: date
    amount_eur: Decimal
    records: int


class CostLineOverTime(Frozen):
    """One key over the periods; periods without use are there with 0."""

    key: str
    points: tuple[CostPoint, ...]
    total_eur: Decimal


class CostSeries(Frozen):
    """Costs over time, the dearest key first."""

    by: str
    step: CostStep
    #: First and last day, UTC, both counted.
    since: date
    until: date
    currency: str = "EUR"
    periods: tuple[date, ...]
    lines: tuple[CostLineOverTime, ...]
    total_eur: Decimal


class CostChunk(Record):
    """Sums of a run of a month's usage records. Id `<YYYY-MM>/<number of the run>`; made once, can be made anew."""

    kind: ClassVar[str] = "cost_chunk"

    #: Rows of: day of the month, metric, user, project, dataset, product, workspace, quantity, amount, records.
    rows: tuple[tuple[Any, ...], ...]


class ClosedMonth(Record):
    """A month of which nothing changes any more. Id `YYYY-MM`."""

    kind: ClassVar[str] = "closed_month"

    #: How many usage records it has, the sum of their amounts, and the SHA-256 over them in order.
    records: int
    total_eur: Decimal
    sha256: str
    closed_by: str
    closed_at: datetime


class CostMonth(Frozen):
    """A month, open or closed."""

    month: str
    #: `open`, `closed`.
    state: str
    total_eur: Decimal
    records: int
    closed_by: str | None = None
    closed_at: datetime | None = None

    @classmethod
    def closed(cls, month: ClosedMonth) -> Self:
        """A closed month."""
        return cls(
            month=month.id,
            state="closed",
            total_eur=month.total_eur,
            records=month.records,
            closed_by=month.closed_by,
            closed_at=month.closed_at,
        )


class Correction(Frozen):
    """That a usage record was wrong: what the quantity should have been. Its difference is a record of its own."""

    #: Month and id of the record.
    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    record: str = Field(max_length=64)
    #: The right quantity, not negative, in the metric's unit.
    quantity: Decimal = Field(ge=0, max_digits=40)
    reason: str = Field(min_length=1, max_length=1000)


class UsagePage(Frozen):
    """Usage records and the number after which the next page begins."""

    items: tuple[UsageRecord, ...]
    cursor: str | None = None

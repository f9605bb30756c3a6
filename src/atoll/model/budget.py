"""Budgets: what a person or a project may spend in a month."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, model_validator

from atoll.model.record import Frozen, Record


class BudgetHolder(StrEnum):
    """Whose spending is limited."""

    USER = "user"
    PROJECT = "project"


class BudgetRule(Frozen):
    """What happens at which part of a budget: first a warning, then hibernation, then no new launch."""

    #: For a month (UTC).
    eur_per_month: Decimal = Field(gt=0, max_digits=18, decimal_places=2)
    #: Parts of it at which is warned, rising: 0.8 is 80 %.
    warn_at: tuple[Decimal, ...] = Field(default=(Decimal("0.5"), Decimal("0.8")), max_length=10)
    #: From here on running machines are hibernated, once; who wakes theirs can save what they have.
    hibernate_at: Decimal = Field(default=Decimal(1), gt=0, le=10)
    #: From here on nothing is launched or woken, and nothing stays running.
    block_at: Decimal = Field(default=Decimal(1), gt=0, le=10)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        parts = (Decimal(0), *self.warn_at, self.hibernate_at)
        if any(lower >= upper for lower, upper in zip(parts, (*self.warn_at, self.hibernate_at), strict=False)):
            raise ValueError("warn_at rises from above 0 and stays below hibernate_at")
        if self.hibernate_at > self.block_at:
            raise ValueError("hibernate_at is not above block_at")
        return self


class Budget(Record):
    """A budget in force. Id `<holder kind>/<name>`, e.g. `project/heart`."""

    kind: ClassVar[str] = "budget"
    indexes: ClassVar[tuple[str, ...]] = ("holder",)

    holder: BudgetHolder
    #: Login of the person, or name of the project.
    name: str
    rule: BudgetRule
    set_by: str
    set_at: datetime


class BudgetMonth(Record):
    """What was done about a budget in a month. Id `<budget>/<YYYY-MM>`."""

    kind: ClassVar[str] = "budget_month"

    #: The highest part at which was warned.
    warned_at: Decimal = Decimal(0)
    hibernated: bool = False
    blocked: bool = False


class Spending(Record):
    """Sums of a month's usage so far. Id `YYYY-MM`; what is in it can be computed anew at any time."""

    kind: ClassVar[str] = "spending"

    #: The last entry of the month's usage that is summed.
    number: int = 0
    by_user: dict[str, Decimal] = {}
    by_project: dict[str, Decimal] = {}


class BudgetStage(StrEnum):
    """How far a budget is used."""

    WITHIN = "within"
    WARNED = "warned"
    HIBERNATED = "hibernated"
    BLOCKED = "blocked"


class BudgetStanding(Frozen):
    """A budget with what is spent of it this month."""

    holder: BudgetHolder
    name: str
    month: str
    rule: BudgetRule
    spent_eur: Decimal
    #: Part of the budget that is spent, 1 is all.
    part: Decimal
    stage: BudgetStage


class ForgottenMachine(Frozen):
    """A machine that nobody has started, stopped or woken for long, and what it costs."""

    workspace: str
    name: str
    owner: str
    project: str
    product: str
    size: str
    #: What it is paid as: `running`, or `kept` (hibernated or stopped).
    use: str
    since: datetime
    days: int
    eur_per_day: Decimal

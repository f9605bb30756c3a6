"""What each person and project has spent this month, summed as it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from atoll.errors import NotFound, VersionConflict
from atoll.model.budget import Budget, BudgetHolder, BudgetRule, BudgetStage, BudgetStanding, Spending
from atoll.model.ledger import UsageRecord
from atoll.ports.records import RecordStore

_BATCH = 1000
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_PART_STEP = Decimal("0.0001")


def spending_of(records: RecordStore, month: str) -> Spending:
    """Sums of the month `YYYY-MM` over every usage record there is now.

    Only what came since it was asked last is read.
    """
    try:
        summed = records.get(Spending, month)
    except NotFound:
        summed = Spending(id=month)
    while True:
        batch = records.read(f"usage/{month}", after=summed.number, limit=_BATCH)
        if not batch:
            return summed
        users, projects = dict(summed.by_user), dict(summed.by_project)
        for stored in batch:
            record = UsageRecord.model_validate(stored.body)
            _add(users, record.user, record.amount_eur)
            if record.project is not None:
                _add(projects, record.project, record.amount_eur)
        summed = summed.but(number=batch[-1].number, by_user=users, by_project=projects)
        try:
            summed = records.put(summed)
        except VersionConflict:
            # Another process sums, too, and got as far or further.
            summed = records.get(Spending, month)


def standing(budget: Budget, spending: Spending) -> BudgetStanding:
    """The budget with what is spent of it."""
    sums: Mapping[str, Decimal] = spending.by_user if budget.holder is BudgetHolder.USER else spending.by_project
    spent = sums.get(budget.name, Decimal(0))
    part = _EXACT.divide(spent, budget.rule.eur_per_month)
    return BudgetStanding(
        holder=budget.holder,
        name=budget.name,
        month=spending.id,
        rule=budget.rule,
        spent_eur=spent,
        part=part.quantize(_PART_STEP),
        stage=_stage(budget.rule, part),
    )


def warning(rule: BudgetRule, part: Decimal) -> Decimal:
    """The highest threshold of warning that is reached, 0 when none is."""
    return max((at for at in rule.warn_at if part >= at), default=Decimal(0))


def _stage(rule: BudgetRule, part: Decimal) -> BudgetStage:
    if part >= rule.block_at:
        return BudgetStage.BLOCKED
    if part >= rule.hibernate_at:
        return BudgetStage.HIBERNATED
    return BudgetStage.WARNED if warning(rule, part) else BudgetStage.WITHIN


def _add(sums: dict[str, Decimal], key: str, amount_eur: Decimal) -> None:
    sums[key] = _EXACT.add(sums.get(key, Decimal(0)), amount_eur)

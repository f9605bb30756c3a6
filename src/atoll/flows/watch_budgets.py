"""Budgets are watched: a warning first, then hibernation, then no launch."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from decimal import Decimal

from atoll.access.directory import person_by_login
from atoll.errors import AtollError, BudgetExceeded, NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.ledger import spending
from atoll.model.budget import Budget, BudgetHolder, BudgetMonth, BudgetStage, BudgetStanding
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.workspace import Desired, HibernateKind, Workspace
from atoll.ports.records import Put, every
from atoll.workspaces.reasons import WISH

log = logging.getLogger(__name__)

_CENT = Decimal("0.01")


def watch_budgets(rooms: Rooms) -> int:
    """Act on every budget as far as it is used this month (UTC); how many acts.

    Each threshold of warning is told once a month. When the budget is used as far as
    `hibernate_at` its running machines are hibernated once, and from `block_at` on at
    every pass. Machines of a backend that cannot hibernate are stopped.
    """
    month = rooms.clock.now().strftime("%Y-%m")
    sums = spending.spending_of(rooms.records, month)
    count = 0
    for budget in all_budgets(rooms):
        try:
            count += _watch(rooms, budget, spending.standing(budget, sums))
        except VersionConflict:
            continue
        except AtollError as error:
            facts = {"budget": budget.id, "error_code": error.code}
            log.warning("A budget could not be acted upon now.", extra={"fields": facts})
    return count


def check_launch(rooms: Rooms, *, user: str, project: str, what: str = "launched or woken") -> None:
    """Raises `BudgetExceeded` when a budget of the person or project lets nothing be launched, woken or queried."""
    month = rooms.clock.now().strftime("%Y-%m")
    for holder, name in ((BudgetHolder.USER, user), (BudgetHolder.PROJECT, project)):
        try:
            budget = rooms.records.get(Budget, budget_id(holder, name))
        except NotFound:
            continue
        found = spending.standing(budget, spending.spending_of(rooms.records, month))
        if found.stage is BudgetStage.BLOCKED:
            raise BudgetExceeded(
                f"{_used_up(found).removesuffix('.')}, so nothing is {what} under it.",
                where=f"budget/{budget.id}",
                todo="Ask for a larger budget, or wait for the next month.",
            )


def budget_id(holder: BudgetHolder, name: str) -> str:
    """Id of the one budget of a person or project."""
    return f"{holder}/{name}"


def all_budgets(rooms: Rooms) -> Iterator[Budget]:
    """Every budget, in order of id."""
    return every(rooms.records, Budget)


def _watch(rooms: Rooms, budget: Budget, found: BudgetStanding) -> int:
    done = _month_of(rooms, budget, found.month)
    count = _warn(rooms, budget, found, done)
    if found.stage not in (BudgetStage.HIBERNATED, BudgetStage.BLOCKED):
        return count
    blocked = found.stage is BudgetStage.BLOCKED
    if not blocked and done.hibernated:
        return count
    for workspace in list(_running(rooms, budget)):
        count += _rest(rooms, workspace, _used_up(found), budget)
    done = _month_of(rooms, budget, found.month)
    if not done.hibernated or blocked != done.blocked:
        action = "budget.block" if blocked else "budget.hibernate"
        _record(rooms, action, budget, found, done.but(hibernated=True, blocked=blocked))
        count += 1
    return count


def _warn(rooms: Rooms, budget: Budget, found: BudgetStanding, done: BudgetMonth) -> int:
    reached = spending.warning(found.rule, found.part)
    if reached <= done.warned_at:
        return 0
    _record(rooms, "budget.warn", budget, found, done.but(warned_at=reached))
    return 1


def _record(rooms: Rooms, action: str, budget: Budget, found: BudgetStanding, done: BudgetMonth) -> None:
    details = {"month": found.month, "spent_eur": str(found.spent_eur), "part": str(found.part)}
    event = AuditEvent(action=action, target=f"budget/{budget.id}", caller=PLATFORM, details=details)
    rooms.audit.record(event, Put(done))


def _rest(rooms: Rooms, workspace: Workspace, because: str, budget: Budget) -> int:
    backend = rooms.backends.get(workspace.backend)
    keeps = backend is None or backend.capabilities.hibernate is not HibernateKind.NONE
    desired = Desired.HIBERNATED if keeps else Desired.STOPPED
    changed = workspace.but(desired=desired, desired_because=because, generation=workspace.generation + 1)
    event = AuditEvent(
        action="workspace.hibernate" if keeps else "workspace.stop",
        target=f"workspace/{workspace.id}",
        caller=PLATFORM,
        because=f"budget/{budget.id}",
        details={"reason": because},
    )
    try:
        rooms.audit.record(event, Put(changed))
    except VersionConflict:
        # Somebody changed it in between; the next pass looks anew.
        return 0
    return 1


def _running(rooms: Rooms, budget: Budget) -> Iterator[Workspace]:
    """Workspaces of the budget that are wanted running and do not wait for room."""
    if budget.holder is BudgetHolder.PROJECT:
        where = {"project": budget.name, "standing": "standing"}
    else:
        where = {"owner": person_by_login(rooms.records, budget.name).id, "standing": "standing"}
    found = every(rooms.records, Workspace, where)
    return (one for one in found if one.desired is Desired.RUNNING and not one.queued)


def _month_of(rooms: Rooms, budget: Budget, month: str) -> BudgetMonth:
    try:
        return rooms.records.get(BudgetMonth, f"{budget.id}/{month}")
    except NotFound:
        return BudgetMonth(id=f"{budget.id}/{month}")


def _used_up(found: BudgetStanding) -> str:
    code = "budget_project" if found.holder is BudgetHolder.PROJECT else "budget_person"
    spent, limit = found.spent_eur.quantize(_CENT), found.rule.eur_per_month.quantize(_CENT)
    return WISH.say(code, name=found.name, month=found.month, spent=spent, limit=limit)

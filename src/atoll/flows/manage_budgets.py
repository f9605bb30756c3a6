"""Budgets are set and seen, and machines that were forgotten are listed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from atoll.access import permissions
from atoll.access.directory import person_by_login, project_by_name
from atoll.access.scopes import Scope
from atoll.errors import NotFound
from atoll.flows.rooms import Rooms
from atoll.flows.watch_budgets import all_budgets, budget_id
from atoll.ledger import spending
from atoll.model.budget import Budget, BudgetHolder, BudgetRule, BudgetStanding, ForgottenMachine
from atoll.model.ledger import AuditEvent, Metric
from atoll.model.meter import MachineMeter, Use
from atoll.model.person import Caller
from atoll.model.workspace import Workspace
from atoll.ports.records import Put, every

_EUR_STEP = Decimal("0.0001")


def set_budget(rooms: Rooms, caller: Caller, holder: BudgetHolder, name: str, rule: BudgetRule) -> BudgetStanding:
    """Set the budget of a person (by login) or a project, or change it. Raises `NotFound`."""
    permissions.require(caller, Scope.BUDGETS_WRITE)
    if holder is BudgetHolder.PROJECT:
        project_by_name(rooms.records, name)
    else:
        person_by_login(rooms.records, name)
    id = budget_id(holder, name)
    try:
        version = rooms.records.get(Budget, id).version
    except NotFound:
        version = 0
    now = rooms.clock.now()
    budget = Budget(id=id, version=version, holder=holder, name=name, rule=rule, set_by=caller.name, set_at=now)
    event = AuditEvent(action="budget.set", target=f"budget/{id}", caller=caller, details=rule.model_dump(mode="json"))
    rooms.audit.record(event, Put(budget))
    return spending.standing(budget, spending.spending_of(rooms.records, now.strftime("%Y-%m")))


def list_budgets(rooms: Rooms, caller: Caller) -> tuple[BudgetStanding, ...]:
    """Budgets with what is spent of them this month: one's own and one's projects', or all with `budgets:read`."""
    permissions.require(caller, Scope.BUDGETS_READ_OWN)
    sums = spending.spending_of(rooms.records, rooms.clock.now().strftime("%Y-%m"))
    return tuple(spending.standing(budget, sums) for budget in all_budgets(rooms) if _sees(rooms, caller, budget))


def list_forgotten(rooms: Rooms, caller: Caller, days: int = 14) -> tuple[ForgottenMachine, ...]:
    """Machines on which nothing was done for so many days, the dearest first.

    One's own, or all with `costs:read`. A machine that ran on all the time counts, too.
    """
    permissions.require(caller, Scope.COSTS_READ_OWN)
    everybody = permissions.has(caller, Scope.COSTS_READ)
    now = rooms.clock.now()
    found: list[ForgottenMachine] = []
    for meter in every(rooms.records, MachineMeter, {"open": "open"}):
        if meter.point.use is Use.GONE or now - meter.point.begun < timedelta(days=days):
            continue
        workspace = rooms.records.get(Workspace, meter.id)
        if workspace.standing and (everybody or workspace.owner == caller.subject_id):
            found.append(_forgotten(rooms, workspace, meter))
    return tuple(sorted(found, key=lambda machine: (-machine.eur_per_day, machine.workspace)))


def _forgotten(rooms: Rooms, workspace: Workspace, meter: MachineMeter) -> ForgottenMachine:
    now = rooms.clock.now()
    price = next(p for p in rooms.usage.prices_at(now).prices if p.metric is Metric.MACHINE_STORED_BYTE_DAYS)
    eur_per_day = meter.home_bytes * price.eur / price.per
    if meter.point.use is Use.RUNNING:
        eur_per_day += 24 * workspace.eur_per_hour
    return ForgottenMachine(
        workspace=workspace.id,
        name=workspace.name,
        owner=workspace.owner_login,
        project=workspace.project,
        product=workspace.product,
        size=workspace.size,
        use=meter.point.use.value,
        since=meter.point.begun,
        days=(now - meter.point.begun).days,
        eur_per_day=eur_per_day.quantize(_EUR_STEP),
    )


def _sees(rooms: Rooms, caller: Caller, budget: Budget) -> bool:
    if permissions.has(caller, Scope.BUDGETS_READ):
        return True
    if budget.holder is BudgetHolder.USER:
        return budget.name == caller.name
    return permissions.is_member(caller, project_by_name(rooms.records, budget.name))

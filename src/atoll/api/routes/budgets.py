"""Budgets, and machines that were forgotten."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Listing
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import manage_budgets
from atoll.model.budget import BudgetHolder, BudgetRule, BudgetStanding, ForgottenMachine

routes = Routes("budgets")

_Name = Annotated[str, Path(max_length=64, description="Login of the person, or name of the project.")]


@routes.get("/budgets", scope=Scope.BUDGETS_READ_OWN)
def list_budgets(rooms: RoomsHere, caller: CallerHere) -> Listing[BudgetStanding]:
    """Budgets with what is spent of them this month: one's own and one's projects', or all with `budgets:read`."""
    return Listing(items=manage_budgets.list_budgets(rooms, caller))


@routes.put("/budgets/{holder}/{name}", scope=Scope.BUDGETS_WRITE)
def set_budget(
    rooms: RoomsHere, caller: CallerHere, holder: BudgetHolder, name: _Name, body: BudgetRule
) -> BudgetStanding:
    """Set what a person or a project may spend in a month, and what happens at which part of it."""
    return manage_budgets.set_budget(rooms, caller, holder, name, body)


@routes.get("/costs/forgotten", scope=Scope.COSTS_READ_OWN)
def list_forgotten_machines(
    rooms: RoomsHere,
    caller: CallerHere,
    days: Annotated[int, Query(ge=0, le=3650, description="Untouched for so many days.")] = 14,
) -> Listing[ForgottenMachine]:
    """Machines that nobody has started, stopped or woken for long, with what each costs a day."""
    return Listing(items=manage_budgets.list_forgotten(rooms, caller, days))

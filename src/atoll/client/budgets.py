"""Budgets, and machines that were forgotten."""

from __future__ import annotations

from atoll.client.connection import Connection, segment
from atoll.client.shapes import shaped
from atoll.model.budget import BudgetHolder, BudgetRule, BudgetStanding, ForgottenMachine


class Budgets:
    """What people and projects may spend in a month."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> tuple[BudgetStanding, ...]:
        """Those the caller may see, with what is spent of them this month."""
        items = self._connection.get("/budgets")["items"]
        return tuple(shaped(BudgetStanding, item) for item in items)

    def set(self, holder: BudgetHolder, name: str, rule: BudgetRule) -> BudgetStanding:
        """Set the budget of a person (by login) or a project."""
        path = f"/budgets/{holder}/{segment(name)}"
        return shaped(BudgetStanding, self._connection.put(path, rule.model_dump(mode="json")))

    def forgotten(self, days: int = 14) -> tuple[ForgottenMachine, ...]:
        """Machines untouched for so many days, with what each costs a day."""
        items = self._connection.get("/costs/forgotten", days=days)["items"]
        return tuple(shaped(ForgottenMachine, item) for item in items)

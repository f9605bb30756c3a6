"""`budget`: what people and projects may spend; `cost forgotten`: machines that go on costing."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer
from pydantic import ValidationError

from atoll.cli.commands.ledger import cost
from atoll.cli.options import AsJson
from atoll.cli.output import show_many, show_one
from atoll.cli.session import client
from atoll.errors import InvalidInput
from atoll.model.budget import BudgetHolder, BudgetRule

budget = typer.Typer(no_args_is_help=True, help="What people and projects may spend in a month.")


@budget.command("set")
def set_(
    holder: Annotated[BudgetHolder, typer.Argument(help="Of a person or of a project.")],
    name: Annotated[str, typer.Argument(help="Login of the person, or name of the project.")],
    eur: Annotated[str, typer.Option("--eur", metavar="EUR", help="For a month (UTC).")],
    warn: Annotated[
        list[str] | None,
        typer.Option("--warn", metavar="PART", help="Warn at this part, 0.8 is 80 %; several times. [0.5, 0.8]"),
    ] = None,
    hibernate: Annotated[
        str, typer.Option("--hibernate", metavar="PART", help="From this part on machines are hibernated.")
    ] = "1",
    block: Annotated[str, typer.Option("--block", metavar="PART", help="From this part on nothing is launched.")] = "1",
    as_json: AsJson = False,
) -> None:
    """Set a budget: it warns, then hibernates machines, then lets nothing be launched."""
    rule = _rule(eur, warn, hibernate, block)
    with client() as atoll:
        show_one("budget", atoll.budgets.set(holder, name, rule), as_json=as_json)


@budget.command("list")
def list_(as_json: AsJson = False) -> None:
    """Budgets that you may see, with what is spent of them this month."""
    with client() as atoll:
        show_many("budget", atoll.budgets.list(), as_json=as_json)


@cost.command("forgotten")
def forgotten(
    days: Annotated[int, typer.Option(min=0, max=3650, help="Untouched for so many days.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Machines that nobody has touched for long, and what each costs a day."""
    with client() as atoll:
        show_many("forgotten", atoll.budgets.forgotten(days), as_json=as_json)


def _rule(eur: str, warn: list[str] | None, hibernate: str, block: str) -> BudgetRule:
    try:
        facts: dict[str, object] = {
            "eur_per_month": Decimal(eur),
            "hibernate_at": Decimal(hibernate),
            "block_at": Decimal(block),
        }
        if warn:
            facts["warn_at"] = tuple(sorted(Decimal(part) for part in warn))
        return BudgetRule.model_validate(facts)
    except InvalidOperation:
        raise InvalidInput("This is no number.", todo="Write amounts like 250 or 250.50, parts like 0.8.") from None
    except ValidationError as error:
        raise InvalidInput(f"The budget does not hold: {error.errors()[0]['msg']}.") from None

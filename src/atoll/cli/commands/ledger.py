"""`flows`, `audit`, `cost`: what moved, who did what, what it cost."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from atoll.cli.exit_codes import ExitCode
from atoll.cli.options import AsJson
from atoll.cli.output import note, show_many, show_one
from atoll.cli.session import client

audit = typer.Typer(no_args_is_help=True, help="The audit chain.")
cost = typer.Typer(no_args_is_help=True, help="What things cost.")


class CostKey(StrEnum):
    """What costs are summed by."""

    USER = "user"
    PROJECT = "project"
    DATASET = "dataset"
    METRIC = "metric"
    PRODUCT = "product"
    WORKSPACE = "workspace"


def flows(
    dataset: Annotated[str, typer.Argument(help="The dataset.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The last so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """What moved into a dataset and out of it (OpenLineage events)."""
    with client() as atoll:
        show_many("flow", atoll.ledger.flows(dataset, limit), as_json=as_json)


@audit.command("tail")
def tail(
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="So many entries.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The last entries, oldest first."""
    with client() as atoll:
        show_many("audit", atoll.ledger.audit_tail(lines), as_json=as_json)


@audit.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Check the whole chain; exit code 10 when it is broken."""
    with client() as atoll:
        check = atoll.ledger.verify_audit()
    show_one("chain", check, as_json=as_json)
    if not check.intact:
        note("The audit chain is broken: have the record store examined, and keep its backups.")
        raise typer.Exit(ExitCode.INTEGRITY)


@cost.command("report")
def report(
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Without it this month (UTC).")] = None,
    by: Annotated[CostKey, typer.Option(help="Summed by this.")] = CostKey.PROJECT,
    as_json: AsJson = False,
) -> None:
    """Costs of a month."""
    asked = month or datetime.now(UTC).strftime("%Y-%m")
    with client() as atoll:
        show_one("cost", atoll.ledger.costs(asked, by.value), as_json=as_json)

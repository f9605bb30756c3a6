"""`flows`, `audit`, `cost`: what moved, who did what, what it cost."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from atoll.cli.exit_codes import ExitCode
from atoll.cli.options import AsJson, Since, Until, parse_time
from atoll.cli.output import note, show_many, show_one, write_pieces
from atoll.cli.session import client
from atoll.errors import InvalidInput
from atoll.model.cost import Correction

audit = typer.Typer(no_args_is_help=True, help="The audit chain.")
cost = typer.Typer(no_args_is_help=True, help="What things cost.")

Month = Annotated[str, typer.Argument(metavar="YYYY-MM", help="The month (UTC).")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Write here; - for stdout.")]


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
    person: Annotated[str | None, typer.Option(help="That this person caused: login or id.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The last so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """What moved into a dataset and out of it (OpenLineage events)."""
    with client() as atoll:
        found = atoll.ledger.flows(
            dataset, limit, person=person, since=parse_time(since, "--since"), until=parse_time(until, "--until")
        )
        show_many("flow", found, as_json=as_json)


@audit.command("tail")
def tail(
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="So many entries.")] = 20,
    person: Annotated[str | None, typer.Option(help="By this person: login or id.")] = None,
    action: Annotated[str | None, typer.Option(help="This action, grant.add; or all of a noun, grant.")] = None,
    target: Annotated[str | None, typer.Option(help="Done to this, grant/ID; or all of a noun, grant/")] = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """The last entries of all that is asked, oldest first."""
    with client() as atoll:
        found = atoll.ledger.find_audit(
            person=person,
            action=action,
            target=target,
            since=parse_time(since, "--since"),
            until=parse_time(until, "--until"),
            at_most=lines,
        )
        show_many("audit", found, as_json=as_json)


@audit.command("export")
def export_audit(
    out: Out,
    after: Annotated[int, typer.Option(min=0, help="Entries numbered above this.")] = 0,
) -> None:
    """Every entry as it is chained, one JSON object a line."""
    with client() as atoll, atoll.ledger.export_audit(after) as pieces:
        write_pieces(out, pieces)


@audit.command("checkpoints")
def checkpoints(as_json: AsJson = False) -> None:
    """Signed checkpoints, oldest first; keep one elsewhere to compare with."""
    with client() as atoll:
        show_many("checkpoint", atoll.ledger.checkpoints(), as_json=as_json)


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


@cost.command("export")
def export_costs(
    month: Month,
    out: Out,
    focus: Annotated[bool, typer.Option("--focus", help="In the columns of FOCUS 1.2.")] = False,
) -> None:
    """Every usage record of a month as CSV."""
    with client() as atoll, atoll.ledger.export_costs(month, "focus" if focus else "csv") as pieces:
        write_pieces(out, pieces)


@cost.command("months")
def months(as_json: AsJson = False) -> None:
    """Months in which anything was used, newest first, open or closed."""
    with client() as atoll:
        show_many("cost_month", atoll.ledger.months(), as_json=as_json)


@cost.command("close")
def close(month: Month, as_json: AsJson = False) -> None:
    """Freeze a month that is over: nothing of it changes any more."""
    with client() as atoll:
        show_one("cost_month", atoll.ledger.close_month(month), as_json=as_json)


@cost.command("correct")
def correct(
    month: Month,
    record: Annotated[str, typer.Argument(metavar="RECORD", help="Id of the usage record.")],
    quantity: Annotated[str, typer.Option(help="What it should have been, in the unit of its metric.")],
    reason: Annotated[str, typer.Option(help="Why; it stays on record.")],
    as_json: AsJson = False,
) -> None:
    """Put right a usage record, by a new record of the difference in this month."""
    try:
        correction = Correction(month=month, record=record, quantity=Decimal(quantity), reason=reason)
    except (InvalidOperation, ValidationError):
        raise InvalidInput(
            "The correction does not hold.", todo="Write the month like 2030-01 and the quantity as a plain number."
        ) from None
    with client() as atoll:
        show_one("usage", atoll.ledger.correct_usage(correction), as_json=as_json)

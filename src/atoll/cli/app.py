"""The command line of Atoll; `wiring` adds the commands that run the platform itself."""

from __future__ import annotations

from typing import Annotated

import typer

import atoll
from atoll.cli.commands import (
    accounts,
    airlock,
    budgets,
    contracts,
    datasets,
    deliveries,
    drafts,
    erasures,
    grant_requests,
    grants,
    hours,
    keys,
    ledger,
    maintenance,
    openings,
    operations,
    products,
    proofs,
    proposals,
    queries,
    repositories,
    sources,
    visits,
    workspaces,
)
from atoll.cli.commands.sql import sql
from atoll.cli.exit_codes import help_text
from atoll.cli.failures import FailingPlainly

_HELP = """Atoll: clinical data that enters only through de-identification, governed SQL on it, and machines beside it.

ATOLL_URL says where Atoll listens (http://127.0.0.1:8470 if not set), ATOLL_TOKEN who is asking.
"""

app = typer.Typer(
    name="atoll",
    cls=FailingPlainly,
    help=_HELP,
    epilog=help_text(),
    no_args_is_help=True,
    # A traceback with local variables could show a token.
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"atoll {atoll.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options before any command."""


app.callback(help=_HELP)(root)
app.command("login")(accounts.login)
app.command("whoami")(accounts.whoami)
app.command("logout")(accounts.logout)
app.add_typer(accounts.person, name="person")
app.add_typer(accounts.project, name="project")
app.add_typer(accounts.token, name="token")
app.add_typer(sources.source, name="source")
contracts.contract.add_typer(drafts.draft)
contracts.contract.add_typer(proposals.proposal)
app.add_typer(contracts.contract, name="contract")
app.add_typer(keys.key, name="key")
app.add_typer(openings.opening, name="opening")
app.command("deliver")(deliveries.deliver)
app.add_typer(deliveries.delivery, name="delivery")
datasets.dataset.add_typer(maintenance.maintenance)
app.add_typer(datasets.dataset, name="dataset")
app.add_typer(erasures.erasure, name="erasure")
grants.grant.add_typer(grant_requests.request)
app.add_typer(grants.grant, name="grant")
app.command("sql")(sql)
app.add_typer(queries.query, name="query")
app.add_typer(products.product, name="product")
app.add_typer(products.size, name="size")
workspaces.workspace.command("open")(visits.open_)
workspaces.workspace.command("hours")(hours.hours)
workspaces.workspace.command("prove")(proofs.prove)
workspaces.workspace.command("proofs")(proofs.proofs)
app.add_typer(workspaces.workspace, name="workspace")
app.add_typer(repositories.repository, name="repository")
app.add_typer(repositories.package, name="package")
app.add_typer(airlock.airlock, name="airlock")
app.command("flows")(ledger.flows)
app.add_typer(ledger.audit, name="audit")
app.add_typer(ledger.cost, name="cost")
app.add_typer(budgets.budget, name="budget")
app.add_typer(operations.operation, name="operation")
app.command("settings")(operations.settings)

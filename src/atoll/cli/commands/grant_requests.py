"""`grant request` and what follows: a project asks, a steward of no part in it decides."""

from __future__ import annotations

from typing import Annotated

import typer

from atoll.cli.commands.grants import AtVersion, Columns, RowFilter, Tables, table_grants
from atoll.cli.options import AsJson, AtMost, Expires, parse_expiry
from atoll.cli.output import note, show_many, show_one
from atoll.cli.session import client

#: Commands of `grant`.
request = typer.Typer()

Id = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")]
Reason = Annotated[str, typer.Option(help="Why; who asked reads it.")]


@request.command("request")
def ask(
    project: Annotated[str, typer.Option(help="For this project of yours.")],
    dataset: Annotated[str, typer.Option(help="This dataset.")],
    purpose: Annotated[str, typer.Option(help="What it is needed for.")],
    table: Tables = None,
    columns: Columns = None,
    row_filter: RowFilter = None,
    version: AtVersion = None,
    expires: Expires = None,
    as_json: AsJson = False,
) -> None:
    """Ask that your project may read a dataset, whole or in part; a steward decides."""
    tables = table_grants(table or [], columns or [], row_filter or [])
    with client() as atoll:
        made = atoll.grants.request(
            project, dataset, purpose=purpose, tables=tables, version=version, expires_at=parse_expiry(expires)
        )
    show_one("grant_request", made, as_json=as_json)
    note(f"A steward who is not of the project decides: atoll grant approve {made['id']}, or refuse.")


@request.command("requests")
def requests(
    project: Annotated[str | None, typer.Option(help="Of this project.")] = None,
    dataset: Annotated[str | None, typer.Option(help="For this dataset.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="That wait for a decision.")] = False,
    limit: AtMost = None,
    as_json: AsJson = False,
) -> None:
    """Requests that you may see, newest first."""
    with client() as atoll:
        found = atoll.grants.requests(project=project, dataset=dataset, waiting=waiting, at_most=limit)
        show_many("grant_request", found, as_json=as_json)


@request.command("approve")
def approve(request_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Give what a project asked for; a grant in force is replaced."""
    with client() as atoll:
        show_one("grant_request", atoll.grants.decide(request_id, approve=True, reason=reason), as_json=as_json)


@request.command("refuse")
def refuse(request_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Turn down what a project asked for."""
    with client() as atoll:
        show_one("grant_request", atoll.grants.decide(request_id, approve=False, reason=reason), as_json=as_json)


@request.command("withdraw")
def withdraw(request_id: Id, as_json: AsJson = False) -> None:
    """Take your own request back."""
    with client() as atoll:
        show_one("grant_request", atoll.grants.withdraw(request_id), as_json=as_json)

"""`source`: who delivers."""

from __future__ import annotations

from typing import Annotated

import typer

from atoll.cli.commands.accounts import show_secret
from atoll.cli.options import AsJson
from atoll.cli.output import show_many, show_one
from atoll.cli.session import client

source = typer.Typer(no_args_is_help=True, help="Laboratories and third parties that deliver.")

Name = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name.")]


@source.command("add")
def add(
    name: Name,
    dataset: Annotated[list[str], typer.Option("--dataset", help="It may deliver to this dataset; several times.")],
    title: Annotated[str, typer.Option(help="Who it is.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a source and say what it may deliver to."""
    with client() as atoll:
        show_one("source", atoll.sources.add(name, title or name, dataset), as_json=as_json)


@source.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every source."""
    with client() as atoll:
        show_many("source", atoll.sources.list(), as_json=as_json)


@source.command("token")
def token(
    name: Name,
    label: Annotated[str, typer.Option(help="What the token is for.")] = "delivery",
    as_json: AsJson = False,
) -> None:
    """Make a token that can only deliver as this source; it is shown once."""
    with client() as atoll:
        show_secret(atoll.sources.token(name, label), as_json=as_json)

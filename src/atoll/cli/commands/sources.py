"""`source`: who delivers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atoll.cli.commands.accounts import show_secret
from atoll.cli.options import AsJson
from atoll.cli.output import note, show_many, show_one
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


key = typer.Typer(no_args_is_help=True, help="Public keys with which a source signs in by SFTP.")
source.add_typer(key, name="key")


@key.command("add")
def add_key(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The .pub file of the source's key.", exists=True, dir_okay=False)],
    label: Annotated[str, typer.Option(help="Whose key it is.")] = "sftp",
    as_json: AsJson = False,
) -> None:
    """Let the holder of a key deliver by SFTP; the user name there is the source's."""
    with client() as atoll:
        show_one("source_key", atoll.sources.add_key(name, file.read_text(), label), as_json=as_json)


@key.command("list")
def list_keys(name: Name, as_json: AsJson = False) -> None:
    """The keys of a source."""
    with client() as atoll:
        show_many("source_key", atoll.sources.keys(name), as_json=as_json)


@key.command("remove")
def remove_key(name: Name, id: Annotated[str, typer.Argument(metavar="KEY", help="The key's id.")]) -> None:
    """A key opens nothing any more, at once."""
    with client() as atoll:
        atoll.sources.remove_key(name, id)
    note(f"The key {id} opens nothing any more.")

"""`erasure`: a person is taken out of every dataset, and the proof of it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from atoll.cli.options import AsJson
from atoll.cli.output import note, show_many, show_one
from atoll.cli.session import client

erasure = typer.Typer(no_args_is_help=True, help="A person taken out of every dataset, with a proof.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The erasure's id.")]


@erasure.command("list")
def list_(as_json: AsJson = False) -> None:
    """Erasures, newest first; never who it was."""
    with client() as atoll:
        show_many("erasure", atoll.erasures.list(), as_json=as_json)


@erasure.command("show")
def show(erasure_id: Id, as_json: AsJson = False) -> None:
    """One erasure: how many rows were erased where, and what was searched afterwards."""
    with client() as atoll:
        show_one("erasure", atoll.erasures.show(erasure_id), as_json=as_json)


@erasure.command("add")
def add(
    domain: Annotated[str, typer.Option(help="The pseudonymisation domain that the identifier belongs to.")],
    reason: Annotated[str, typer.Option(help="Why, without saying who.")],
    confirm: Annotated[str, typer.Option(help="The name of the domain again: it cannot be undone.")],
    by_pseudonym: Annotated[
        bool, typer.Option("--by-pseudonym", help="What is given is a pseudonym that the lake shows.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person from every dataset. Whom is asked for, or read from the first line of stdin: never an argument."""
    if sys.stdin.isatty():
        whom = str(typer.prompt("Pseudonym" if by_pseudonym else "Identifier", hide_input=True, err=True))
    else:
        whom = sys.stdin.readline().rstrip("\n")
    given = {"pseudonym": whom} if by_pseudonym else {"identifier": whom}
    with client() as atoll:
        made = atoll.erasures.add(domain, reason=reason, confirm=confirm, **given)
    show_one("erasure", made, as_json=as_json)
    note(f"`atoll erasure show {made['id']}` tells when it is proven.")

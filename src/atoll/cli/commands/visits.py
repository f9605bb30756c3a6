"""`workspace open`: from the command line into the browser."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from atoll.cli.launching import find
from atoll.cli.options import AsJson
from atoll.cli.output import note, print_json
from atoll.cli.session import client


def open_(
    which: Annotated[str, typer.Argument(metavar="ID|NAME", help="The workspace.")],
    browser: Annotated[
        bool, typer.Option("--browser", help="Open it in this computer's browser instead of printing the address.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The address at which your browser enters the machine: once, and within a minute.

    Whoever has the address gets in as you. Ask again for each browser.
    """
    with client() as atoll:
        ticket = atoll.visits.ticket(find(atoll, which))
    if as_json:
        print_json(ticket)
        return
    if browser and webbrowser.open(ticket["url"]):
        note("It opens in the browser.")
        return
    typer.echo(ticket["url"])

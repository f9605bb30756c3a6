"""`operation`, `settings`: long work, and the server's settings."""

from __future__ import annotations

from typing import Annotated

import typer

from atoll.cli.options import AsJson, AtMost
from atoll.cli.output import note, show_many, show_one
from atoll.cli.session import client

operation = typer.Typer(no_args_is_help=True, help="Long work with steps, progress and a log.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The operation's id.")]


@operation.command("list")
def list_(limit: AtMost = 50, as_json: AsJson = False) -> None:
    """Operations, newest first."""
    with client() as atoll:
        show_many("operation", atoll.operations.list(at_most=limit), as_json=as_json)


@operation.command("show")
def show(operation_id: Id, as_json: AsJson = False) -> None:
    """One operation with its steps."""
    with client() as atoll:
        show_one("operation", atoll.operations.show(operation_id), as_json=as_json)


@operation.command("log")
def log(operation_id: Id, as_json: AsJson = False) -> None:
    """The operation's log, oldest first."""
    with client() as atoll:
        show_many("log_line", atoll.operations.log(operation_id), as_json=as_json)


@operation.command("cancel")
def cancel(operation_id: Id, as_json: AsJson = False) -> None:
    """Ask an operation to stop at its next safe point."""
    with client() as atoll:
        show_one("operation", atoll.operations.cancel(operation_id), as_json=as_json)
    note(f"Operation {operation_id} was asked to stop; `atoll operation show {operation_id}` tells when it has.")


def settings(as_json: AsJson = False) -> None:
    """The settings in force on the server, secrets masked."""
    with client() as atoll:
        show_many("setting", atoll.platform.settings(), as_json=as_json)

"""How a command ends when something is wrong."""

from __future__ import annotations

import os
import sys

import typer
from rich.markup import escape
from typer._click.core import Context
from typer.core import TyperGroup

from atoll.cli.exit_codes import exit_code_of
from atoll.cli.output import note_console
from atoll.errors import AtollError, ContractInvalid


class FailingPlainly(TyperGroup):
    """The root of the commands: domain errors become a few lines on stderr and an exit code."""

    def invoke(self, ctx: Context) -> object:
        """Run the command. Raises `typer.Exit` with the code of the table in `exit_codes`."""
        try:
            return super().invoke(ctx)
        except AtollError as error:
            tell(error)
            raise typer.Exit(exit_code_of(error)) from None
        except BrokenPipeError:
            # Whoever read our output has seen enough; the rest goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None


def tell(error: AtollError) -> None:
    """What happened, where, and what to do, on stderr."""
    console = note_console()
    console.print(f"[bold red]Error:[/] {escape(error.what)}" + (f" ({escape(error.where)})" if error.where else ""))
    if isinstance(error, ContractInvalid):
        for finding in error.findings:
            console.print(f"  {escape(finding)}")
    if error.todo:
        console.print(escape(error.todo[0].upper() + error.todo[1:]))

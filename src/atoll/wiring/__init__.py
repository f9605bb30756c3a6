"""The composition root: what is plugged into what, and the `atoll` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer import Typer


def command_line() -> Typer:
    """Every command of the CLI, and those that act on this host itself: up, doctor, dataset export and
    import, environment, sign-on."""
    from atoll.cli.app import app
    from atoll.cli.commands.datasets import dataset
    from atoll.wiring.backup_commands import export, import_
    from atoll.wiring.host_commands import doctor, environment
    from atoll.wiring.sign_on_commands import sign_on
    from atoll.wiring.up import up

    if not any(command.name == "up" for command in app.registered_commands):
        app.command(name="up")(up)
        app.command(name="doctor")(doctor)
        dataset.command(name="export")(export)
        dataset.command(name="import")(import_)
        app.add_typer(environment, name="environment")
        app.add_typer(sign_on, name="sign-on")
    return app


def main() -> None:
    """The `atoll` command."""
    command_line()()

"""Commands for whoever keeps the host: what it can give, and the environments of machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atoll.errors import AtollError

if TYPE_CHECKING:
    from atoll.settings import Settings

environment = typer.Typer(help="Environments that machines run, built on this host.", no_args_is_help=True)
_Home = Annotated[Path | None, typer.Option(help="The platform's home (ATOLL_HOME).")]


def doctor(home: _Home = None) -> None:
    """What this host can give to machines, and what it cannot. Exits 1 when something is missing."""
    from atoll.wiring import machines, sign_on_commands

    found = machines.backends(_settings(home))
    if not found:
        typer.echo("No backend: bubblewrap is not installed. Install it (apt-get install bubblewrap).", err=True)
        raise typer.Exit(1)
    told = [sign_on_commands.told(name, problem) for name, problem in sign_on_commands.findings()]
    missing = not all(told)
    for name, backend in found.items():
        for finding in backend.doctor():
            missing = missing or not finding.good
            typer.echo(f"{'ok ' if finding.good else 'NO '} {name}: {finding.what}: {finding.detail}")
            if finding.todo and not finding.good:
                typer.echo(f"     {finding.todo}")
    raise typer.Exit(1 if missing else 0)


@environment.command("build")
def build(
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of `atoll environment list`.")], home: _Home = None
) -> None:
    """Build an environment or an image of virtual machines, or leave it as it is when it is up to date."""
    from atoll.providers.sandbox import build_environment
    from atoll.providers.vm import build_virtual_machine, shipped_images
    from atoll.wiring import machines

    made = build_virtual_machine if name in shipped_images() else build_environment
    try:
        typer.echo(str(made(name, machines.environments(_settings(home)))))
    except AtollError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@environment.command("list")
def list_environments() -> None:
    """The environments that ship with Atoll, those of virtual machines among them."""
    from atoll.providers.sandbox import shipped_environments
    from atoll.providers.vm import shipped_images

    for name in (*shipped_environments(), *shipped_images()):
        typer.echo(name)


def _settings(home: Path | None) -> Settings:
    from atoll.settings import Settings

    return Settings() if home is None else Settings(home=home)

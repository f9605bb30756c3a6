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
    good, words = _master_key(_settings(home))
    typer.echo(f"{'ok ' if good else 'NO '} master key: {words}")
    told = [good, *[sign_on_commands.told(name, problem) for name, problem in sign_on_commands.findings()]]
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


def _master_key(settings: Settings) -> tuple[bool, str]:
    """Where the master key comes from, and whether it opens; nothing is made."""
    from atoll.wiring import platform

    file = settings.home_dir / "keys" / "master.key"
    try:
        if settings.master_key_kms:
            from atoll.providers.aws.master_key import standing

            words = standing(platform.kms_key(settings))
            if (file.parent / "master.kms").exists():
                platform.master_key(settings)
                return True, f"from AWS KMS: {words}, and opens it"
            return True, f"from AWS KMS: {words}; the first start makes it"
        if settings.master_key.get_secret_value():
            return True, f"from the environment: {platform.master_key(settings).key_id}"
        if not file.exists():
            return True, "from a file; the first start makes it"
        return True, f"from {file}: {platform.master_key(settings).key_id}"
    except AtollError as error:
        return False, str(error)


def _settings(home: Path | None) -> Settings:
    from atoll.settings import Settings

    return Settings() if home is None else Settings(home=home)

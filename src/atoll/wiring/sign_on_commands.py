"""Commands for whoever connects a directory or an issuer: does it answer, and what would it give?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from atoll.errors import AtollError, TextInvalid

sign_on = typer.Typer(help="Sign-on by a directory or an issuer, tried from this host.", no_args_is_help=True)


@sign_on.command("check")
def check() -> None:
    """Whether directory, issuer and group map can be used, as the settings say. Exits 1 when one cannot."""
    good = [told(name, problem) for name, problem in findings()]
    if not good:
        typer.echo("Neither a directory nor an issuer is set (ATOLL_LDAP_URLS, ATOLL_OIDC_ISSUER).")
    raise typer.Exit(0 if all(good) else 1)


@sign_on.command("show")
def show(login: Annotated[str, typer.Argument(help="The login, as the person types it.")]) -> None:
    """What the directory says of a person, and what their groups would give. Changes nothing."""
    from atoll.settings import Settings
    from atoll.wiring import sign_on as wiring

    settings = Settings()
    try:
        made = wiring.build(settings)
        if made.directory is None:
            typer.echo("No directory is set (ATOLL_LDAP_URLS).", err=True)
            raise typer.Exit(1)
        found = made.directory.look_up(login)
    except AtollError as error:
        _fail(error)
    if found is None:
        typer.echo(f"{login}: not there, not allowed to sign in, or not the only one.")
        raise typer.Exit(1)
    rights = made.group_map.rights(found.groups)
    typer.echo(f"login     {found.login}\nname      {found.display_name}")
    for group in found.groups:
        typer.echo(f"group     {group}")
    typer.echo(f"roles     {', '.join(sorted(rights.roles)) or 'none'}")
    projects = (f"{name} (lead)" if lead else name for name, lead in sorted(rights.projects.items()))
    typer.echo(f"projects  {', '.join(projects) or 'none'}")
    if not rights.any:
        typer.echo("No group gives a right: the person does not come in.")


def findings() -> list[tuple[str, AtollError | None]]:
    """Each part of sign-on that is set, and what is wrong with it."""
    from atoll.settings import Settings
    from atoll.wiring import sign_on as wiring

    try:
        made = wiring.build(Settings())
    except AtollError as error:
        return [("sign-on", error)]
    parts = [("directory", made.directory), ("issuer", made.issuer)]
    return [(name, _problem(part.check)) for name, part in parts if part is not None]


def _problem(check: Callable[[], None]) -> AtollError | None:
    try:
        check()
    except AtollError as error:
        return error
    return None


def told(name: str, problem: AtollError | None) -> bool:
    """Say whether a part can be used; whether it can."""
    typer.echo(f"ok  {name}: answers" if problem is None else f"NO  {name}: {problem}")
    for finding in problem.findings if isinstance(problem, TextInvalid) else ():
        typer.echo(f"     {finding}")
    return problem is None


def _fail(error: AtollError) -> NoReturn:
    told("sign-on", error)
    raise typer.Exit(1) from None

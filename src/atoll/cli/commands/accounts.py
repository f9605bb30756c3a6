"""`login`, `whoami`, `person`, `project`, `token`."""

from __future__ import annotations

from typing import Annotated

import typer

from atoll.cli.cells import local_time
from atoll.cli.options import AsJson, Expires, PasswordFromStdin, parse_day, parse_expiry, read_password
from atoll.cli.output import find, note, print_json, show_many, show_one
from atoll.cli.session import client, client_without_token
from atoll.errors import SecondFactorRequired
from atoll.model.person import Role

person = typer.Typer(no_args_is_help=True, help="People and their roles.")
project = typer.Typer(no_args_is_help=True, help="Projects and their members.")
member = typer.Typer(no_args_is_help=True, help="Who belongs to a project.")
token = typer.Typer(no_args_is_help=True, help="API tokens.")
project.add_typer(member, name="member")

Login = Annotated[str, typer.Argument(help="The person's login.")]
ProjectName = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's name.")]


def login(
    name: Login,
    as_json: AsJson = False,
    password_stdin: PasswordFromStdin = False,
    code: Annotated[str | None, typer.Option(help="Code of the second factor; it is good for half a minute.")] = None,
) -> None:
    """Sign in with a password; prints a token to put into ATOLL_TOKEN.

    export ATOLL_TOKEN="$(atoll login NAME)"
    """
    password = read_password(password_stdin)
    with client_without_token() as atoll:
        try:
            signed_in = atoll.accounts.sign_in(name, password, code)
        except SecondFactorRequired:
            if password_stdin:
                raise
            signed_in = atoll.accounts.sign_in(name, password, str(typer.prompt("Code", err=True)))
    show_secret(signed_in, as_json=as_json)


def whoami(as_json: AsJson = False) -> None:
    """Who the token speaks for, and what it may do."""
    with client() as atoll:
        show_one("me", atoll.accounts.me(), as_json=as_json)


def logout(as_json: AsJson = False) -> None:
    """Sign out everywhere: every browser and every token of a sign-in. API tokens stay."""
    with client() as atoll:
        atoll.accounts.sign_out_everywhere()
    if as_json:
        print_json({"signed_out": True})
    else:
        note("You are signed out everywhere.")


@person.command("add")
def person_add(
    name: Login,
    display_name: Annotated[str, typer.Option("--name", help="The person's name, as shown.")] = "",
    role: Annotated[list[Role] | None, typer.Option("--role", help="A role; may be given several times.")] = None,
    password_stdin: PasswordFromStdin = False,
    with_password: Annotated[bool, typer.Option("--password", help="Ask for a password on the terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a person; without a password they work by tokens only."""
    password = read_password(password_stdin, confirm=True) if password_stdin or with_password else None
    with client() as atoll:
        added = atoll.people.add(name, display_name or name, [r.value for r in role or []], password)
    show_one("person", added, as_json=as_json)


@person.command("list")
def person_list(as_json: AsJson = False) -> None:
    """Everybody."""
    with client() as atoll:
        show_many("person", atoll.people.list(), as_json=as_json)


@person.command("roles")
def person_roles(
    name: Login,
    role: Annotated[list[Role] | None, typer.Argument(help="The roles from now on; none takes all away.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set a person's roles."""
    with client() as atoll:
        changed = atoll.people.change(atoll.people.id_of(name), roles=[r.value for r in role or []])
    show_one("person", changed, as_json=as_json)


@person.command("deactivate")
def person_deactivate(name: Login, as_json: AsJson = False) -> None:
    """Let a person in no longer; their tokens stop at once."""
    with client() as atoll:
        changed = atoll.people.change(atoll.people.id_of(name), active=False)
    show_one("person", changed, as_json=as_json)


@person.command("dates")
def person_dates(
    name: Login,
    training: Annotated[str | None, typer.Option(metavar="DATE", help="Last day of the training, or `none`.")] = None,
    agreement: Annotated[str | None, typer.Option(metavar="DATE", help="Last day of the agreement, or `none`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put on record until when a person's training and signed agreement count."""
    given = {"training_until": training, "agreement_until": agreement}
    dates = {name: parse_day(text) for name, text in given.items() if text is not None}
    with client() as atoll:
        changed = atoll.people.change(atoll.people.id_of(name), dates=dates)
    show_one("person", changed, as_json=as_json)


@person.command("reset-second-factor")
def person_reset_second_factor(name: Login, as_json: AsJson = False) -> None:
    """Take the second factor away from a person who lost it."""
    with client() as atoll:
        atoll.people.reset_second_factor(atoll.people.id_of(name))
    if as_json:
        print_json({"login": name, "second_factor": False})
    else:
        note(f"{name} signs in by password alone until a second factor is set up again.")


@project.command("add")
def project_add(
    name: ProjectName,
    title: Annotated[str, typer.Option(help="What the project is about.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a project."""
    with client() as atoll:
        show_one("project", atoll.projects.add(name, title or name), as_json=as_json)


@project.command("list")
def project_list(as_json: AsJson = False) -> None:
    """Projects that you may see."""
    with client() as atoll:
        show_many("project", atoll.projects.list(), as_json=as_json)


@project.command("paste")
def project_paste(
    name: ProjectName,
    allowed: Annotated[bool, typer.Option("--allow/--forbid", help="Whether text may be pasted in.")],
    as_json: AsJson = False,
) -> None:
    """Allow or forbid to paste text into the project's desktops. None ever comes out but by the airlock."""
    with client() as atoll:
        show_one("project", atoll.projects.set_paste(name, allowed), as_json=as_json)


@member.command("add")
def member_add(
    name: ProjectName,
    person_login: Login,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="The end of the membership: a date or time, or in so long: 90d.")
    ] = None,
    lead: Annotated[bool, typer.Option("--lead", help="The person answers for the project.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a person into a project, or change how long they are in it."""
    with client() as atoll:
        changed = atoll.projects.add_member(name, person_login, until=parse_expiry(until), lead=lead)
    show_one("project", changed, as_json=as_json)


@member.command("remove")
def member_remove(name: ProjectName, person_login: Login, as_json: AsJson = False) -> None:
    """Take a person out of a project."""
    with client() as atoll:
        show_one("project", atoll.projects.remove_member(name, person_login), as_json=as_json)


@token.command("create")
def token_create(
    label: Annotated[str, typer.Argument(help="What the token is for.")],
    expires: Expires = None,
    name: Annotated[str | None, typer.Option("--person", help="For this person (admin).")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token; it is shown once."""
    with client() as atoll:
        made = atoll.tokens.create(label, expires_at=parse_expiry(expires), login=name)
    show_secret(made, as_json=as_json)


@token.command("list")
def token_list(
    name: Annotated[str | None, typer.Option("--person", help="Of this person (admin).")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Of this source (admin).")] = None,
    as_json: AsJson = False,
) -> None:
    """Your tokens; the tokens themselves are not kept and cannot be shown."""
    with client() as atoll:
        show_many("token", atoll.tokens.list(login=name, source=source), as_json=as_json)


@token.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The token's id.")], as_json: AsJson = False
) -> None:
    """End a token; it is good no longer at once."""
    with client() as atoll:
        atoll.tokens.revoke(token_id)
    if as_json:
        print_json({"id": token_id, "revoked": True})
    else:
        note(f"Token {token_id} is revoked.")


def show_secret(answer: dict[str, object], *, as_json: bool) -> None:
    """The token alone to stdout, so that a shell can take it; what there is to know to stderr."""
    if as_json:
        print_json(answer)
        return
    typer.echo(str(answer["token"]))
    good_until = answer.get("expires_at") or find(answer, "record.expires_at")
    note(f"Put the token into ATOLL_TOKEN; it is shown this once. It is good until {local_time(good_until)}.")

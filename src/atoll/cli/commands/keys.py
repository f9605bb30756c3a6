"""`key`: keys of domains, rotated and destroyed by two persons."""

from __future__ import annotations

from typing import Annotated

import typer

from atoll.cli.options import AsJson, AtMost
from atoll.cli.output import note, show_many, show_one
from atoll.cli.session import client

key = typer.Typer(no_args_is_help=True, help="Keys of pseudonymisation domains: by id, never the keys.")

Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain's name.")]
Id = Annotated[str, typer.Argument(metavar="CHANGE", help="The id of what was asked.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]


@key.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every domain with the id of its key and the datasets that stand on it."""
    with client() as atoll:
        show_many("domain_key", atoll.keys.list(), as_json=as_json)


@key.command("rotate")
def rotate(domain: Domain, reason: Reason, yes: Yes = False, as_json: AsJson = False) -> None:
    """Ask for a new key in place of the old one, having read what that means."""
    _ask(domain, "rotate", reason, yes, as_json)


@key.command("destroy")
def destroy(domain: Domain, reason: Reason, yes: Yes = False, as_json: AsJson = False) -> None:
    """Ask that the key be destroyed for good, having read what that means."""
    _ask(domain, "destroy", reason, yes, as_json)


@key.command("changes")
def changes(
    domain: Annotated[str | None, typer.Option(help="Of this domain.")] = None,
    limit: AtMost = None,
    as_json: AsJson = False,
) -> None:
    """What was asked, newest first."""
    with client() as atoll:
        show_many("key_change", atoll.keys.changes(domain=domain, at_most=limit), as_json=as_json)


@key.command("approve")
def approve(change_id: Id, reason: Reason, yes: Yes = False, as_json: AsJson = False) -> None:
    """Do what another person asked, having read what it means."""
    with client() as atoll:
        asked = atoll.keys.show(change_id)
        _confirm(asked["meaning"], asked["act"], asked["domain"], yes)
        show_one("key_change", atoll.keys.decide(change_id, approve=True, reason=reason), as_json=as_json)


@key.command("refuse")
def refuse(change_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Turn down what another person asked."""
    with client() as atoll:
        show_one("key_change", atoll.keys.decide(change_id, approve=False, reason=reason), as_json=as_json)


@key.command("withdraw")
def withdraw(change_id: Id, as_json: AsJson = False) -> None:
    """Take back what you asked."""
    with client() as atoll:
        show_one("key_change", atoll.keys.withdraw(change_id), as_json=as_json)


def _ask(domain: str, act: str, reason: str, yes: bool, as_json: bool) -> None:
    with client() as atoll:
        _confirm(atoll.keys.meaning(domain, act)["meaning"], act, domain, yes)
        made = atoll.keys.ask(domain, act, reason)
    show_one("key_change", made, as_json=as_json)
    note(f"Nothing is done yet. Another steward decides: atoll key approve {made['id']} --reason ...")


def _confirm(meaning: list[str], act: str, domain: str, yes: bool) -> None:
    """Tell what it means; raises `typer.Abort` when the domain's name is not typed."""
    note(f"To {act} the key of {domain} means:")
    for line in meaning:
        note(f"- {line}")
    if not yes and typer.prompt("Type the domain's name to go on", err=True) != domain:
        raise typer.Abort

"""`workspace`: machines of one's own."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from atoll.cli.launching import agree_to_price, end_by_state, find, parameter_values, settle
from atoll.cli.options import AsJson, AtMost
from atoll.cli.output import note, print_heading, print_json, show_many, show_one
from atoll.cli.session import client

workspace = typer.Typer(no_args_is_help=True, help="Machines of your own, from the catalog.")

Which = Annotated[str, typer.Argument(metavar="ID|NAME", help="The workspace.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is so.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree to the price without being asked.")]


@workspace.command("create")
def create(
    product: Annotated[str, typer.Argument(help="The product, or NAME@NUMBER for one version.")],
    project: Annotated[str, typer.Option(help="In this project.")],
    name: Annotated[str | None, typer.Option(help="What you call it; without it a name is made.")] = None,
    size: Annotated[str | None, typer.Option(help="One of the product's; without it its default.")] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A parameter of the product; NAME=@FILE takes it from a file."
        ),
    ] = None,
    backend: Annotated[str | None, typer.Option(help="Where it runs; without it the first that fits.")] = None,
    queue: Annotated[
        bool, typer.Option("--queue", help="Where there is no room, wait and start by itself, instead of a refusal.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would come to.")] = False,
    yes: Yes = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Launch a workspace. The price is shown, and launched only when you agree."""
    with client() as atoll:
        values = parameter_values(parameter or [], atoll.products.show(product.partition("@")[0])["parameters"])
        quote = atoll.workspaces.quote(
            product, project, name=name, size=size, parameters=values, backend=backend, queue=queue
        )
        if dry_run:
            show_one("quote", quote, as_json=as_json)
            return
        waits = [f"It will wait in the queue. {quote['waits']}"] if quote["waits"] else []
        agree_to_price(quote["size"], [*quote["warnings"], *waits], yes=yes)
        found = atoll.workspaces.create(
            product,
            project,
            confirm_eur_per_hour=quote["size"]["eur_per_hour"],
            name=quote["name"],
            size=quote["size"]["name"],
            parameters=values,
            backend=quote["backend"],
            queue=queue,
        )
        found = settle(atoll, found, wait=wait)
    show_one("workspace", found, as_json=as_json)
    end_by_state(found, waited=wait)


@workspace.command("list")
def list_(
    project: Annotated[str | None, typer.Option(help="Of this project.")] = None,
    ended: Annotated[bool, typer.Option("--all", help="The terminated too.")] = False,
    limit: AtMost = None,
    as_json: AsJson = False,
) -> None:
    """Workspaces that you may see, newest first."""
    with client() as atoll:
        show_many("workspace", atoll.workspaces.list(project=project, ended=ended, at_most=limit), as_json=as_json)


@workspace.command("show")
def show(which: Which, as_json: AsJson = False) -> None:
    """One workspace: its state and why, its price, the operation on it."""
    with client() as atoll:
        show_one("workspace", atoll.workspaces.show(find(atoll, which)), as_json=as_json)


def _ordered(verb: Literal["stop", "hibernate", "wake"], which: str, *, wait: bool, as_json: bool) -> None:
    """Give an order that is no more than its name, and show the workspace then."""
    with client() as atoll:
        found = settle(atoll, getattr(atoll.workspaces, verb)(find(atoll, which)), wait=wait)
    show_one("workspace", found, as_json=as_json)
    end_by_state(found, waited=wait)


@workspace.command("stop")
def stop(which: Which, wait: Wait = False, as_json: AsJson = False) -> None:
    """End its processes; the home stays."""
    _ordered("stop", which, wait=wait, as_json=as_json)


@workspace.command("hibernate")
def hibernate(which: Which, wait: Wait = False, as_json: AsJson = False) -> None:
    """Have it stand still, with what is in memory kept."""
    _ordered("hibernate", which, wait=wait, as_json=as_json)


@workspace.command("wake")
def wake(which: Which, wait: Wait = False, as_json: AsJson = False) -> None:
    """Have it run again, from hibernation or from its start."""
    _ordered("wake", which, wait=wait, as_json=as_json)


@workspace.command("resize")
def resize(
    which: Which,
    size: Annotated[str, typer.Argument(help="The new size.")],
    yes: Yes = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Give it another size of its product; the price is shown first."""
    with client() as atoll:
        workspace_id = find(atoll, which)
        priced = next((s for s in atoll.products.sizes() if s["name"] == size), None)
        if priced is not None:
            agree_to_price(priced, (), yes=yes)
        price = "0" if priced is None else priced["eur_per_hour"]
        found = settle(atoll, atoll.workspaces.resize(workspace_id, size, confirm_eur_per_hour=price), wait=wait)
    show_one("workspace", found, as_json=as_json)
    end_by_state(found, waited=wait)


@workspace.command("extend")
def extend(
    which: Which,
    days: Annotated[int | None, typer.Option(min=1, help="From now; without it as many as its product gives.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let it stand longer."""
    with client() as atoll:
        show_one("workspace", atoll.workspaces.extend(find(atoll, which), days), as_json=as_json)


@workspace.command("terminate")
def terminate(
    which: Which,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Take it away for good, with its home."""
    with client() as atoll:
        workspace_id = find(atoll, which)
        if not yes:
            typer.confirm(f"Terminate {which}? Everything in its home is lost.", abort=True, err=True)
        found = settle(atoll, atoll.workspaces.terminate(workspace_id), wait=wait)
    show_one("workspace", found, as_json=as_json)
    end_by_state(found, waited=wait)


@workspace.command("log")
def log(
    which: Which,
    output: Annotated[bool, typer.Option("--output", help="Only what the machine printed.")] = False,
    as_json: AsJson = False,
) -> None:
    """What was done to it, and what it printed."""
    with client() as atoll:
        found = atoll.workspaces.log(find(atoll, which))
    if as_json:
        print_json(found)
        return
    if not output:
        show_many("workspace_line", found["lines"], as_json=False)
        print_heading("\noutput")
    if found["output"] is None:
        note("What it printed is not to be seen: by you, or now.")
    else:
        sys.stdout.write(found["output"])


@workspace.command("share")
def share(
    which: Which,
    login: Annotated[str, typer.Argument(help="A member of its project.")],
    look_on: Annotated[bool, typer.Option("--look-on", help="Of a screen: to look, without keys and pointer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let another member of its project see it and what is in it; again changes how."""
    with client() as atoll:
        found = atoll.workspaces.share(find(atoll, which), login, look_on=look_on)
    show_one("workspace", found, as_json=as_json)


@workspace.command("unshare")
def unshare(
    which: Which, login: Annotated[str, typer.Argument(help="Who sees it no longer.")], as_json: AsJson = False
) -> None:
    """Let somebody see it no longer."""
    with client() as atoll:
        found = atoll.workspaces.unshare(find(atoll, which), login)
    show_one("workspace", found, as_json=as_json)

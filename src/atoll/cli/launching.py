"""What the commands on workspaces share: which one is meant, its parameters, its price, and waiting."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from atoll.cli import cells
from atoll.cli.bars import progress_bars
from atoll.cli.exit_codes import ExitCode
from atoll.cli.options import read_text
from atoll.cli.output import note
from atoll.errors import InvalidInput

if TYPE_CHECKING:
    from atoll.client import AtollClient

Json = dict[str, Any]


def find(atoll: AtollClient, which: str) -> str:
    """The id that is meant: an id itself, or the name of one's own. Raises `NotFound`."""
    if which.startswith("wsp_"):
        return which
    return atoll.workspaces.id_of(which, str(atoll.accounts.me()["name"]))


def parameter_values(given: Sequence[str], schema: Mapping[str, Any]) -> Json:
    """`NAME=VALUE` as values of the types that the product's schema has. Raises `InvalidInput`."""
    values: Json = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidInput("A parameter is given as NAME=VALUE.", where=f"--set {name}")
        if value.startswith("@"):
            value = read_text(Path(value[1:]))
        kind = schema.get("properties", {}).get(name, {}).get("type")
        values[name] = value if kind in (None, "string") else _typed(name, value, str(kind))
    return values


def agree_to_price(size: Mapping[str, Any], warnings: Iterable[str], *, yes: bool) -> None:
    """Tell the price, and ask. Raises `typer.Abort` when it is not agreed to."""
    for warning in warnings:
        note(warning)
    note(
        f"{size['name']} ({cells.count(size['vcpu'])} vCPU, {cells.memory(size['memory_bytes'])}): "
        f"{cells.eur(size['eur_per_hour'])} for an hour of running, "
        f"{cells.eur(size['eur_per_working_month'])} for a month of working hours."
    )
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput("The price was not agreed to, and there is nobody to ask.", todo="Agree to it by --yes.")
    typer.confirm("Launch at this price?", abort=True, err=True)


def settle(atoll: AtollClient, workspace: Json, *, wait: bool) -> Json:
    """The workspace, with `wait` once it changes no more by itself."""
    if not wait:
        return workspace
    with progress_bars() as on_progress:
        return atoll.workspaces.wait(workspace["id"], on_progress)


def end_by_state(workspace: Mapping[str, Any], *, waited: bool) -> None:
    """Tell of a workspace that did not become what was wanted. Raises `typer.Exit` for it."""
    if not waited or workspace["state"] not in ("failed", "unknown"):
        return
    note(f"The workspace is {workspace['state']}: {workspace['reason'] or 'no reason told'}")
    note(f"`atoll workspace log {workspace['id']}` tells more.")
    raise typer.Exit(ExitCode.UNAVAILABLE)


def _typed(name: str, value: str, kind: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        raise InvalidInput(f"The parameter {name} is {kind}, written as JSON.", where=f"--set {name}") from None

"""`dataset compact|retention|expire|keep|unkeep|maintenance`: tables that stay fast and small."""

from __future__ import annotations

from typing import Annotated

import typer

from atoll.cli.commands.datasets import Name
from atoll.cli.options import AsJson
from atoll.cli.output import note, show_many, show_one
from atoll.cli.session import client

#: Commands of `dataset`.
maintenance = typer.Typer()

Number = Annotated[int, typer.Argument(metavar="VERSION", min=1, help="Number of the version.")]
Kept = Annotated[
    int | None, typer.Option("--kept", min=1, help="So many of the newest versions stay; else as the settings say.")
]
Days = Annotated[
    float | None,
    typer.Option("--days", min=0, help="And those that were the newest less than so many days ago."),
]


@maintenance.command("compact")
def compact(
    name: Name,
    whole: Annotated[bool, typer.Option("--whole", help="Lay large files out anew, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make small files large ones, laid out as the contract says. The rows stay as they are."""
    with client() as atoll:
        show_one("operation", atoll.datasets.compact(name, whole=whole), as_json=as_json)
    note(f"`atoll dataset maintenance {name}` tells how far it is.")


@maintenance.command("retention")
def retention(name: Name, kept: Kept = None, days: Days = None, as_json: AsJson = False) -> None:
    """Versions that can be read, and what keeps each from expiring; nothing is changed."""
    with client() as atoll:
        show_many("retention", atoll.datasets.retention(name, kept=kept, days=days), as_json=as_json)


@maintenance.command("expire")
def expire(name: Name, kept: Kept = None, days: Days = None, as_json: AsJson = False) -> None:
    """Have old versions expire, and files removed that nothing refers to. `dataset retention` tells which."""
    with client() as atoll:
        show_one("operation", atoll.datasets.expire(name, kept=kept, days=days), as_json=as_json)
    note(f"`atoll dataset maintenance {name}` tells how far it is.")


@maintenance.command("keep")
def keep(
    name: Name,
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who come after you.")],
    as_json: AsJson = False,
) -> None:
    """See that a version does not expire."""
    with client() as atoll:
        show_one("version", atoll.datasets.keep(name, number, reason), as_json=as_json)


@maintenance.command("unkeep")
def unkeep(name: Name, number: Number, as_json: AsJson = False) -> None:
    """Let a version expire like any other."""
    with client() as atoll:
        show_one("version", atoll.datasets.unkeep(name, number), as_json=as_json)


@maintenance.command("maintenance")
def maintenance_(name: Name, as_json: AsJson = False) -> None:
    """The last operations that maintained a dataset."""
    with client() as atoll:
        show_many("operation", atoll.datasets.maintenance(name), as_json=as_json)

"""`dataset`: what is in the lake."""

from __future__ import annotations

from typing import Annotated

import typer

from atoll.cli.options import AsJson
from atoll.cli.output import show_many, show_one
from atoll.cli.session import client

dataset = typer.Typer(no_args_is_help=True, help="Lake tables under one name.")

Name = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's name.")]


@dataset.command("list")
def list_(as_json: AsJson = False) -> None:
    """Datasets that you may know of."""
    with client() as atoll:
        show_many("dataset", atoll.datasets.list(), as_json=as_json)


@dataset.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """One dataset: its tables, their columns, rows and size."""
    with client() as atoll:
        show_one("dataset", atoll.datasets.show(name), as_json=as_json)


@dataset.command("versions")
def versions(name: Name, as_json: AsJson = False) -> None:
    """Every version, with the delivery that made it."""
    with client() as atoll:
        show_many("version", atoll.datasets.versions(name), as_json=as_json)

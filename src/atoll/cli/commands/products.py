"""`product`, `size`: the catalog of machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atoll.cli.cells import counted
from atoll.cli.exit_codes import ExitCode
from atoll.cli.options import AsJson, read_text
from atoll.cli.output import note, print_json, show_many, show_one
from atoll.cli.session import client
from atoll.errors import ProductInvalid

product = typer.Typer(no_args_is_help=True, help="Machines that can be launched.")
size = typer.Typer(no_args_is_help=True, help="Sizes of machines and their prices.")

Version = Annotated[str, typer.Argument(metavar="NAME@NUMBER", help="The version.")]


@product.command("list")
def list_(as_json: AsJson = False) -> None:
    """Products that you may launch."""
    with client() as atoll:
        show_many("product", atoll.products.list(), as_json=as_json)


@product.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The product.")],
    text: Annotated[bool, typer.Option("--text", help="Show its text instead, as it was reviewed.")] = False,
    as_json: AsJson = False,
) -> None:
    """One product: its sizes and prices, its parameters, its versions."""
    with client() as atoll:
        found = atoll.products.show(name)
    if text and not as_json:
        typer.echo(found["text"], nl=not found["text"].endswith("\n"))
        return
    properties = found["parameters"].get("properties", {})
    required = found["parameters"].get("required", [])
    forms = [{"name": key, "required": key in required, **rule} for key, rule in properties.items()]
    show_one("product", found if as_json else {**found, "forms": forms}, as_json=as_json)


@product.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The product, YAML; - for stdin.")],
    project: Annotated[
        list[str] | None,
        typer.Option("--project", help="Only this project may launch it; several times. Without it every project."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put a product in force as its next version; every finding is told, with its line."""
    try:
        with client() as atoll:
            show_one("product", atoll.products.publish(read_text(file), project), as_json=as_json)
    except ProductInvalid as broken:
        if as_json:
            print_json({"holds": False, "findings": list(broken.findings)})
        else:
            for finding in broken.findings:
                typer.echo(f"{file}: {finding}")
        note(f"{broken.what} ({counted(len(broken.findings), 'finding')})")
        raise typer.Exit(ExitCode.INVALID) from None


@product.command("deprecate")
def deprecate(version: Version, as_json: AsJson = False) -> None:
    """Warn of a version from now on."""
    with client() as atoll:
        show_one("product", atoll.products.deprecate(version), as_json=as_json)


@product.command("retire")
def retire(version: Version, as_json: AsJson = False) -> None:
    """Launch nothing from a version any more; machines launched from it go on."""
    with client() as atoll:
        show_one("product", atoll.products.retire(version), as_json=as_json)


@size.command("list")
def sizes(as_json: AsJson = False) -> None:
    """Sizes with processors, memory and prices."""
    with client() as atoll:
        show_many("size", atoll.products.sizes(), as_json=as_json)

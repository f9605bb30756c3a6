"""`repository`: a project's git repositories; `package`: what went into its machines."""

from __future__ import annotations

from typing import Annotated

import typer

from atoll.cli.options import AsJson, AtMost
from atoll.cli.output import show_many, show_one
from atoll.cli.session import client

repository = typer.Typer(no_args_is_help=True, help="Git repositories of projects, and their backups.")
package = typer.Typer(no_args_is_help=True, help="Packages that went into machines.")

Project = Annotated[str, typer.Argument(help="The project.")]
Name = Annotated[str, typer.Argument(help="The repository.")]


@repository.command("list")
def list_(project: Project, as_json: AsJson = False) -> None:
    """Repositories of a project, with size, last push and last backup."""
    with client() as atoll:
        show_many("repository", atoll.repositories.list(project), as_json=as_json)


@repository.command("create")
def create(project: Project, name: Name, as_json: AsJson = False) -> None:
    """Make an empty one; a first push from a machine makes one, too."""
    with client() as atoll:
        show_one("repository", atoll.repositories.create(project, name), as_json=as_json)


@repository.command("show")
def show(project: Project, name: Name, as_json: AsJson = False) -> None:
    """One repository and the backups that are kept of it."""
    with client() as atoll:
        show_one("repository", atoll.repositories.show(project, name), as_json=as_json)


@repository.command("pushes")
def pushes(project: Project, limit: AtMost = None, as_json: AsJson = False) -> None:
    """What was pushed to the project's repositories, newest first."""
    with client() as atoll:
        show_many("push", atoll.repositories.pushes(project, at_most=limit), as_json=as_json)


@repository.command("restore")
def restore(
    project: Project,
    name: Name,
    generation: Annotated[str, typer.Option(metavar="ID", help="Of the backup; without it the newest.")] = "",
    into: Annotated[str | None, typer.Option(metavar="NAME", help="Bring it back under this name.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put a repository of that name aside on the host first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back, also of a repository that is lost. For operators."""
    with client() as atoll:
        found = atoll.repositories.restore(project, name, generation=generation, into=into, replace=replace)
    show_one("repository", found, as_json=as_json)


@package.command("list")
def list_packages(project: Project, limit: AtMost = None, as_json: AsJson = False) -> None:
    """Packages that went into the project's machines, newest first."""
    with client() as atoll:
        show_many("package", atoll.repositories.packages(project, at_most=limit), as_json=as_json)

"""`query`: queries that the platform runs by itself, their results, and statements that a project keeps."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from atoll.cli import cells
from atoll.cli.commands.sql import target
from atoll.cli.options import AsJson, AtMost, read_text
from atoll.cli.output import note, show_many, show_one
from atoll.cli.session import client
from atoll.errors import InvalidInput

query = typer.Typer(no_args_is_help=True, help="Queries that run by themselves, their kept results, saved statements.")

Id = Annotated[str, typer.Argument(help="The query.")]
Statement = Annotated[str, typer.Argument(help="One SELECT over dataset.table; - reads it from stdin.")]
Project = Annotated[str, typer.Option(help="Under this project's grants.")]


@query.command("run")
def run(
    statement: Statement,
    project: Project,
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute it though the same was asked before.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it is done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have the platform run a statement and keep its result for a while; it goes on when you leave."""
    with client() as atoll:
        found = atoll.queued.ask(project, _text(statement), fresh=fresh)
        if wait:
            found = atoll.queued.wait(found["id"])
    show_one("query", found, as_json=as_json)


@query.command("estimate")
def estimate(statement: Statement, project: Project, as_json: AsJson = False) -> None:
    """What a statement would read and cost; nothing is run."""
    with client() as atoll:
        show_one("query_estimate", atoll.queued.estimate(project, _text(statement)), as_json=as_json)


@query.command("list")
def list_(
    project: Annotated[str, typer.Argument(help="The project.")], limit: AtMost = 20, as_json: AsJson = False
) -> None:
    """Queries asked under a project, newest first."""
    with client() as atoll:
        show_many("query", atoll.queries.list(project, at_most=limit), as_json=as_json)


@query.command("show")
def show(id: Id, as_json: AsJson = False) -> None:
    """One query: how far it is, what it read, what it cost, until when its result is kept."""
    with client() as atoll:
        show_one("query", atoll.queries.show(id), as_json=as_json)


@query.command("result")
def result(
    id: Id,
    format: Annotated[str, typer.Option(help="arrow, csv, json or parquet.")] = "csv",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result to this file.")] = None,
) -> None:
    """The kept result of a query."""
    if format not in ("arrow", "csv", "json", "parquet"):
        raise InvalidInput("There is no such format.", where=format, todo="Choose arrow, csv, json or parquet.")
    if output is None and format in ("arrow", "parquet") and sys.stdout.isatty():
        raise InvalidInput(f"{format} is binary, not for a terminal.", todo="Add -o FILE, or pipe it.")
    with client() as atoll, target(output) as out:
        atoll.queued.save(id, format, out)


@query.command("cancel")
def cancel(id: Id, as_json: AsJson = False) -> None:
    """End a query of your own that waits or runs."""
    with client() as atoll:
        show_one("query", atoll.queued.cancel(id), as_json=as_json)


@query.command("forget")
def forget(id: Id) -> None:
    """Remove the kept result of a query of your own before its time."""
    with client() as atoll:
        atoll.queued.forget(id)
    note("The result is removed.")


@query.command("tables")
def tables(project: Annotated[str, typer.Argument(help="The project.")], as_json: AsJson = False) -> None:
    """The tables and columns that a project may name in SQL."""
    with client() as atoll:
        show_many("relation", atoll.queued.relations(project), as_json=as_json)


@query.command("saved")
def saved(project: Annotated[str, typer.Argument(help="The project.")], as_json: AsJson = False) -> None:
    """Statements that a project keeps."""
    with client() as atoll:
        show_many("saved_query", atoll.queued.saved(project), as_json=as_json)


@query.command("save")
def save(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    statement: Statement,
    project: Annotated[str, typer.Option(help="The project that keeps it.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: AsJson = False,
) -> None:
    """Keep a statement for the people of a project."""
    with client() as atoll:
        show_one("saved_query", atoll.queued.keep(project, name, _text(statement), description), as_json=as_json)


@query.command("drop")
def drop(id: Annotated[str, typer.Argument(help="The saved statement.")]) -> None:
    """Remove a statement that a project keeps."""
    with client() as atoll:
        atoll.queued.drop(id)
    note(f"{cells.counted(1, 'statement')} removed.")


def _text(statement: str) -> str:
    return read_text(Path("-")) if statement == "-" else statement

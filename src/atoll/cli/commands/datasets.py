"""`dataset`: what is in the lake."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from atoll.cli import cells
from atoll.cli.options import AsJson, AtMost, parse_time
from atoll.cli.output import note, print_heading, print_json, print_result, show_many, show_one
from atoll.cli.session import client
from atoll.errors import InvalidInput

dataset = typer.Typer(no_args_is_help=True, help="Lake tables under one name.")

Name = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's name.")]


@dataset.command("list")
def list_(as_json: AsJson = False) -> None:
    """Datasets that you may know of."""
    with client() as atoll:
        show_many("dataset", atoll.datasets.list(), as_json=as_json)


@dataset.command("show")
def show(
    name: Name,
    number: Annotated[
        int | None, typer.Option("--version", min=1, help="As this version has it; without it the newest.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="WHEN", help="As it was at this date or time (ISO 8601, local zone).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """One dataset: its tables, their columns, rows and size; as it is, or was.

    To read it so, ask SQL: FROM dataset.table AT (VERSION => 3), or AT (TIMESTAMP => '2026-03-01').
    """
    if number is not None and at is not None:
        raise InvalidInput("--version and --at contradict each other.", todo="Give one of them.")
    with client() as atoll:
        told = atoll.datasets.show(name)
        if number is not None or at is not None:
            told["newest"] = atoll.datasets.version(name, number, parse_time(at, "--at"))
    show_one("dataset", told, as_json=as_json)
    if not as_json and told["newest"] is not None and told["newest"]["number"] != told["latest"]:
        version = told["newest"]
        gone = "; it has expired and can be read no more" if version["expired_at"] else ""
        note(f"Tables are those of version {version['number']} of {cells.local_time(version['committed_at'])}{gone}.")


@dataset.command("search")
def search(
    words: Annotated[list[str], typer.Argument(help="Words in names, descriptions, units.")],
    limit: AtMost = 50,
    as_json: AsJson = False,
) -> None:
    """Datasets, tables and columns, the nearest first."""
    with client() as atoll:
        show_many("catalog_entry", atoll.datasets.search(" ".join(words), at_most=limit), as_json=as_json)


@dataset.command("describe")
def describe(name: Name, as_json: AsJson = False) -> None:
    """Tables and columns with units and what was done to them, sources, a sample query for each table."""
    with client() as atoll:
        told = atoll.datasets.describe(name)
    show_one("dataset_description", told, as_json=as_json)
    if not as_json:
        for table in told["tables"]:
            print_heading(f"\n{name}.{table['table']}")
            show_many("described_column", table["columns"], as_json=False)
            print_heading("a first question")
            print_result(Text(table["sample_query"]))


@dataset.command("profile")
def profile(
    name: Name,
    number: Annotated[
        int | None, typer.Option("--version", min=1, help="Of this version; without it the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Safe figures of every column: ranges, frequent values, how many are missing."""
    with client() as atoll:
        told = atoll.datasets.profile(name, number)
    if as_json:
        print_json(told)
        return
    for table in told["tables"]:
        print_heading(f"{name}.{table['table']}, {table['rows']} rows")
        show_many("profiled_column", table["columns"], as_json=False)
    if told["missing"]:
        note(f"Not computed yet, ask again in a moment: {', '.join(told['missing'])}")


@dataset.command("risk")
def risk(
    name: Name,
    number: Annotated[
        int | None, typer.Option("--version", min=1, help="Of this version; without it the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How likely it is that somebody is recognised: k-anonymity, l-diversity, uniqueness, and what to coarsen."""
    with client() as atoll:
        told = atoll.datasets.risk(name, number)
    if as_json:
        print_json(told)
        return
    if told["state"] == "none":
        note("The contract names no quasi-identifiers (`risk` of a table), so nothing is measured.")
    if told["state"] == "pending":
        note("The risk by the contract in force is being computed; ask again in a moment.")
    for table in told["tables"]:
        print_heading(f"\n{name}.{table['table']}, version {told['number']}, by contract {told['contract']}")
        show_one("table_risk", table, as_json=False)
        show_many("group_sizes", table["sizes"], as_json=False)
        show_many("without_column", table["without"], as_json=False)
        if table["diversity"]:
            show_many("diversity", table["diversity"], as_json=False)
        for line in table["exceeded"]:
            note(f"Above a threshold: {line}")


@dataset.command("quality")
def quality(name: Name, as_json: AsJson = False) -> None:
    """What became of the last deliveries."""
    with client() as atoll:
        told = atoll.datasets.quality(name)
    show_many("delivery_quality", told["deliveries"], as_json=as_json)


@dataset.command("diff")
def diff(
    name: Name,
    before: Annotated[int, typer.Argument(metavar="BEFORE", min=1, help="Number of a version.")],
    after: Annotated[int, typer.Argument(metavar="AFTER", min=1, help="Number of another.")],
    as_json: AsJson = False,
) -> None:
    """How two versions differ: rows that came and went, columns."""
    with client() as atoll:
        told = atoll.datasets.diff(name, before, after)
    show_one("dataset_diff", told, as_json=as_json)
    if not as_json:
        columns = [{"table": t["table"], **c} for t in told["tables"] for c in t["columns"]]
        if columns:
            print_heading("\ncolumns")
            show_many("column_diff", columns, as_json=False)


@dataset.command("versions")
def versions(name: Name, as_json: AsJson = False) -> None:
    """Every version, with the delivery that made it."""
    with client() as atoll:
        show_many("version", atoll.datasets.versions(name), as_json=as_json)

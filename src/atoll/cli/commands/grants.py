"""`grant`: a project's right to a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from atoll.cli.options import AsJson, Expires, parse_expiry
from atoll.cli.output import show_many, show_one
from atoll.cli.session import client
from atoll.errors import InvalidInput
from atoll.model.grant import TableGrant

grant = typer.Typer(no_args_is_help=True, help="Projects' rights to datasets.")


Tables = Annotated[
    list[str] | None, typer.Option("--table", help="Only this table; several times. Without it every table.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--columns", metavar="[TABLE:]A,B", help="Only these columns; without it every column."),
]
RowFilter = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="[TABLE:]SQL", help="Only rows for which this SQL predicate holds."),
]

AtVersion = Annotated[
    int | None,
    typer.Option("--version", min=1, help="Only this version of the dataset; without it the newest, whatever comes."),
]


@grant.command("add")
def add(
    project: Annotated[str, typer.Option(help="To this project.")],
    dataset: Annotated[str, typer.Option(help="This dataset.")],
    reason: Annotated[str, typer.Option(help="Why; it stays on record.")],
    table: Tables = None,
    columns: Columns = None,
    row_filter: RowFilter = None,
    version: AtVersion = None,
    expires: Expires = None,
    as_json: AsJson = False,
) -> None:
    """Grant a dataset to a project, whole or in part.

    With several --table, name the table in --columns and --filter: --columns person:id,born
    """
    tables = table_grants(table or [], columns or [], row_filter or [])
    with client() as atoll:
        given = atoll.grants.add(
            project, dataset, reason=reason, tables=tables, version=version, expires_at=parse_expiry(expires)
        )
    show_one("grant", given, as_json=as_json)


@grant.command("list")
def list_(
    project: Annotated[str | None, typer.Option(help="Of this project.")] = None,
    dataset: Annotated[str | None, typer.Option(help="To this dataset.")] = None,
    as_json: AsJson = False,
) -> None:
    """Grants that you may see."""
    with client() as atoll:
        show_many("grant", atoll.grants.list(project=project, dataset=dataset), as_json=as_json)


@grant.command("revoke")
def revoke(
    grant_id: Annotated[str, typer.Argument(metavar="ID", help="The grant's id.")], as_json: AsJson = False
) -> None:
    """End a grant; queries are refused at once."""
    with client() as atoll:
        show_one("grant", atoll.grants.revoke(grant_id), as_json=as_json)


def table_grants(tables: Sequence[str], columns: Sequence[str], filters: Sequence[str]) -> list[TableGrant] | None:
    """The tables granted, None for every table. Raises `InvalidInput` when a part names no table."""
    by_table_columns = dict(_named(tables, text, "--columns") for text in columns)
    by_table_filter = dict(_named(tables, text, "--filter") for text in filters)
    if len(by_table_columns) < len(columns) or len(by_table_filter) < len(filters):
        raise InvalidInput("A table has two of --columns or of --filter.", todo="Give one of each for a table.")
    if not tables:
        return None
    return [
        TableGrant(
            table=table,
            columns=_split(by_table_columns[table]) if table in by_table_columns else None,
            row_filter=by_table_filter.get(table),
        )
        for table in tables
    ]


def _named(tables: Sequence[str], text: str, option: str) -> tuple[str, str]:
    for table in tables:
        if text.startswith(f"{table}:"):
            return table, text.removeprefix(f"{table}:")
    if len(tables) == 1:
        return tables[0], text
    raise InvalidInput(
        "It is not clear which table this is about.",
        where=f"{option} {text}",
        todo=f"Name the tables by --table, and write {option} TABLE:... when there are several.",
    )


def _split(columns: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in columns.split(",") if name.strip())

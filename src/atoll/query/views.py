"""Policy views: each relation as a view over exactly its data files, columns and rows.

The connection is then locked: no file but those can be opened, no setting changed,
no extension loaded, whatever the guard may have missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from atoll.errors import IntegrityBroken, InvalidInput, StatementRefused, Unavailable
from atoll.model.query import QueryLimits, Relation
from atoll.model.table import RESERVED_DATASETS, Column
from atoll.query.predicate import check_predicate
from atoll.query.spelling import SQL_TYPES, literal, quoted

#: Spilled intermediate results may take this many times the memory limit. They are not
#: encrypted (the engine needs an extension that is not shipped to do that well): they are
#: rows of the lake, in a directory of mode 0700 that goes with the query.
SPILL_FACTOR = 4


_GLOB = frozenset("*?[]{}")


def open_engine() -> duckdb.DuckDBPyConnection:
    """A connection that loads nothing and looks at no Python variable; not locked yet."""
    connection = duckdb.connect(
        config={
            "allow_community_extensions": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET catalog_error_max_schemas = 0")
    connection.execute("SET enable_progress_bar = false")
    return connection


def lock(connection: duckdb.DuckDBPyConnection, files: Iterable[str], limits: QueryLimits, spill: Path | None) -> None:
    """Leave the connection nothing but `files`, the limits and (None: not even) a place to spill. For good."""
    connection.execute(f"SET threads = {int(limits.threads)}")
    connection.execute(f"SET memory_limit = '{int(limits.memory_bytes)}B'")
    connection.execute(f"SET temp_directory = {literal(str(spill) if spill else '')}")
    if spill:
        connection.execute(f"SET max_temp_directory_size = '{int(limits.memory_bytes) * SPILL_FACTOR}B'")
    connection.execute(f"SET allowed_paths = [{', '.join(map(literal, files))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def create_views(connection: duckdb.DuckDBPyConnection, relations: Sequence[Relation]) -> None:
    """A view `dataset.table` for each relation.

    Raises `InvalidInput` for a dataset named as the engine's own, `StatementRefused`
    for a row filter that does not hold, `IntegrityBroken` when files do not fit.
    """
    for relation in relations:
        where = f"{relation.dataset}.{relation.table}"
        if relation.dataset.lower() in RESERVED_DATASETS:
            raise InvalidInput("The dataset has a name that SQL keeps for itself.", where=where)
        if not relation.columns:
            raise InvalidInput("No column of the table is granted.", where=where)
        if any(_GLOB & set(file.path) for file in relation.files):
            raise Unavailable("A data file's path has a wildcard in it.", where=where, todo="Move the lake.")
        try:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(relation.dataset)}")
            connection.execute(_view(connection, relation))
        except duckdb.Error:
            # The engine's text would name files and columns that are not granted.
            if relation.at:
                raise StatementRefused(
                    "At that version the table does not have what the project's grant is over.",
                    where=relation.name,
                    todo="Ask for a later version.",
                ) from None
            raise IntegrityBroken(
                "The table's data files, granted columns and row filter do not fit together.",
                where=where,
                todo="Ask a steward to look at the grant and the table.",
            ) from None


def _view(connection: duckdb.DuckDBPyConnection, relation: Relation) -> str:
    """The view's SQL.

    With a row filter each column is behind the engine's optimizer barrier, which is
    never evaluated on rows that the filter removes: a statement that fails on, or
    lets time pass with, a hidden row's value must not be able to tell that it is there.
    """
    name = f"{quoted(relation.dataset)}.{quoted(relation.view)}"
    if not relation.files:
        columns = ", ".join(f"NULL::{SQL_TYPES[c.type]} AS {quoted(c.name)}" for c in relation.columns)
        return f"CREATE VIEW {name} AS SELECT {columns} WHERE false"
    source = _source(relation)
    found = _found_types(connection, source)
    _check_found(relation, found)
    columns = ", ".join(_column(c, found, behind_barrier=bool(relation.row_filter)) for c in relation.columns)
    where = ""
    if relation.row_filter:
        check_predicate(connection, relation.row_filter)
        # IS TRUE: a row for which the predicate is NULL is not shown.
        where = f" WHERE (\n{relation.row_filter}\n) IS TRUE"
    return f"CREATE VIEW {name} AS SELECT {columns} FROM {source}{where}"  # noqa: S608


def _source(relation: Relation) -> str:
    files = ", ".join(literal(file.path) for file in relation.files)
    # Files of before a column was added lack it. To union by name every file is opened at
    # each binding, so it is done only when the files differ or it is not known whether they do.
    lacks = {file.lacks for file in relation.files}
    alike = len(relation.files) == 1 or (len(lacks) == 1 and None not in lacks)
    union = "false" if alike else "true"
    return f"read_parquet([{files}], hive_partitioning = false, union_by_name = {union})"


def _found_types(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    rows = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608
    return {str(row[0]).lower(): str(row[1]) for row in rows}


def _check_found(relation: Relation, found: dict[str, str]) -> None:
    """A column may be absent only from files that are planned without it, lest values be shown as NULL."""
    known = [file.lacks for file in relation.files if file.lacks is not None]
    if len(known) < len(relation.files):
        return
    lacked_by_all = {name.lower() for name in known[0]}.intersection(*({n.lower() for n in names} for names in known))
    for column in relation.columns:
        if (column.name.lower() not in found) != (column.name.lower() in lacked_by_all):
            raise IntegrityBroken(
                "The table's data files do not have the columns they were planned with.",
                where=f"{relation.dataset}.{relation.table}.{column.name}",
                todo="Ask a steward to look at the table.",
            )


def _column(column: Column, found: dict[str, str], *, behind_barrier: bool) -> str:
    wanted = SQL_TYPES[column.type]
    name = quoted(column.name)
    standing = found.get(column.name.lower())
    if standing is None:
        return f"NULL::{wanted} AS {name}"
    value = name if standing == wanted else f"{name}::{wanted}"
    return f"__internal_barrier({value}) AS {name}" if behind_barrier else f"{value} AS {name}"

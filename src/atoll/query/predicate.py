"""Row filters of grants: one expression over a table's columns, true, false or null for each row."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from atoll.errors import StatementRefused
from atoll.model.table import Column
from atoll.query import faults
from atoll.query.guard import check_size, check_statement, parse
from atoll.query.spelling import SQL_TYPES, quoted

#: Parts of a SELECT that must be empty when the text is an expression and nothing more.
_ELSEWHERE = ("modifiers", "where_clause", "group_expressions", "group_sets", "having", "sample", "qualify")
#: What would make a filter show other rows each time, or rows of somewhere else.
_REFUSED_NODES = frozenset({"SUBQUERY", "WINDOW", "STAR"})
_REFUSED_FUNCTIONS = frozenset({"random", "gen_random_uuid", "uuid", "uuidv4", "uuidv7", "unnest"})


def check_predicate(connection: duckdb.DuckDBPyConnection, predicate: str) -> None:
    """Raises `StatementRefused` unless the text is one expression without subquery, window or chance."""
    check_size(predicate)
    sql = f"SELECT\n{predicate}\n"
    # Alone it must be one whole expression; so it is one within brackets too, and
    # cannot close them early (`a) OR (b`) or leave anything behind it (`a FROM t`).
    tree = parse(connection, sql)
    selected: list[dict[str, object]] = list(tree.get("select_list") or [])
    if (
        tree.get("type") != "SELECT_NODE"
        or len(selected) != 1
        or selected[0].get("alias")
        or (tree.get("from_table") or {}).get("type") != "EMPTY"
        or (tree.get("cte_map") or {}).get("map")
        or any(tree.get(part) for part in _ELSEWHERE)
    ):
        raise _refused("it is not one expression")
    check_statement(connection, sql, ())
    waiting: list[object] = [selected[0]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("class") in _REFUSED_NODES or node.get("function_name") in _REFUSED_FUNCTIONS:
                raise _refused("subqueries, windows, `*`, unnest and random values are not allowed in it")
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def check_filter(connection: duckdb.DuckDBPyConnection, predicate: str, columns: Sequence[Column]) -> None:
    """`check_predicate`, and it must give a boolean over the columns. Raises `StatementRefused`."""
    check_predicate(connection, predicate)
    fields = ", ".join(f"NULL::{SQL_TYPES[column.type]} AS {quoted(column.name)}" for column in columns)
    try:
        row = f"(SELECT {fields} WHERE false)"
        connection.execute(f"SELECT 1 FROM {row} AS row WHERE (\n{predicate}\n) IS TRUE").fetchall()  # noqa: S608
        types = connection.sql(f"SELECT (\n{predicate}\n) FROM {row} AS row").types  # noqa: S608
    except duckdb.Error as error:
        raise _refused(faults.bound(str(error), predicate, [column.name for column in columns])) from None
    if str(types[0]) != "BOOLEAN":
        raise _refused(f"it gives {types[0]}, not true or false")


def _refused(why: str) -> StatementRefused:
    return StatementRefused(f"The row filter is not a predicate: {why}.", todo="Write one such as site = 'A'.")

"""Time travel in SQL: `FROM dataset.table AT (VERSION => 3)`, or `AT (TIMESTAMP => '2026-03-01')`.

The form is that of DuckDB's grammar. The engine knows no versions of views, so each table at a
version is a view of its own, and the statement is spelled anew, by the engine itself, with its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from atoll.errors import StatementRefused
from atoll.model.query import TablePoint

_AT = re.compile(r"\bat\b", re.IGNORECASE)
_TIMES = frozenset({"date", "timestamp", "timestamptz", "timestamp with time zone"})
_MOST_DIGITS = 9


def may_travel(sql: str) -> bool:
    """Whether a statement could name a version: a quick look at its text, true too often and never false."""
    return "=>" in sql and _AT.search(sql) is not None


def point_of(clause: Mapping[str, Any]) -> str:
    """How an AT clause is written in records: the version's number, or the time in ISO 8601, UTC.

    Raises `StatementRefused` for anything but a whole number or a time, written out.
    """
    expression = clause.get("expr") or {}
    unit = str(clause.get("unit", "")).upper()
    if unit == "VERSION" and (text := _constant(expression, "INTEGER")) and 0 < len(text) <= _MOST_DIGITS:
        if text.isdigit() and int(text) > 0:
            return str(int(text))
    elif unit == "TIMESTAMP":
        if expression.get("class") == "CAST" and str(_type(expression)).lower() in _TIMES:
            expression = expression.get("child") or {}
        when = _time(_constant(expression, "STRING"))
        if when is not None:
            return when.isoformat()
    raise StatementRefused(
        "AT takes the number of a version, or a time.",
        todo="Write AT (VERSION => 3) or AT (TIMESTAMP => '2026-03-01 12:00') behind the table's alias, in UTC.",
    )


def points(tree: Mapping[str, Any]) -> tuple[TablePoint, ...]:
    """The tables at versions that a parse tree names, each once, in lower case."""
    found = {
        TablePoint(dataset=str(node["schema_name"]).lower(), table=str(node["table_name"]).lower(), at=point)
        for node, point in _tables(tree)
    }
    return tuple(sorted(found, key=lambda point: (point.dataset, point.table, point.at)))


def spelled(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The statement with each table at a version spelled as the view that shows it, see `Relation.view`.

    Raises `StatementRefused` where the engine cannot spell it.
    """
    try:
        tree = json.loads(connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0])
        for node, point in _tables(tree):
            name = f"{str(node['table_name']).lower()}@{point}"
            # Columns are still told by the table's name.
            node["alias"] = node.get("alias") or node["table_name"]
            node["table_name"] = name
            node["at_clause"] = None
            node["qualified_name"] = {"path": [node["schema_name"], name]}
        told = connection.execute("SELECT json_deserialize_sql(?)", [json.dumps(tree)]).fetchall()
        return str(told[0][0])
    except (duckdb.Error, RecursionError, LookupError):
        raise StatementRefused(
            "The statement cannot be read at a version.", todo="Put the table into a WITH of its own."
        ) from None


def _tables(tree: object) -> Iterator[tuple[dict[str, Any], str]]:
    waiting: list[object] = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            if part.get("type") == "BASE_TABLE" and part.get("at_clause"):
                yield part, point_of(part["at_clause"])
            else:
                waiting.extend(part.values())


def _constant(expression: Mapping[str, Any], kind: str) -> str:
    literal = expression.get("literal") or {}
    return str(literal.get("text", "")) if literal.get("kind") == kind else ""


def _type(expression: Mapping[str, Any]) -> str:
    kind = expression.get("type_expr") or {}
    return str(kind.get("type_name", "")) if not kind.get("children") else ""


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

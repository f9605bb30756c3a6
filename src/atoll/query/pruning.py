"""Which data files a relation need not be read of: their bounds rule out every row that is asked for.

The grant's row filter is looked at, and the WHERE of each part of the statement that names the table.
Only what is plain is understood: comparisons of a column with written values, joined by AND. Anything
else rules nothing out, so that a file is opened in vain rather than missed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from atoll.model.query import Relation
from atoll.model.table import Bounds, ColumnType

#: A written value, as bounds have it.
_Value = int | float | str
#: Whether a file with these bounds may hold a row that is asked for.
_May = Callable[[Bounds], bool]
#: What must hold of a relation's rows: a column and a test of its bounds.
_Condition = tuple[str, _May]

_JOINS = frozenset({"INNER", "LEFT", "RIGHT", "OUTER", "FULL"})
_REFS = frozenset({"REGULAR", "CROSS"})
_FLIPPED = {
    "COMPARE_EQUAL": "COMPARE_EQUAL",
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN",
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
}


def by_filter(connection: duckdb.DuckDBPyConnection, relation: Relation) -> frozenset[int]:
    """Numbers of the files that the grant's row filter rules out."""
    if relation.row_filter is None or not relation.bounds:
        return frozenset()
    tree = _tree(connection, f"SELECT 1 FROM t WHERE (\n{relation.row_filter}\n)")  # noqa: S608
    types = dict(relation.bounded)
    conditions = list(_conditions(tree["where_clause"], lambda path: path[0] if len(path) == 1 else None, types))
    return _ruled_out(relation, conditions)


def by_statement(connection: duckdb.DuckDBPyConnection, sql: str, relation: Relation) -> frozenset[int]:
    """Numbers of the files in which no row can be that the statement asks for, wherever it names the relation."""
    if not relation.bounds:
        return frozenset()
    found: frozenset[int] | None = None
    for conditions in _namings(_tree(connection, sql), relation):
        gone = _ruled_out(relation, conditions)
        found = gone if found is None else found & gone
        if not found:
            break
    return found or frozenset()


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """The parse tree of one SELECT that the guard let through."""
    told = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    tree: dict[str, Any] = json.loads(told[0][0])["statements"][0]["node"]
    return tree


def _ruled_out(relation: Relation, conditions: Sequence[_Condition]) -> frozenset[int]:
    return frozenset(
        number
        for column, may in conditions
        for number, bounds in enumerate(relation.bounds.get(column, ()))
        if bounds is not None and not may(bounds)
    )


def _namings(tree: dict[str, Any], relation: Relation) -> Iterator[list[_Condition]]:
    """For each place that names the relation, what must hold of its rows there."""
    waiting: list[Any] = [tree]
    counted: set[int] = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
            continue
        if not isinstance(part, dict):
            continue
        if part.get("type") == "SELECT_NODE":
            for table in _plain_tables(part.get("from_table") or {}):
                if _names(table, relation):
                    counted.add(id(table))
                    yield _of(part, table, relation)
        elif part.get("type") == "BASE_TABLE" and _names(part, relation) and id(part) not in counted:
            yield []
        waiting.extend(part.values())


def _of(select: dict[str, Any], table: dict[str, Any], relation: Relation) -> list[_Condition]:
    if select.get("sample") or not select.get("where_clause"):
        return []
    granted = {column.name.lower() for column in relation.columns}
    named = {str(one.get("alias", "")).lower() for one in select.get("select_list") or ()}
    types = {known: kind for known, kind in relation.bounded if known.lower() in granted}
    name = str(table.get("alias") or table["table_name"]).lower()
    alone = select["from_table"] is table

    def column(path: Sequence[str]) -> str | None:
        if len(path) == 2 and path[0].lower() == name:
            return path[1]
        # Beside other tables a bare name may be another's; it may be that of a result, too.
        return path[0] if len(path) == 1 and alone and path[0].lower() not in named else None

    return list(_conditions(select["where_clause"], column, types))


def _plain_tables(source: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The base tables of a FROM whose rows, where WHERE does not hold of them, change nothing by being absent."""
    waiting = [source]
    while waiting:
        part = waiting.pop()
        if part.get("sample"):
            continue
        if part.get("type") == "BASE_TABLE" and not part.get("column_name_alias"):
            yield part
        elif part.get("type") == "JOIN" and _plain_join(part):
            waiting += [part["left"], part["right"]]


def _plain_join(part: Mapping[str, Any]) -> bool:
    """Not one that goes by the place of a row (positional, ASOF) or tells of a missing one (semi, anti)."""
    return part.get("join_type") in _JOINS and part.get("ref_type") in _REFS and not part.get("using_columns")


def _names(table: Mapping[str, Any], relation: Relation) -> bool:
    written = (str(table.get("schema_name", "")).lower(), str(table.get("table_name", "")).lower())
    return written == (relation.dataset.lower(), relation.view.lower())


def _conditions(
    node: dict[str, Any], column: Callable[[Sequence[str]], str | None], types: Mapping[str, ColumnType]
) -> Iterator[_Condition]:
    """What must hold, of what stands in AND."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part.get("class") == "CONJUNCTION" and part.get("type") == "CONJUNCTION_AND":
            waiting += part["children"]
            continue
        operands = _operands(part)
        if operands is None:
            continue
        kind, reference, written = operands
        name = column(reference.get("column_names") or ())
        found = next((known for known in types if name is not None and known.lower() == name.lower()), None)
        if found is None:
            continue
        values = [_value(one, types[found]) for one in written]
        if all(value is not None for value in values):
            may = _test(kind, [value for value in values if value is not None], types[found])
            if may is not None:
                yield found, may


def _operands(part: Mapping[str, Any]) -> tuple[str, dict[str, Any], list[dict[str, Any]]] | None:
    """The kind of a comparison, its column and its written values."""
    kind = str(part.get("type"))
    if part.get("class") == "COMPARISON" and kind in _FLIPPED:
        left, right = part["left"], part["right"]
        if left.get("class") == "COLUMN_REF":
            return kind, left, [right]
        return (_FLIPPED[kind], right, [left]) if right.get("class") == "COLUMN_REF" else None
    if part.get("class") == "BETWEEN" and kind == "COMPARE_BETWEEN":
        return (kind, part["input"], [part["lower"], part["upper"]]) if _is_column(part["input"]) else None
    if part.get("class") == "OPERATOR" and kind == "COMPARE_IN":
        first, *others = part["children"]
        return (kind, first, others) if _is_column(first) and others else None
    return None


def _is_column(node: Mapping[str, Any]) -> bool:
    return node.get("class") == "COLUMN_REF"


def _test(kind: str, values: list[_Value], column: ColumnType) -> _May | None:
    if column is ColumnType.NUMBER and kind in ("COMPARE_GREATERTHAN", "COMPARE_GREATERTHANOREQUALTO"):
        # For the engine NaN is the greatest number, and bounds do not tell of it.
        return None
    test = _TESTS[kind]
    return lambda bounds: test(bounds, values)


_TESTS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "COMPARE_EQUAL": lambda bounds, values: bounds[0] <= values[0] <= bounds[1],
    "COMPARE_IN": lambda bounds, values: any(bounds[0] <= value <= bounds[1] for value in values),
    "COMPARE_BETWEEN": lambda bounds, values: bounds[0] <= values[1] and values[0] <= bounds[1],
    "COMPARE_LESSTHAN": lambda bounds, values: bounds[0] < values[0],
    "COMPARE_LESSTHANOREQUALTO": lambda bounds, values: bounds[0] <= values[0],
    "COMPARE_GREATERTHAN": lambda bounds, values: bounds[1] > values[0],
    "COMPARE_GREATERTHANOREQUALTO": lambda bounds, values: bounds[1] >= values[0],
}


def _value(node: Mapping[str, Any], column: ColumnType) -> _Value | None:
    """A written value as bounds of such a column have it; None where the engine may read it otherwise."""
    cast = ""
    if node.get("class") == "CAST":
        if node.get("try_cast"):
            return None
        cast = str((node.get("type_expr") or {}).get("type_name", "")).lower()
        node = node.get("child") or {}
    literal = node.get("literal") or {}
    # Of a cast within a cast there is no literal.
    readings = _READINGS.get((column, str(literal.get("kind"))))
    if readings is None or cast not in readings[0]:
        return None
    try:
        return readings[1](str(literal.get("text", "")))
    except ValueError:
        return None


def _microseconds(text: str) -> int:
    if re.search(r"\.\d{7}", text):
        raise ValueError("the engine rounds what is cut off here")
    found = datetime.fromisoformat(text)
    aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _days(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


#: By type of column and kind of literal: the casts about it that change nothing, and its value.
_READINGS: dict[tuple[ColumnType, str], tuple[frozenset[str], Callable[[str], _Value]]] = {
    (ColumnType.STRING, "STRING"): (frozenset({"", "varchar", "text"}), str),
    (ColumnType.PARTIAL_DATE, "STRING"): (frozenset({"", "varchar", "text"}), str),
    (ColumnType.INTEGER, "INTEGER"): (frozenset({""}), int),
    (ColumnType.NUMBER, "INTEGER"): (frozenset({"", "double"}), float),
    (ColumnType.NUMBER, "NUMERIC"): (frozenset({"", "double"}), float),
    (ColumnType.DATE, "STRING"): (frozenset({"", "date"}), _days),
    (ColumnType.DATETIME, "STRING"): (frozenset({"", "timestamp", "timestamptz"}), _microseconds),
}

"""The SQL guard: what a statement may be, decided on DuckDB's own parse tree.

The text is parsed by the parser that will run it (`json_serialize_sql`), so that no
second parser can disagree. Everything in the tree must be on a list: node types
here, functions in `functions.txt`, relations in the grant. What is not listed is
refused, so that a construct that a later DuckDB brings is refused until it was read.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from atoll.errors import StatementRefused
from atoll.query.functions import allowed_functions, allowed_table_functions
from atoll.query.travel import point_of

MAX_SQL_CHARACTERS = 100_000
MAX_NESTING = 100

_QUERY_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_MODIFIERS = frozenset({"ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"})
_ORDERS = frozenset({"ORDER_DEFAULT", "ASCENDING", "DESCENDING"})
_TABLES = frozenset(
    {"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT", "SHOW_REF"}
)
#: Nodes without a `class`: parts of a query, tables, modifiers.
_PLAIN_TYPES = _QUERY_NODES | _MODIFIERS | _ORDERS | _TABLES
#: Nodes with a `class`: expressions.
_EXPRESSIONS = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "LAMBDA_REF",
        "OPERATOR",
        "STAR",
        "SUBQUERY",
        "TYPE",
        "WINDOW",
    }
)
_CTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SYSTEM_NAME = re.compile(r"(duckdb|pg|sqlite|pragma|information_schema)(_|$)")

#: A relation as SQL names it: schema and name, in lower case.
TableName = tuple[str, str]


def check_size(sql: str) -> None:
    """Refuse, before anything parses it, a text that is too long, too deeply nested or holds a NUL."""
    if len(sql) > MAX_SQL_CHARACTERS:
        raise StatementRefused(
            f"The statement has {len(sql)} characters; at most {MAX_SQL_CHARACTERS} are read.",
            todo="Shorten it; a long list of values is better a join.",
        )
    if "\0" in sql:
        raise StatementRefused("The statement holds a NUL character.")
    depth = deepest = 0
    for character in sql:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(0, depth - 1)
    if deepest > MAX_NESTING:
        raise StatementRefused(
            f"Brackets are nested {deepest} deep; at most {MAX_NESTING} are read.", todo="Use WITH to name the parts."
        )


def check_statement(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    granted: Collection[TableName],
    system_names: Collection[str] = (),
    names: Collection[str] = (),
) -> frozenset[TableName]:
    """The granted relations that a statement names; `granted` and the result in lower case.

    `system_names` are names of the engine's own views, which no CTE may take; `names` are
    the tables, as `dataset.table`, that may be proposed for one that was not found.
    Raises `StatementRefused` for anything but one SELECT over granted relations.
    """
    check_size(sql)
    walk = _Walk(granted=frozenset(granted), system_names=frozenset(system_names), names=tuple(names))
    walk.query(parse(connection, sql))
    return frozenset(walk.named)


def may_name(sql: str, dataset: str, table: str) -> bool:
    """Whether a statement could name the table: a quick look at its text, before anything is planned.

    True too often (the words may stand in a comment), never false for a table that
    the guard would let through: names in the lake are plain, and SQL spells them as they are.
    """
    text = sql.lower()
    return dataset.lower() in text and table.lower() in text


def parse(connection: duckdb.DuckDBPyConnection, sql: str) -> Mapping[str, Any]:
    """The parse tree of the one SELECT that the text is. Raises `StatementRefused`."""
    try:
        told = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
        tree: dict[str, Any] = json.loads(told[0][0]) if told else {"error": True}
    except RecursionError:
        raise _too_deep() from None
    except duckdb.Error:
        raise StatementRefused("The statement cannot be parsed.") from None
    if tree["error"]:
        raise _not_parsed(tree)
    statements = tree["statements"]
    if len(statements) != 1:
        raise StatementRefused(
            "Nothing to run." if not statements else "Only one statement is run at a time.",
            todo="Send one SELECT.",
        )
    if statements[0].get("named_param_map"):
        raise StatementRefused("Parameters are not supported.", todo="Write the value into the statement.")
    node: Mapping[str, Any] = statements[0]["node"]
    return node


def _too_deep() -> StatementRefused:
    return StatementRefused("The statement is nested too deeply.", todo="Use WITH to name the parts, IN for a list.")


def _not_parsed(tree: Mapping[str, Any]) -> StatementRefused:
    if tree.get("error_type") == "not implemented":
        return StatementRefused(
            "Only SELECT is run (and DESCRIBE, SUMMARIZE, and PIVOT that lists its values).",
            todo="A PIVOT needs its values: PIVOT ... ON column IN (a, b) USING ...",
        )
    message = str(tree.get("error_message", "the text is not SQL")).splitlines()[0]
    if "expression depth" in message:
        return _too_deep()
    position = tree.get("position")
    return StatementRefused(
        f"The statement is not SQL: {message[:200]}", where=f"character {position}" if position is not None else ""
    )


@dataclass
class _Walk:
    """Visits every node of a tree, with the CTE names that are in scope there."""

    granted: frozenset[TableName]
    system_names: frozenset[str]
    names: tuple[str, ...] = ()
    named: set[TableName] = field(default_factory=set)
    _waiting: list[tuple[Any, frozenset[str]]] = field(default_factory=list)

    def query(self, node: Mapping[str, Any]) -> None:
        # A stack of its own: a deep tree must not meet Python's recursion limit.
        self._waiting.append((node, frozenset()))
        while self._waiting:
            part, scope = self._waiting.pop()
            if isinstance(part, dict):
                self._visit(part, scope)
            elif isinstance(part, list):
                self._waiting.extend((item, scope) for item in part)

    def _visit(self, node: Mapping[str, Any], scope: frozenset[str]) -> None:
        kind = node.get("type")
        if isinstance(kind, str):
            self._check_type(node, kind)
        if kind == "BASE_TABLE":
            self._check_table(node, scope)
        elif kind == "TABLE_FUNCTION":
            _check_table_function(node)
            # The call is checked as a table function; only its arguments are left.
            self._waiting.extend((part, scope) for part in _arguments(node["function"]))
            node = {key: value for key, value in node.items() if key != "function"}
        elif kind == "SHOW_REF":
            _check_show(node)
        elif node.get("pivot_enum"):
            raise StatementRefused("PIVOT over a type is not supported.", todo="List the values: IN (a, b).")
        if "function_name" in node:
            _check_function(node)
        scope = self._ctes(node, scope)
        self._waiting.extend((value, scope) for key, value in node.items() if key != "cte_map")

    def _check_type(self, node: Mapping[str, Any], kind: str) -> None:
        if "class" in node:
            if node["class"] not in _EXPRESSIONS:
                raise _unsupported(node["class"])
        elif kind not in _PLAIN_TYPES:
            raise _unsupported(kind)

    def _ctes(self, node: Mapping[str, Any], scope: frozenset[str]) -> frozenset[str]:
        """The scope of the node's other parts: a CTE sees those before it, a recursive one itself as well."""
        for name in (node.get("cte_name"), node.get("ctename")):
            if name:
                scope |= {self._cte_name(name)}
        for entry in (node.get("cte_map") or {}).get("map", ()):
            name = self._cte_name(entry["key"])
            self._waiting.append((entry["value"], scope))
            scope |= {name}
        return scope

    def _cte_name(self, name: str) -> str:
        lower = name.lower()
        # A name that could be a file or one of the engine's views must not pass as a CTE,
        # lest it be used where the CTE is out of scope.
        if not _CTE_NAME.fullmatch(name) or _SYSTEM_NAME.match(lower) or lower in self.system_names:
            raise StatementRefused(
                f"{_shown(name)} cannot name a part of WITH.", todo="Use letters, digits and underscores."
            )
        return lower

    def _check_table(self, node: Mapping[str, Any], scope: frozenset[str]) -> None:
        path = list((node.get("qualified_name") or {}).get("path", ()))
        schema, name = node.get("schema_name", ""), node.get("table_name", "")
        written = [part for part in (node.get("catalog_name", ""), schema, name) if part]
        point = point_of(node["at_clause"]) if node.get("at_clause") else ""
        if not point and path == written == [name] and name.lower() in scope:
            return
        key = (schema.lower(), f"{name}@{point}".lower() if point else name.lower())
        if path == written == [schema, name] and key in self.granted:
            self.named.add(key)
            return
        # The same words for a table that is absent and one that is not granted.
        raise StatementRefused(
            f"There is no table {_shown('.'.join(path or written))} that this project may read.",
            todo=self._proposal(".".join(path or written)),
        )

    def _proposal(self, written: str) -> str:
        """What may have been meant, among the tables that may be read and nothing else."""
        wanted = written.lower()
        alike = difflib.get_close_matches(wanted, [name.lower() for name in self.names], n=3, cutoff=0.7)
        # Who left the dataset out meant the table of that name.
        alike += [name for name in self.names if name.lower().rpartition(".")[2] == wanted][:3]
        if not alike:
            return "Name tables as dataset.table."
        return "Did you mean " + ", ".join(dict.fromkeys(alike)) + "? Name tables as dataset.table."


def _check_table_function(node: Mapping[str, Any]) -> None:
    function = node.get("function") or {}
    name = str(function.get("function_name", "")).lower()
    if function.get("type") != "FUNCTION" or name not in allowed_table_functions():
        raise StatementRefused(
            f"The table function {_shown(name)} is not allowed.",
            todo="Allowed are " + ", ".join(sorted(allowed_table_functions())) + ".",
        )


def _arguments(function: Mapping[str, Any]) -> Iterator[Any]:
    return (value for key, value in function.items() if isinstance(value, dict | list) and key != "qualified_name")


def _check_function(node: Mapping[str, Any]) -> None:
    # The schema needs no check: `column.lower()` parses as one, and there are no functions but the engine's.
    name = str(node["function_name"]).lower()
    if name not in allowed_functions() and not (name == "unnest" and node.get("class") == "FUNCTION"):
        raise StatementRefused(f"The function {_shown(name)} is not allowed.")


def _check_show(node: Mapping[str, Any]) -> None:
    if node.get("show_type") not in ("DESCRIBE", "SUMMARY") or not node.get("query") or node.get("table_name"):
        raise StatementRefused(
            "SHOW is not supported.", todo="DESCRIBE or SUMMARIZE a table or a query that this project may read."
        )


def _unsupported(kind: object) -> StatementRefused:
    return StatementRefused(f"{_shown(str(kind))} is not supported in governed SQL.")


def _shown(name: str) -> str:
    """A name from the statement, short and printable."""
    text = "".join(character if character.isprintable() else "?" for character in name)
    return "`" + (text if len(text) <= 60 else text[:57] + "...") + "`"

"""The same grant and statement for Amazon Athena: policy put into the statement, in Athena's dialect.

What may be said is decided as ever by the guard, on DuckDB's own parse tree; here a
statement that passed it is rewritten. Every granted table it names becomes a subquery
that holds the policy: the granted columns, the row filter, the snapshot. Whatever cannot be
said in Athena's dialect, or is not understood here, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from atoll.errors import StatementRefused
from atoll.model.query import Relation
from atoll.query.guard import TableName, check_statement
from atoll.query.predicate import check_predicate

#: What sqlglot would pass on as it is, and Athena does not take.
_NO_WORDS = (exp.Pivot, exp.Describe, exp.Columns, exp.TableSample)


def for_athena(connection: duckdb.DuckDBPyConnection, sql: str, relations: Sequence[Relation]) -> str:
    """The statement with the policy of `relations` in it, as Athena takes it.

    `connection` is used to parse alone. Raises `StatementRefused` as the guard does, and
    for what Athena has no words for.
    """
    granted: Mapping[TableName, Relation] = {(r.dataset.lower(), r.table.lower()): r for r in relations}
    named = check_statement(connection, sql, granted)
    try:
        statements = [one for one in sqlglot.parse(sql, read="duckdb") if one is not None]
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise _unsaid()
        tree = statements[0]
        if any(tree.find_all(*_NO_WORDS)) or any(_odd(join) for join in tree.find_all(exp.Join)):
            raise _unsaid()
        found: set[TableName] = set()
        for table in list(tree.find_all(exp.Table)):
            if (key := _key(table, tree)) is not None:
                found.add(key)
                table.replace(_governed(connection, table, granted[key]))
        # Two parsers must have seen the same tables.
        if found != named:
            raise _unsaid()
        told = tree.sql(dialect="athena", unsupported_level=ErrorLevel.RAISE)
        # What is written must read as the dialect that it is in: some literals come out as no SQL.
        sqlglot.parse_one(told, read="athena")
        return told
    except (SqlglotError, RecursionError, KeyError, ValueError):
        raise _unsaid() from None


def _odd(join: exp.Join) -> bool:
    return join.method.upper() not in ("", "NATURAL") or join.kind.upper() not in ("", "INNER", "OUTER", "CROSS")


def _key(table: exp.Table, tree: exp.Query) -> TableName | None:
    """The granted relation that the table names; None for a part of WITH."""
    if not isinstance(table.this, exp.Identifier) or table.args.get("version") or table.catalog:
        raise _unsaid()
    if table.db:
        return table.db.lower(), table.name.lower()
    if table.name.lower() in {cte.alias.lower() for cte in tree.find_all(exp.CTE)}:
        return None
    raise _unsaid()


def _governed(connection: duckdb.DuckDBPyConnection, table: exp.Table, relation: Relation) -> exp.Expression:
    """A subquery with the relation's policy, under the name that the statement gives the table.

    Athena has no optimizer barrier. So under a row filter each column is NULL wherever
    the filter does not hold: what is computed too early is computed on nothing.
    """
    source = exp.Table(this=_name(relation.table), db=_name(relation.dataset))
    source.set(
        "version", exp.Version(this="VERSION", kind="AS OF", expression=exp.Literal.number(relation.snapshot_id))
    )
    columns: list[exp.Expr] = [exp.column(_name(column.name)) for column in relation.columns]
    query = exp.Select()
    if relation.row_filter is not None:
        check_predicate(connection, relation.row_filter)
        predicate = sqlglot.parse_one(relation.row_filter, read="duckdb")
        columns = [
            exp.alias_(exp.If(this=predicate.copy(), true=column), column.name, quoted=True) for column in columns
        ]
        query = query.where(predicate)
    query = query.select(*columns).from_(source)
    alias = table.args.get("alias")
    name = alias.copy() if alias is not None else exp.TableAlias(this=_name(table.name))
    subquery = exp.Subquery(this=query, alias=name)
    for part in ("joins", "laterals", "pivots", "sample"):
        if value := table.args.get(part):
            subquery.set(part, value)
    return subquery


def _name(text: str) -> exp.Identifier:
    return exp.to_identifier(text, quoted=True)


def _unsaid() -> StatementRefused:
    return StatementRefused(
        "The statement cannot be expressed for Athena.", todo="Keep to standard SQL, or run it on the built-in engine."
    )

"""How queries, estimates, tables and saved statements are shown."""

from __future__ import annotations

from collections.abc import Mapping

from atoll.cli import cells
from atoll.cli.view import Field, Part, View

_QUERY = (
    Field("id"),
    Field("project"),
    Field("state"),
    Field("started_at", "started", cells.local_time),
    Field("rows", cell=cells.count),
    Field("scanned_bytes", "scanned", cells.size),
    Field("cost", cell=cells.eur),
)

QUERIES: Mapping[str, View] = {
    "query": View(
        (*_QUERY, Field("sql")),
        (
            *_QUERY,
            Field("sql"),
            Field("progress", cell=cells.percent),
            Field("finished_at", "finished", cells.local_time),
            Field("versions", "read", cells.names),
            Field("error"),
            Field("result_kept"),
            Field("result_until", cell=cells.local_time),
            Field("result_bytes", "result size", cells.size),
            Field("result_removed"),
            Field("answered_by"),
        ),
        (Part("columns", "result_column", "columns of the result"),),
    ),
    "result_column": View((Field("name"), Field("type"))),
    "query_estimate": View(
        (
            Field("relations", "reads", cells.names),
            Field("scanned_bytes", "scanned", cells.size),
            Field("price", cell=cells.eur),
            Field("rows", "rows, guessed", cells.count),
            Field("allowed"),
        ),
        parts=(Part("columns", "result_column", "columns of the result"),),
    ),
    "relation": View((Field("dataset"), Field("table"), Field("columns", cell=cells.columns), Field("description"))),
    "saved_query": View(
        (Field("id"), Field("name"), Field("sql"), Field("saved_by"), Field("changed_at", "changed", cells.local_time))
    ),
}

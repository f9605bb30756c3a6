"""How the catalog, requests for grants and closed months are shown."""

from __future__ import annotations

from collections.abc import Mapping

from atoll.cli import cells
from atoll.cli.view import Field, Part, View


def _time(key: str, name: str) -> Field:
    return Field(key, name, cells.local_time)


def _count(key: str, name: str = "") -> Field:
    return Field(key, name, cells.count)


_REQUEST = (
    Field("id"),
    Field("project"),
    Field("dataset"),
    Field("tables", "part", cells.granted),
    Field("version", "", cells.pinned),
    Field("purpose"),
    Field("state"),
    Field("requested_by"),
    _time("requested_at", "requested"),
)

CATALOG: Mapping[str, View] = {
    "catalog_entry": View(
        (
            Field("kind"),
            Field("dataset"),
            Field("table"),
            Field("column"),
            Field("type"),
            Field("unit"),
            Field("treatment"),
            _count("rows"),
            Field("description"),
        )
    ),
    "dataset_description": View(
        (
            Field("name"),
            Field("title"),
            Field("description"),
            Field("owner"),
            Field("sources"),
            Field("contract"),
            _count("latest", "version"),
            _time("committed_at", "committed"),
        )
    ),
    "described_column": View(
        (Field("name", "column"), Field("type"), Field("unit"), Field("words", "what was done"), Field("description"))
    ),
    "profiled_column": View(
        (
            Field("name", "column"),
            Field("type"),
            _count("nulls", "missing"),
            _count("distinct", "different"),
            Field("min", "from"),
            Field("max", "to"),
            Field("values", "frequent", cells.frequent),
            Field("withheld"),
        )
    ),
    "table_risk": View(
        (
            Field("quasi_identifiers", "quasi-identifiers"),
            _count("people"),
            _count("groups"),
            _count("smallest_group", "smallest group (k)"),
            _count("people_under_k", "people in groups too small"),
            _count("unique_people", "people alone in their group"),
            Field("highest_risk", "highest risk"),
            Field("average_risk", "average risk"),
        )
    ),
    "group_sizes": View(
        (_count("low", "groups of"), _count("high", "to people"), _count("groups"), _count("people", "people in them"))
    ),
    "without_column": View(
        (
            Field("column", "without"),
            _count("values", "its values"),
            _count("smallest_group", "smallest group"),
            _count("people_under_k", "people in groups too small"),
        )
    ),
    "diversity": View(
        (Field("column"), _count("least", "fewest values (l)"), _count("people_under", "people in groups too poor"))
    ),
    "delivery_quality": View(
        (
            Field("delivery"),
            Field("source"),
            Field("state"),
            _count("rows_in", "read"),
            _count("rows_committed", "committed"),
            _count("rows_quarantined", "quarantined"),
            _count("files_refused"),
            Field("part_committed", "part", cells.percent),
            _time("finished_at", "finished"),
        )
    ),
    "dataset_diff": View(
        (
            Field("before"),
            Field("after"),
            Field("contract_before"),
            Field("contract_after"),
            Field("deliveries"),
        ),
        parts=(Part("tables", "table_diff", "tables"),),
    ),
    "table_diff": View(
        (
            Field("table"),
            Field("change"),
            _count("rows_before"),
            _count("rows_after"),
            _count("rows_added"),
            _count("rows_removed"),
        )
    ),
    "column_diff": View((Field("table"), Field("column"), Field("change"), Field("words", "what"))),
    "grant_request": View(
        _REQUEST,
        (
            *_REQUEST,
            _time("expires_at", "until"),
            _time("lapses_at", "lapses"),
            Field("replaces", "replaces the grant"),
            Field("decided_by"),
            _time("decided_at", "decided"),
            Field("reason"),
            Field("grant"),
        ),
    ),
    "checkpoint": View(
        (_count("number"), _time("at", "signed"), Field("hash"), Field("key_id", "key"), Field("signature"))
    ),
    "cost_month": View(
        (
            Field("month"),
            Field("state"),
            Field("total_eur", "total", cells.eur),
            _count("records"),
            Field("closed_by"),
            _time("closed_at", "closed"),
        )
    ),
    "usage": View(
        (
            Field("id"),
            _time("at", "time"),
            Field("metric"),
            Field("quantity"),
            Field("amount_eur", "amount", cells.eur),
            Field("user"),
            Field("project"),
            Field("corrects"),
            Field("reason"),
        )
    ),
}

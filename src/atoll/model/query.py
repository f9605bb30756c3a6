"""Queries and what they may read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from atoll.model.record import Frozen, Record
from atoll.model.table import Bounds, Column, ColumnType, DataFile


class Relation(Frozen):
    """A table as one project may see it at one version: `schema.name` in SQL."""

    #: Schema in SQL: the dataset.
    dataset: str
    #: Name in SQL: the table.
    table: str
    snapshot_id: int
    #: Exactly the columns that may be read, in order.
    columns: tuple[Column, ...]
    #: A checked predicate over the table's columns (granted or not), or None.
    row_filter: str | None
    files: tuple[DataFile, ...]
    #: Columns, granted or not, whose bounds are known, with their types; and of each, of every file in turn.
    bounded: tuple[tuple[str, ColumnType], ...] = ()
    bounds: Mapping[str, tuple[Bounds | None, ...]] = Field(default_factory=dict, repr=False)
    #: `<dataset>@<number>`, where a version binds it.
    version: str = ""
    #: Asked for at this version or time (see `TablePoint`); empty: as the grant shows it.
    at: str = ""

    @property
    def view(self) -> str:
        """What it is named below its schema in the engine."""
        return f"{self.table.lower()}@{self.at}" if self.at else self.table

    @property
    def name(self) -> str:
        """`dataset.table`, with `@` and the point for one that was asked for at a version."""
        return f"{self.dataset}.{self.table}@{self.at}" if self.at else f"{self.dataset}.{self.table}"


class TablePoint(Frozen):
    """A table at a version, as a statement asks for it."""

    dataset: str
    table: str
    #: Number of the version, or a time (ISO 8601, UTC) at which it was the newest.
    at: str


class QueryLimits(Frozen):
    """What one query may use."""

    memory_bytes: int
    seconds: float
    max_rows: int
    threads: int


class QueryStats(Frozen):
    """What one query used."""

    rows: int
    seconds: float
    #: Bytes of the data files of every relation the statement names.
    scanned_bytes: int
    #: `dataset.table` of every relation the statement names.
    relations: tuple[str, ...]


class ResultColumn(Frozen):
    """A column of a result, its type in Arrow's words."""

    name: str
    type: str


class QueryEstimate(Frozen):
    """What a query would read, before it is run."""

    #: `dataset.table` of every relation the statement names.
    relations: tuple[str, ...]
    columns: tuple[ResultColumn, ...]
    #: Rows of the result as the engine guesses them; None where it cannot, or where its
    #: guess would tell of rows that a grant hides.
    rows: int | None
    #: Bytes of the data files that would be read.
    scanned_bytes: int


class QueryState(StrEnum):
    """Derived from what is on record; see `QueryRecord.state`."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class KeptResult(Frozen):
    """A result that the platform keeps for a while; readable only while its grants stand."""

    #: The query that computed it: its own, or an earlier one that read the same.
    file: str
    rows: int
    size_bytes: int
    columns: tuple[ResultColumn, ...]
    #: Ids of the grants that it came from.
    grants: tuple[str, ...]
    expires_at: datetime
    #: Ids of the people beside the asker who have read of it; each time is in the audit.
    seen_by: tuple[str, ...] = ()
    #: When and why it was removed: `expired`, `revoked`, `space`, `asked`.
    removed_at: datetime | None = None
    removed_because: str = ""


class QueryRecord(Record):
    """A query that was run, waits to be run, or was refused. The text is kept; a result only when that was asked."""

    kind: ClassVar[str] = "query"
    indexes: ClassVar[tuple[str, ...]] = ("project", "person", "holds", "cache_key", "reads")

    project: str
    #: Id of the person.
    person: str
    sql: str
    #: `<dataset>@<number>` of every version read.
    versions: tuple[str, ...] = ()
    started_at: datetime
    finished_at: datetime | None = None
    stats: QueryStats | None = None
    error_code: str = ""
    error: str = ""
    #: What it cost; None until it is settled.
    cost_eur: Decimal | None = None
    #: When it was handed to the platform to run; None for one whose result streams to its asker.
    queued_at: datetime | None = None
    #: The operation that runs a queued query.
    operation: str | None = None
    #: How often the platform began to run it.
    runs: int = Field(default=0, ge=0)
    result: KeptResult | None = None
    #: SHA-256 over project, statement, versions and policy, of a result that may answer again.
    reusable: str | None = None

    @property
    def state(self) -> QueryState:
        """The state, from what is on record."""
        if self.finished_at is None:
            return QueryState.QUEUED if self.queued_at is not None and not self.runs else QueryState.RUNNING
        if not self.error_code:
            return QueryState.DONE
        return QueryState.CANCELLED if self.error_code in ("cancelled", "conflict") else QueryState.FAILED

    @property
    def holds(self) -> str | None:
        """Index of queries whose result is kept now: `result`, or None."""
        return "result" if self.result is not None and self.result.removed_at is None else None

    @property
    def reads(self) -> str | None:
        """Index of queries that read versions now: `now`, or None."""
        return "now" if self.versions and self.finished_at is None else None

    @property
    def cache_key(self) -> str | None:
        """Index of results that may answer again, while they are kept."""
        return self.reusable if self.holds else None


class SavedQuery(Record):
    """A statement that people of a project keep for each other."""

    kind: ClassVar[str] = "saved_query"
    indexes: ClassVar[tuple[str, ...]] = ("project",)

    project: str
    name: str
    description: str = ""
    sql: str
    #: Login of the person who saved it, and of the one who last changed it.
    saved_by: str
    changed_by: str
    changed_at: datetime

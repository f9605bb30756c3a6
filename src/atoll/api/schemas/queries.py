"""Queries as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field

from atoll.flows.run_query_ahead import NamedRelation, PricedEstimate
from atoll.model.person import NAME
from atoll.model.query import QueryRecord, QueryState, QueryStats, ResultColumn, SavedQuery
from atoll.model.record import Frozen
from atoll.model.said import Sentence


class ResultFormat(StrEnum):
    """How a result is sent."""

    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"
    PARQUET = "parquet"


class NewQuery(Frozen):
    """A statement to run under a project."""

    project: Annotated[str, Field(pattern=NAME)]
    sql: Annotated[str, Field(min_length=1, max_length=200_000)]
    format: ResultFormat = ResultFormat.JSON


class StatementUnder(Frozen):
    """A statement to be priced under a project."""

    project: Annotated[str, Field(pattern=NAME)]
    sql: Annotated[str, Field(min_length=1, max_length=200_000)]


class QueuedQuery(StatementUnder):
    """A statement that the platform runs by itself."""

    #: Compute it even when the same was asked before and its result is still kept.
    fresh: bool = False


class EstimateAnswer(Frozen):
    """What a statement would read and cost."""

    #: `dataset.table` of each.
    relations: tuple[str, ...]
    columns: tuple[ResultColumn, ...]
    #: A guess; null where the engine has none, or where it would tell of rows that a grant hides.
    rows: int | None
    scanned_bytes: int
    #: Of what is scanned; the time of the query is charged as well.
    price: Decimal
    currency: str = "EUR"
    #: Whether one query may cost so much.
    allowed: bool

    @classmethod
    def of(cls, priced: PricedEstimate) -> Self:
        """The estimate."""
        return cls(**dict(priced.estimate), price=priced.price_eur, allowed=priced.allowed)


class RowsAnswer(Frozen):
    """Some rows of a kept result."""

    columns: tuple[ResultColumn, ...]
    #: Number of the first row told, and of all there are.
    offset: int
    total: int
    #: Values as in a JSON result: decimals as texts, binary as base64, NaN and infinity as null.
    rows: list[list[Any]]


class RelationColumn(Frozen):
    """A column that may be read."""

    name: str
    type: str
    description: Sentence
    unit: str | None
    treatment: str


class RelationAnswer(Frozen):
    """A table that may be named in SQL, for the editor."""

    dataset: str
    table: str
    description: str
    columns: tuple[RelationColumn, ...]

    @classmethod
    def of(cls, named: NamedRelation) -> Self:
        """The table."""
        columns = tuple(
            RelationColumn(
                name=c.name, type=c.type.value, description=c.description, unit=c.unit, treatment=c.treatment
            )
            for c in named.columns
        )
        return cls(dataset=named.dataset, table=named.table, description=named.description, columns=columns)


class SavedQueryText(Frozen):
    """A statement to keep."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=2000)] = ""
    sql: Annotated[str, Field(min_length=1, max_length=100_000)]


class SavedQueryAnswer(Frozen):
    """A statement that a project keeps."""

    id: str
    project: str
    name: str
    description: str
    sql: str
    saved_by: str
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, saved: SavedQuery) -> Self:
        """The statement."""
        return cls(**saved.model_dump(exclude={"version", "kind"}))


class QueryAnswer(Frozen):
    """A query on record."""

    id: str
    project: str
    #: Id of the person.
    person: str
    sql: str
    versions: tuple[str, ...]
    started_at: datetime
    finished_at: datetime | None
    stats: QueryStats | None
    error_code: str
    error: Sentence
    state: QueryState
    #: 0 to 1; null where nobody can tell.
    progress: float | None
    rows: int | None
    #: Of a kept result.
    columns: tuple[ResultColumn, ...]
    scanned_bytes: int | None
    #: What it cost; null until it is settled.
    cost: Decimal | None
    currency: str = "EUR"
    #: When it was handed to the platform; null for one whose result was streamed.
    queued_at: datetime | None
    #: Whether its result can be read now, until when, and how large it is.
    result_kept: bool
    result_until: datetime | None
    result_bytes: int | None
    #: Why a result is kept no longer: `expired`, `revoked`, `space`, `asked`.
    result_removed: str
    #: The earlier query whose kept result answers this one.
    answered_by: str | None

    @classmethod
    def of(cls, record: QueryRecord, progress: float | None = None) -> Self:
        """The query."""
        stats, kept = record.stats, record.result
        return cls(
            id=record.id,
            project=record.project,
            person=record.person,
            sql=record.sql,
            versions=record.versions,
            started_at=record.started_at,
            finished_at=record.finished_at,
            stats=stats,
            error_code=record.error_code,
            error=record.error,
            state=record.state,
            progress=progress,
            rows=stats.rows if stats else None,
            columns=kept.columns if kept else (),
            scanned_bytes=stats.scanned_bytes if stats else None,
            cost=record.cost_eur,
            queued_at=record.queued_at,
            result_kept=record.holds is not None,
            result_until=kept.expires_at if kept else None,
            result_bytes=kept.size_bytes if kept else None,
            result_removed=kept.removed_because if kept else "",
            answered_by=kept.file if kept and kept.file != record.id else None,
        )

"""Queries as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from atoll.model.person import NAME
from atoll.model.query import QueryRecord, QueryStats
from atoll.model.record import Frozen


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


class QueryAnswer(Frozen):
    """A query on record; its result is not kept."""

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
    error: str

    @classmethod
    def of(cls, record: QueryRecord) -> Self:
        """The query."""
        return cls(**record.model_dump(exclude={"version", "kind", "stats"}), stats=record.stats)

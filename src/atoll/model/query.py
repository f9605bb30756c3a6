"""Queries and what they may read."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Frozen, Record
from atoll.model.table import Column, DataFile


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


class QueryRecord(Record):
    """A query that was run or refused. The text is kept, results are not."""

    kind: ClassVar[str] = "query"
    indexes: ClassVar[tuple[str, ...]] = ("project", "person")

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

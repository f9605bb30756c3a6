"""Columns, table schemas and files of the lake, as every room names them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from atoll.model.record import Frozen

#: Names that SQL engines keep for schemas and catalogs of their own; no dataset may have one.
RESERVED_DATASETS = frozenset({"information_schema", "main", "memory", "pg_catalog", "recurring", "system", "temp"})


class ColumnType(StrEnum):
    """The types a contract can name, and what they are in the lake.

    string    -> string
    integer   -> 64-bit signed integer
    number    -> 64-bit float
    boolean   -> boolean
    date      -> date
    datetime  -> timestamp with time zone, UTC, microseconds
    partial_date -> string, ISO 8601 with whatever precision is known (`2012`, `2012-11`)
    """

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    PARTIAL_DATE = "partial_date"


class Column(Frozen):
    """One column of a lake table."""

    name: str
    type: ColumnType
    description: str = ""
    unit: str | None = None
    #: The treatment it came through: keep, pseudonymize, shift_date, ...
    treatment: str = "keep"
    #: The source column or path it came from.
    source_column: str = ""


class TableSchema(Frozen):
    """Columns of one lake table, in order. All are nullable in the lake."""

    dataset: str
    table: str
    columns: tuple[Column, ...]
    description: str = ""


class Layout(Frozen):
    """How the files of a table are to be laid out, so that a filtered query need read only some of them.

    Names are those of the lake's columns. Compaction lays files out; until then the files
    of a delivery lie as they came.
    """

    #: A file holds one value of each of these, as long as no more than 1,000 files come of it.
    partition: tuple[str, ...] = ()
    #: Rows of a file are in this order, and so are the files.
    sort: tuple[str, ...] = ()
    #: What a file should have in bytes; without it the setting `lake_file_bytes`.
    file_bytes: int | None = Field(default=None, ge=2**16, le=2**34)


class StagedFile(Frozen):
    """A treated Parquet file that waits in a table's staging place. Made by deid only."""

    dataset: str
    table: str
    path: str
    rows: int
    size_bytes: int


#: Least and greatest value of a column in a file: whole days for dates, microseconds for times, both from 1970.
Bounds = tuple[int | float | str, int | float | str]


class DataFile(Frozen):
    """A data file of a planned table version."""

    path: str
    rows: int
    size_bytes: int
    #: Columns of the planned version that the file lacks (it is older than they are); None: not known.
    lacks: tuple[str, ...] | None = None
    #: By column, where known; a text may be cut short, the upper then rounded up. Stays in this process.
    bounds: Mapping[str, Bounds] = Field(default_factory=dict, exclude=True, repr=False)


class TablePlan(Frozen):
    """The data files that make up one version of a table."""

    dataset: str
    table: str
    snapshot_id: int
    columns: tuple[Column, ...]
    files: tuple[DataFile, ...]

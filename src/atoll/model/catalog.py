"""What the data catalog tells of datasets: names, words and safe figures, never a row."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from atoll.model.record import Frozen, Record
from atoll.model.said import Sentence
from atoll.model.table import ColumnType

#: A cell that fewer subjects (rows, where no subject is known) stand behind is not told.
SMALL_CELL = 10


class CatalogKind(StrEnum):
    """What was found."""

    DATASET = "dataset"
    TABLE = "table"
    COLUMN = "column"


class CatalogEntry(Frozen):
    """A dataset, a table or a column that a search found."""

    kind: CatalogKind
    dataset: str
    table: str | None = None
    column: str | None = None
    #: Title of the dataset.
    title: str
    #: Of the thing itself.
    description: str = ""
    owner: str = ""
    #: Of a column.
    type: ColumnType | None = None
    unit: str | None = None
    treatment: str | None = None
    #: Number of the newest version, 0 before the first.
    latest: int
    #: Of the dataset or table at the newest version; None before the first.
    rows: int | None = None


class DescribedColumn(Frozen):
    """A column as the newest version has it, with what the contract in force does."""

    name: str
    type: ColumnType
    description: Sentence
    unit: str | None
    treatment: str
    #: What is done to the delivered value, as a sentence; empty when the contract names it no more.
    words: Sentence
    #: Why, as the contract says.
    reason: str
    source_column: str


class DescribedTable(Frozen):
    """A table of the newest version; of one that no delivery has filled yet, what the contract says."""

    table: str
    description: str
    #: None before the first commit.
    rows: int | None
    size_bytes: int | None
    #: The column that says whom a row is about.
    subject: str | None
    columns: tuple[DescribedColumn, ...]
    #: SQL that a grant of the whole table lets run.
    sample_query: str


class DatasetDescription(Frozen):
    """A dataset with everything that is known of it, but its values."""

    name: str
    title: str
    description: str
    owner: str
    latest: int
    committed_at: datetime | None
    #: `<dataset>@<number>` of the contract in force.
    contract: str | None
    #: Names of the sources that may deliver to it.
    sources: tuple[str, ...]
    tables: tuple[DescribedTable, ...]


class ValueCount(Frozen):
    """A value that stands in many rows."""

    value: str
    #: Rounded to ten.
    rows: int


class Bin(Frozen):
    """Values from `low` to below `high`; the last bin takes `high` too."""

    low: float | str
    high: float | str
    #: Rounded to ten; None when the cell is too small to be told.
    rows: int | None


class ColumnProfile(Frozen):
    """Figures of one column of treated data. Single values and small cells are not told."""

    name: str
    type: ColumnType
    treatment: str
    unit: str | None = None
    #: Rows without a value, rounded to ten; None when there are some, but too few to be told.
    nulls: int | None
    #: Approximate number of different values.
    distinct: int
    #: Numbers and dates: the least and the greatest value that enough subjects reach or pass.
    min: float | str | None = None
    max: float | str | None = None
    histogram: tuple[Bin, ...] = ()
    #: The most frequent values, of columns with few.
    values: tuple[ValueCount, ...] = ()
    #: Rows with a value that is not listed; None when not told.
    other_rows: int | None = None
    #: Why nothing of the values is told: `pseudonym`, `many_values`, `small`; empty when something is.
    withheld: str = ""


class TableProfile(Record):
    """Figures of a table at a snapshot. Id `<dataset>.<table>@<snapshot>`; computed once, then kept."""

    kind: ClassVar[str] = "table_profile"
    indexes: ClassVar[tuple[str, ...]] = ("dataset",)

    dataset: str
    table: str
    snapshot_id: int
    rows: int
    #: What cells are counted by: the subject's column, or None for rows.
    counted_by: str | None
    columns: tuple[ColumnProfile, ...]
    computed_at: datetime
    seconds: float
    #: Why it could not be computed, empty when it was.
    failure: Sentence = ""


class ProfileWish(Record):
    """That somebody asked for the profile of a version. Id of the version."""

    kind: ClassVar[str] = "profile_wish"

    asked_at: datetime


class ProfileState(StrEnum):
    """How far the profile of a version is."""

    READY = "ready"
    PENDING = "pending"


class DatasetProfile(Frozen):
    """Figures of every table of a version, as far as they are computed."""

    dataset: str
    #: `<dataset>@<number>`.
    version: str
    number: int
    state: ProfileState
    #: Cells below this are not told.
    small_cell: int = SMALL_CELL
    tables: tuple[TableProfile, ...]
    #: Names of the tables that are not computed yet.
    missing: tuple[str, ...]


class DeliveryQuality(Frozen):
    """What became of one delivery, in counts that add up."""

    delivery: str
    source: str
    #: `committed`, `rejected`, `admitting`, ...
    state: str
    submitted_at: datetime | None
    finished_at: datetime | None
    contract: str | None
    dataset_version: int | None
    files: int
    files_refused: int
    rows_in: int
    rows_committed: int
    rows_quarantined: int
    #: Part of the rows that were committed, 0 to 1; None when there was none.
    part_committed: float | None


class DatasetQuality(Frozen):
    """The last deliveries to a dataset, newest first."""

    dataset: str
    deliveries: tuple[DeliveryQuality, ...]


class ColumnDifference(Frozen):
    """A column that is not the same in two versions."""

    column: str
    #: `added`, `removed`, `changed`.
    change: str
    #: What changed, in words.
    words: Sentence = ""


class TableDifference(Frozen):
    """How a table differs between two versions."""

    table: str
    #: `added`, `removed`, `changed`, `same`.
    change: str
    rows_before: int
    rows_after: int
    rows_added: int
    rows_removed: int
    bytes_added: int
    bytes_removed: int
    columns: tuple[ColumnDifference, ...]


class DatasetDifference(Frozen):
    """How two versions of a dataset differ."""

    dataset: str
    #: `<dataset>@<number>` of both.
    before: str
    after: str
    contract_before: str
    contract_after: str
    #: Deliveries of the versions after the first, up to the second.
    deliveries: tuple[str, ...]
    tables: tuple[TableDifference, ...]

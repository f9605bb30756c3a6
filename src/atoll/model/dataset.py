"""Datasets and their versions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from atoll.model.record import Frozen, Record
from atoll.model.table import Column


class Dataset(Record):
    """Lake tables under one name. Its id is its name."""

    kind: ClassVar[str] = "dataset"

    title: str
    description: str = ""
    owner: str = ""
    #: Number of the newest version, 0 before the first commit.
    latest: int = 0
    created_at: datetime


class TableState(Frozen):
    """One table at one dataset version."""

    table: str
    #: Iceberg snapshot id.
    snapshot_id: int
    rows: int
    size_bytes: int
    files: int
    columns: tuple[Column, ...]
    description: str = ""


class MadeBy(StrEnum):
    """What made a dataset version."""

    DELIVERY = "delivery"
    #: The same rows in fewer, larger files.
    COMPACTION = "compaction"
    #: Without the rows of a person.
    ERASURE = "erasure"
    #: From an export.
    IMPORT = "import"


class Keep(Frozen):
    """Somebody's word that a version must not expire."""

    reason: str
    #: Name of the person.
    by: str
    at: datetime


class DatasetVersion(Record):
    """What readers see: a snapshot of each table, bound together. Id `<dataset>@<number>`.

    Written after every table's snapshot is in place, so that a delivery to several
    tables becomes visible whole or not at all. What it binds is never changed; that it is
    kept, or has expired, is noted later.
    """

    kind: ClassVar[str] = "dataset_version"
    indexes: ClassVar[tuple[str, ...]] = ("dataset", "delivery", "landing")
    unique: ClassVar[tuple[str, ...]] = ("landing",)

    dataset: str
    number: int
    #: The delivery that made it, empty where another thing did.
    delivery: str = ""
    #: Number of the replay that made it, 0 for the delivery's first admission.
    replay: int = 0
    made_by: MadeBy = MadeBy.DELIVERY
    #: The operation that made it, where no delivery did.
    operation: str = ""
    contract: str
    tables: tuple[TableState, ...]
    committed_at: datetime
    #: Rows and bytes that this version added.
    rows_added: int
    bytes_added: int
    keep: Keep | None = None
    #: When it ceased to be readable, and the operation that saw to it. The files go with it.
    expired_at: datetime | None = None
    expired_by: str = ""

    @property
    def landing(self) -> str:
        """What names its snapshots in the lake, see `landing_of`; without a delivery the dataset and operation."""
        return landing_of(self.delivery, self.replay) if self.delivery else f"{self.dataset}/{self.operation}"

    @property
    def live(self) -> bool:
        """Whether its rows can still be read."""
        return self.expired_at is None


def landing_of(delivery: str, replay: int) -> str:
    """The name under which an admission's files and snapshots stand in the lake."""
    return f"{delivery}_r{replay}" if replay else delivery

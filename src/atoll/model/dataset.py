"""Datasets and their versions."""

from __future__ import annotations

from datetime import datetime
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


class DatasetVersion(Record):
    """What readers see: a snapshot of each table, bound together. Id `<dataset>@<number>`.

    Written once, after every table's snapshot is in place, so that a delivery to
    several tables becomes visible whole or not at all.
    """

    kind: ClassVar[str] = "dataset_version"
    indexes: ClassVar[tuple[str, ...]] = ("dataset", "delivery", "landing")
    unique: ClassVar[tuple[str, ...]] = ("landing",)

    dataset: str
    number: int
    delivery: str
    #: Number of the replay that made it, 0 for the delivery's first admission.
    replay: int = 0
    contract: str
    tables: tuple[TableState, ...]
    committed_at: datetime
    #: Rows and bytes that this version added.
    rows_added: int
    bytes_added: int

    @property
    def landing(self) -> str:
        """What names its snapshots in the lake, see `landing_of`."""
        return landing_of(self.delivery, self.replay)


def landing_of(delivery: str, replay: int) -> str:
    """The name under which an admission's files and snapshots stand in the lake."""
    return f"{delivery}_r{replay}" if replay else delivery

"""Mounts: granted dataset versions laid out as Parquet directories for machines."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Record


class DatasetMount(Record):
    """One dataset version as one grant shows it, laid out on disk. Its id names the directory.

    Written before the directory is made, so that no directory is without a record.
    """

    kind: ClassVar[str] = "dataset_mount"
    indexes: ClassVar[tuple[str, ...]] = ("project", "dataset")

    project: str
    dataset: str
    #: `<dataset>@<number>`.
    dataset_version: str
    #: Id of the grant that decides what is in it.
    grant: str
    #: When the directory was whole; None while it is being made.
    made_at: datetime | None = None
    #: Tables whose data files are linked, and those written anew for a narrower grant.
    linked: tuple[str, ...] = ()
    materialised: tuple[str, ...] = ()
    #: Of the Parquet files written anew; links take no room.
    written_bytes: int = 0


class MountedBy(Record):
    """What a workspace has mounted. Its id is the workspace's."""

    kind: ClassVar[str] = "mounted_by"

    #: Ids of `DatasetMount`s.
    mounts: tuple[str, ...]
    #: What the newest mounting was done for, e.g. `operation/op_...`.
    because: str = ""
    #: Whether flow events and audit tell of it.
    told: bool = False

"""Grants: a project's right to a dataset."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Frozen, Record


class TableGrant(Frozen):
    """The part of one table that is granted."""

    table: str
    #: Columns that may be read; None means every column.
    columns: tuple[str, ...] | None = None
    #: A SQL predicate over the table's columns; None means every row.
    row_filter: str | None = None


class Grant(Record):
    """A project's right to a dataset: tables, columns, row filter, version, expiry."""

    kind: ClassVar[str] = "grant"
    indexes: ClassVar[tuple[str, ...]] = ("project", "dataset", "standing")
    unique: ClassVar[tuple[str, ...]] = ("standing",)

    #: Name of the project.
    project: str
    dataset: str
    #: The tables granted; None means every table, those of later versions too.
    tables: tuple[TableGrant, ...] | None = None
    #: Number of the dataset version that is read; None means the newest, whatever comes.
    pinned: int | None = None
    reason: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def standing(self) -> str | None:
        """Unique index: at most one grant that is not revoked, for a project and dataset."""
        return f"{self.project}/{self.dataset}" if self.revoked_at is None else None

    def holds(self, now: datetime) -> bool:
        """Whether the grant is in force at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

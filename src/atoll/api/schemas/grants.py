"""Grants as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field

from atoll.api.schemas.people import DatasetName
from atoll.model.contract import COLUMN_NAME
from atoll.model.grant import Grant, TableGrant
from atoll.model.person import NAME
from atoll.model.record import Frozen

_Name = Annotated[str, Field(pattern=COLUMN_NAME)]


class GrantState(StrEnum):
    """Derived from the record and the time."""

    IN_FORCE = "in_force"
    EXPIRED = "expired"
    REVOKED = "revoked"


class NewTableGrant(Frozen):
    """The part of one table to grant."""

    table: _Name
    #: Columns that may be read; left out, every column.
    columns: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=5000)] | None = None
    #: A SQL predicate over the table's columns; left out, every row.
    row_filter: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None


class GrantPart(Frozen):
    """A project, and what it is to read of a dataset, at which version, until when."""

    project: Annotated[str, Field(pattern=NAME)]
    dataset: DatasetName
    #: Tables granted; left out, every table, those of later versions too.
    tables: Annotated[tuple[NewTableGrant, ...], Field(min_length=1, max_length=1000)] | None = None
    #: Number of the dataset version to read; left out or null, the newest, whatever comes.
    version: Annotated[int, Field(ge=1, le=10**9)] | None = None
    expires_at: AwareDatetime | None = None

    def table_grants(self) -> tuple[TableGrant, ...] | None:
        """The tables as the grant keeps them."""
        if self.tables is None:
            return None
        return tuple(TableGrant(**table.model_dump()) for table in self.tables)


class NewGrant(GrantPart):
    """A grant to give."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    #: Check all of it, the filters too, and give nothing.
    dry_run: bool = False


class GrantAnswer(Frozen):
    """A project's right to a dataset."""

    id: str
    project: str
    dataset: str
    tables: tuple[TableGrant, ...] | None
    #: Number of the dataset version that is read; null: the newest.
    version: int | None
    reason: str
    state: GrantState
    granted_by: str
    granted_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, grant: Grant, now: datetime) -> Self:
        """The grant with its state at `now`."""
        if grant.holds(now):
            state = GrantState.IN_FORCE
        else:
            state = GrantState.EXPIRED if grant.revoked_at is None else GrantState.REVOKED
        return cls(
            id=grant.id,
            project=grant.project,
            dataset=grant.dataset,
            tables=grant.tables,
            version=grant.pinned,
            reason=grant.reason,
            state=state,
            granted_by=grant.granted_by,
            granted_at=grant.granted_at,
            expires_at=grant.expires_at,
            revoked_at=grant.revoked_at,
        )

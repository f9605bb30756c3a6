"""Requests for grants: a project asks, a steward of no part in it decides."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from atoll.model.grant import TableGrant
from atoll.model.record import Record

#: A request that nobody has decided on for so long says nothing of what is needed now.
LAPSES_AFTER = timedelta(days=90)


class GrantRequestState(StrEnum):
    """What became of a request; all but the first are final."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    #: Derived: it waited for too long, or the end that was asked for has passed.
    LAPSED = "lapsed"


class GrantRequest(Record):
    """What a project asks to read, and what was decided."""

    kind: ClassVar[str] = "grant_request"
    indexes: ClassVar[tuple[str, ...]] = ("project", "dataset", "decided_state", "waiting")
    unique: ClassVar[tuple[str, ...]] = ("waiting",)

    #: Name of the project.
    project: str
    dataset: str
    #: The tables asked for; None means every table, those of later versions too.
    tables: tuple[TableGrant, ...] | None = None
    #: Number of the dataset version asked for; None means the newest, whatever comes.
    pinned: int | None = None
    #: What it is needed for.
    purpose: str
    #: When the grant is to end.
    expires_at: datetime | None = None
    requested_by: str
    #: Id of the person who asked.
    requester_id: str
    requested_at: datetime
    #: State on record; see `state`.
    decided_state: GrantRequestState = GrantRequestState.WAITING
    decided_by: str | None = None
    decided_at: datetime | None = None
    #: Why it was decided so.
    reason: str = ""
    #: Id of the grant that it became.
    grant: str | None = None

    @property
    def waiting(self) -> str | None:
        """Unique index: a person has one request at a time for a project and dataset."""
        if self.decided_state is not GrantRequestState.WAITING:
            return None
        return f"{self.project}/{self.dataset}/{self.requester_id}"

    def state(self, now: datetime) -> GrantRequestState:
        """The state at `now`."""
        if self.decided_state is GrantRequestState.WAITING and now >= self.lapses_at:
            return GrantRequestState.LAPSED
        return self.decided_state

    @property
    def lapses_at(self) -> datetime:
        """When nobody can decide on it any more."""
        latest = self.requested_at + LAPSES_AFTER
        return latest if self.expires_at is None else min(latest, self.expires_at)

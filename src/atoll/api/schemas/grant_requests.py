"""Requests for grants as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from atoll.api.schemas.grants import GrantPart
from atoll.model.grant import Grant, TableGrant
from atoll.model.grant_request import GrantRequest, GrantRequestState
from atoll.model.record import Frozen


class NewGrantRequest(GrantPart):
    """What a project asks to read, and what for."""

    purpose: Annotated[str, Field(min_length=1, max_length=2000)]


class GrantDecision(Frozen):
    """Why it is decided so; whoever asked reads it."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class GrantRequestAnswer(Frozen):
    """A request and what was decided."""

    id: str
    project: str
    dataset: str
    #: Null: every table.
    tables: tuple[TableGrant, ...] | None
    #: Number of the dataset version asked for; null: the newest.
    version: int | None
    purpose: str
    expires_at: datetime | None
    state: GrantRequestState
    requested_by: str
    #: Id of the person who asked.
    requester_id: str
    requested_at: datetime
    #: When nobody can decide on it any more.
    lapses_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    #: Id of the grant that it became.
    grant: str | None
    #: Id of the grant in force that an approval would replace; told for one request that waits.
    replaces: str | None = None

    @classmethod
    def of(cls, request: GrantRequest, now: datetime, standing: Grant | None = None) -> Self:
        """The request with its state at `now`."""
        state = request.state(now)
        return cls(
            **request.model_dump(exclude={"version", "tables", "pinned", "decided_state"}),
            tables=request.tables,
            version=request.pinned,
            state=state,
            lapses_at=request.lapses_at,
            replaces=standing.id if standing is not None and state is GrantRequestState.WAITING else None,
        )

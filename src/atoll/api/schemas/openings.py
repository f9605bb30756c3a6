"""What is asked about encrypted values, as the API takes and shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from atoll.model.contract import COLUMN_NAME
from atoll.model.opening import OpenedValue, Opening, OpeningState
from atoll.model.person import LOGIN
from atoll.model.record import Frozen

Name = Annotated[str, Field(pattern=COLUMN_NAME)]
Cell = Annotated[str, Field(min_length=1, max_length=100_000)]


class NewOpening(Frozen):
    """Which values, for whom, and why. Exactly one of `subjects`, `values` and `whole` is given."""

    dataset: Annotated[str, Field(max_length=64)]
    table: Name
    #: Encrypted columns, by lake name; empty: all of the table.
    columns: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    #: Pseudonyms, as the lake shows them.
    subjects: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=80)], ...], Field(max_length=1000)] = ()
    #: Encrypted values, as the lake shows them.
    values: Annotated[tuple[Cell, ...], Field(max_length=1000)] = ()
    #: Every encrypted value of the table.
    whole: bool = False
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    #: Login of who gets them; without it oneself.
    recipient: Annotated[str, Field(pattern=LOGIN)] | None = None
    #: For how long after approval they may be taken.
    hours: Annotated[int, Field(ge=1, le=168)] = 24


class OpeningAnswer(Frozen):
    """What was asked, and what became of it; never a value."""

    id: str
    dataset: str
    number: int
    table: str
    columns: tuple[str, ...]
    subjects: tuple[str, ...]
    values: tuple[str, ...]
    whole: bool
    cells: int
    reason: str
    state: OpeningState
    asked_by: str
    asked_at: datetime
    recipient: str
    hours: int
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision: str
    handed_at: datetime | None

    @classmethod
    def of(cls, opening: Opening, now: datetime) -> Self:
        """The opening as it stands at a moment."""
        told = opening.model_dump(exclude={"version", "asker_id", "recipient_id", "state"})
        return cls(**told, state=opening.state_at(now), whole=not (opening.subjects or opening.values))


class OpenedAnswer(Frozen):
    """The values, handed once."""

    id: str
    dataset: str
    table: str
    items: tuple[OpenedValue, ...]

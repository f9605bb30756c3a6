"""Encrypted values are opened: asked by one person, approved by another, handed once to the person named."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from atoll.model.record import Frozen, Record


class OpeningState(StrEnum):
    """What became of what was asked; all but the first two are final."""

    WAITING = "waiting"
    #: The person named may have the values, once, until it expires.
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    HANDED = "handed"
    #: Nobody decided, or nobody took the values, in time. Never stored: it follows from the clock.
    EXPIRED = "expired"


class Opening(Record):
    """What somebody asks to be opened. No opened value is ever kept."""

    kind: ClassVar[str] = "opening"
    indexes: ClassVar[tuple[str, ...]] = ("dataset", "recipient_id", "state")

    dataset: str
    #: The version of the dataset: what was approved is what is opened.
    number: int
    table: str
    #: The encrypted columns, by lake name.
    columns: tuple[str, ...]
    #: Pseudonyms of the subjects asked for; with `values` empty too: the whole table.
    subjects: tuple[str, ...] = ()
    #: Encrypted values asked for, as the lake shows them.
    values: tuple[str, ...] = ()
    #: How many encrypted values that were when it was asked.
    cells: int
    reason: str
    state: OpeningState = OpeningState.WAITING
    asked_by: str
    asker_id: str
    asked_at: datetime
    #: Who gets the values.
    recipient: str
    recipient_id: str
    #: For how long after approval they may be taken.
    hours: int
    #: When the request, or once approved its result, is void.
    expires_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str = ""
    handed_at: datetime | None = None

    def state_at(self, now: datetime) -> OpeningState:
        """The state at a moment."""
        if self.state in (OpeningState.WAITING, OpeningState.APPROVED) and now >= self.expires_at:
            return OpeningState.EXPIRED
        return self.state


class OpenedValue(Frozen):
    """One value, opened."""

    #: Pseudonym of the row's subject; None where the table has none.
    subject: str | None
    column: str
    #: As the lake shows it, so that it can be found there.
    encrypted: str
    value: str

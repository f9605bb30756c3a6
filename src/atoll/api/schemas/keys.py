"""What is asked of domains' keys, as the API takes and shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from atoll.model.key_change import KeyAct, KeyChange, KeyChangeState
from atoll.model.person import NAME
from atoll.model.record import Frozen
from atoll.model.said import Sentence


class NewKeyChange(Frozen):
    """What shall be done, and why."""

    domain: Annotated[str, Field(pattern=NAME)]
    act: KeyAct
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class KeyChangeMeaning(Frozen):
    """What it would mean, a sentence each."""

    domain: str
    act: KeyAct
    meaning: tuple[Sentence, ...]


class KeyChangeAnswer(Frozen):
    """What was asked of a key, and what became of it."""

    id: str
    domain: str
    act: KeyAct
    key_id: str
    meaning: tuple[Sentence, ...]
    reason: str
    state: KeyChangeState
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision: str
    new_key_id: str | None

    @classmethod
    def of(cls, change: KeyChange) -> Self:
        """The change."""
        return cls(**change.model_dump(exclude={"version", "asker_id"}))

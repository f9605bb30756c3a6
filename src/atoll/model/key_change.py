"""A domain's key is rotated or destroyed: asked by one person, done by another."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from atoll.model.record import Frozen, Record


class KeyAct(StrEnum):
    """What is done to a domain's key."""

    #: A new key takes the place of the old one, which only finds what it made.
    ROTATE = "rotate"
    #: The key is gone with those before it, and none takes its place.
    DESTROY = "destroy"


class KeyChangeState(StrEnum):
    """What became of what was asked; the last three are final."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class KeyChange(Record):
    """What somebody asks to be done to a domain's key."""

    kind: ClassVar[str] = "key_change"
    indexes: ClassVar[tuple[str, ...]] = ("domain", "state")

    domain: str
    act: KeyAct
    #: The key that it is about: a change asked of one key is never done to another.
    key_id: str
    #: What it means, as both persons were told.
    meaning: tuple[str, ...]
    reason: str
    state: KeyChangeState = KeyChangeState.WAITING
    asked_by: str
    #: Id of the person who asked.
    asker_id: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str = ""
    #: The key that stands now; None after destruction.
    new_key_id: str | None = None


class DomainState(Frozen):
    """A domain and its key, which is never shown."""

    domain: str
    #: None: the key is destroyed.
    key_id: str | None
    created_at: datetime
    destroyed_at: datetime | None
    #: The master key that sealed it; None when it is destroyed.
    master_key_id: str | None
    #: Datasets whose contract in force names the domain.
    datasets: tuple[str, ...]

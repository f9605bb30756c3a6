"""Maintenance of datasets, as it is asked for and told."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from atoll.flows.version_retention import Protection, Standing
from atoll.model.record import Frozen


class NewCompaction(Frozen):
    """A wish to have a dataset compacted."""

    #: Files that are large enough are laid out anew, too.
    whole: bool = False


class NewExpiry(Frozen):
    """A wish to have old versions expire now; what is left out is as the settings say."""

    #: So many of the newest versions stay.
    kept: int | None = Field(default=None, ge=1)
    #: And those that were the newest less than so many days ago.
    days: float | None = Field(default=None, ge=0)


class NewKeep(Frozen):
    """Why a version must not expire."""

    reason: str = Field(min_length=1, max_length=500)


class RetentionAnswer(Frozen):
    """A version that can be read, and what keeps it from expiring."""

    id: str
    number: int
    committed_at: datetime
    made_by: str
    #: None: it expires at the next turn.
    protection: Protection | None
    #: Of a version that is kept.
    reason: str = ""

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """The version."""
        version = standing.version
        return cls(
            id=version.id,
            number=version.number,
            committed_at=version.committed_at,
            made_by=version.made_by.value,
            protection=standing.protection,
            reason=version.keep.reason if version.keep else "",
        )

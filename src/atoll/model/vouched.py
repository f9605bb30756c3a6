"""What an issuer let a person sign on with, kept to ask it again whether they are still there."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Record


class Vouched(Record):
    """Of one person; the record's id is the person's. Never shown, and never told to a browser."""

    kind: ClassVar[str] = "vouched"

    #: The newest refresh token, sealed by the master key, in base 64; None where it was lost.
    sealed: str | None
    #: When the issuer last vouched for the person.
    vouched_at: datetime
    #: When it was last asked; and whether that asking has not come to an end.
    asked_at: datetime
    asking: bool = False
    #: Whether the issuer may have given a newer token that never arrived: then a refusal says nothing.
    uncertain: bool = False

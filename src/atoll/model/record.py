"""Records: what the control plane keeps, one Pydantic model for each kind."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """A fresh id such as `op_01k9x4...`: sorts by time of making, cannot be guessed.

    48 bits of milliseconds and 80 random bits in Crockford's base 32, lower case.
    """
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    digits = []
    for _ in range(26):
        digits.append(_ALPHABET[number & 31])
        number >>= 5
    return f"{prefix}_{''.join(reversed(digits))}"


def utc_now() -> datetime:
    """Now, in UTC, with its zone."""
    return datetime.now(UTC)


class Frozen(BaseModel):
    """A value: immutable, strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def but(self, **changes: object) -> Self:
        """A copy with these fields changed, validated anew."""
        return type(self).model_validate({**dict(self), **changes})


class Record(Frozen):
    """A thing that a `RecordStore` keeps.

    A kind declares which of its properties can be asked for (`indexes`) and which
    values may stand only once (`unique`, a subset of `indexes`). An index value is
    the string form of the attribute of that name; a record whose value is None is
    not in that index, so `unique` holds among non-None values only.
    """

    kind: ClassVar[str]
    indexes: ClassVar[tuple[str, ...]] = ()
    unique: ClassVar[tuple[str, ...]] = ()

    id: str
    #: 0 before the first write; the store sets it to 1, 2, ... on each write.
    version: int = 0

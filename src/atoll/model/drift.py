"""How the columns of a delivered file differ from what its contract says they are."""

from __future__ import annotations

from enum import StrEnum

from atoll.model.record import Frozen
from atoll.model.said import Sentence


class DriftKind(StrEnum):
    """What is different."""

    #: A column or field that no rule names. It never enters.
    NEW = "new"
    #: A column that the contract names is not there.
    MISSING = "missing"
    #: A name stands twice.
    REPEATED = "repeated"
    #: Its values are of another kind than the contract says.
    RETYPED = "retyped"
    #: The columns come in another order than in the contract.
    REORDERED = "reordered"


class Drift(Frozen):
    """One difference, told with names and counts and never with a value."""

    kind: DriftKind
    table: str
    #: The column; `?` when its name may be a value in a header's place. Of `reordered` the first out of place.
    column: str
    message: Sentence

"""A file that is refused as a whole, with the rule it breaks."""

from __future__ import annotations

from atoll.errors import DeliveryRefused
from atoll.model.drift import Drift


class FileRefused(DeliveryRefused):
    """A file that cannot be read as its contract says.

    Attributes:
        rule: one word for programs: `encoding`, `line_ends`, `columns`, ...
        drift: how its columns differ from the contract's, where that is why.
    """

    def __init__(self, what: str, *, rule: str, todo: str = "", drift: tuple[Drift, ...] = ()) -> None:
        super().__init__(what, todo=todo)
        self.rule = rule
        self.drift = drift

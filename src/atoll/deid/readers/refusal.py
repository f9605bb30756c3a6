"""A file that is refused as a whole, with the rule it breaks."""

from __future__ import annotations

from atoll.errors import DeliveryRefused


class FileRefused(DeliveryRefused):
    """A file that cannot be read as its contract says.

    Attributes:
        rule: one word for programs: `encoding`, `line_ends`, `columns`, ...
    """

    def __init__(self, what: str, *, rule: str, todo: str = "") -> None:
        super().__init__(what, todo=todo)
        self.rule = rule

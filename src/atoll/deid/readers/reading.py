"""One way of reading a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from atoll.model.drift import Drift
from atoll.model.identified import IdentifiedBatch


@dataclass(frozen=True)
class Reading:
    """One way of reading a file.

    Attributes:
        batch: the rows.
        proven: given how many rows were found, whether they are the file's rows. Asked
            after the rows were consumed; where it says no, the next reading is tried. It
            raises `FileRefused` when only reading showed that the file is none.
    """

    batch: IdentifiedBatch
    proven: Callable[[int], bool] = lambda rows: True

    def drifting(self, drift: tuple[Drift, ...]) -> Reading:
        """The same, told how the file's columns differ from the contract's."""
        return replace(self, batch=replace(self.batch, drift=drift))

"""One way of reading a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

"""Special missing values of SAS: `.A` to `.Z` and `._`, which say why a number is not there.

Source of the form: SAS Institute, TS-140 (missing values); SAS 9.4 Language Reference,
"Special Missing Values".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from atoll.deid.readers.fixed_text import Bytes
from atoll.model.contract import TableContract

#: Behind a numeric variable's name: the column of its special missing values.
MISSING = ".missing"
_LETTERS = np.zeros(256, dtype=bool)
_LETTERS[[*b"_ABCDEFGHIJKLMNOPQRSTUVWXYZ"]] = True


def missing_columns(table: TableContract, numeric: Sequence[str]) -> tuple[str, ...]:
    """The contract's columns of special missing values of these numeric variables."""
    return tuple(name + MISSING for name in numeric if name + MISSING in table.columns)


def missing_letters(name: str, field: Bytes) -> pl.Series:
    """The letter of each special missing value (String), null elsewhere."""
    special = _special(field)
    texts = pl.Series(name, field[:, 0].astype(np.uint8).view("S1").astype("U1"), dtype=pl.String)
    return texts.set(pl.Series(~special), None)


def count_special(field: Bytes) -> int:
    """How many rows of an IBM floating point field hold a special missing value."""
    return int(np.count_nonzero(_special(field)))


def _special(field: Bytes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found = _LETTERS[field[:, 0]]
    if found.any():
        rows = np.flatnonzero(found)
        found[rows] = ~field[rows, 1:].any(axis=1)
    return found

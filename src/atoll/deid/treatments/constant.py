"""constant: every value becomes the same one."""

from __future__ import annotations

import polars as pl

from atoll.deid.treatments.treatment import Treatment
from atoll.model.contract import Constant


def constant(rule: Constant) -> Treatment:
    """The contract's value in every row, null rows included."""
    # A bare literal has length one: a table of constants alone would shrink to one row.
    every = pl.col("__row").is_not_null()
    return Treatment(pl.when(every).then(pl.lit(rule.value, dtype=pl.String)))

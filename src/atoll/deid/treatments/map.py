"""map: replaced by the value in the contract's table."""

from __future__ import annotations

import polars as pl

from atoll.deid.source_column import Fault, SourceColumn
from atoll.deid.treatments.treatment import Treatment
from atoll.model.contract import Map


def map_values(column: SourceColumn, rule: Map) -> Treatment:
    """The mapped text; null stays null, and what the table does not have is held or null."""
    old = pl.Series(list(rule.to), dtype=pl.String)
    new = pl.Series(list(rule.to.values()), dtype=pl.String)
    mapped = column.text.replace_strict(old, new, default=None, return_dtype=pl.String)
    if rule.otherwise == "null":
        return Treatment(mapped)
    unknown = ~column.text.is_in(old.implode())
    return Treatment(mapped, faults=(Fault(column.name, "map", "The contract maps no such value.", unknown),))

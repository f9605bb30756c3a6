"""keep: the value enters as it is."""

from __future__ import annotations

from atoll.deid.source_column import SourceColumn
from atoll.deid.treatments.treatment import Treatment


def keep(column: SourceColumn) -> Treatment:
    """The value as the contract's type."""
    return Treatment(column.value)

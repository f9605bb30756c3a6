"""Values that become empty because of what stands in another column of the row."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from atoll.deid.source_column import SourceColumn
from atoll.model.contract import Condition, EnteringRule


def suppressed(value: pl.Expr, rule: EnteringRule, columns: Mapping[str, SourceColumn]) -> pl.Expr:
    """The treated `value`, null where one of the rule's conditions holds on the delivered row."""
    if not rule.suppress_when:
        return value
    held = [_holds(condition, columns[condition.column]).fill_null(False) for condition in rule.suppress_when]
    return pl.when(~pl.any_horizontal(held)).then(value)


def _holds(condition: Condition, column: SourceColumn) -> pl.Expr:
    if condition.values is not None:
        return column.text.is_in(pl.Series(condition.values, dtype=pl.String).implode())
    if condition.above is not None:
        return column.value > condition.above
    if condition.below is not None:
        return column.value < condition.below
    return column.text.is_null() if condition.missing else column.text.is_not_null()

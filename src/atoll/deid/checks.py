"""The checks that a rule asks for, as expressions that are true where a row must be held."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from atoll.deid.source_column import Fault, SourceColumn
from atoll.deid.typed import WORDS
from atoll.model.contract import EnteringRule
from atoll.model.table import ColumnType

#: Values listed in a message at most.
_LISTED = 12


def checks(column: SourceColumn, rule: EnteringRule) -> Iterator[Fault]:
    """Faults of type, required, min, max, values and pattern, as far as the rule asks for them."""
    name, text, value = column.name, column.text, column.value
    if rule.type is not ColumnType.STRING:
        wrong = text.is_not_null() & value.is_null()
        yield Fault(name, "type", f"The value is not {WORDS[rule.type]}.", wrong)
    if rule.required:
        yield Fault(name, "required", "A value is required and none was delivered.", text.is_null())
    if rule.min is not None:
        yield Fault(name, "min", f"The value is below {rule.min:g}.", value < rule.min)
    if rule.max is not None:
        yield Fault(name, "max", f"The value is above {rule.max:g}.", value > rule.max)
    if rule.values is not None:
        allowed = pl.Series(rule.values, dtype=pl.String).implode()
        yield Fault(name, "values", f"The value is none of {_list(rule.values)}.", ~text.is_in(allowed))
    if rule.pattern is not None:
        matches = text.str.contains(f"^(?:{rule.pattern})$")
        yield Fault(name, "pattern", "The value does not match the contract's pattern.", ~matches)


def _list(values: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{value}`" for value in values[:_LISTED])
    return shown if len(values) <= _LISTED else f"{shown} and {len(values) - _LISTED} more"

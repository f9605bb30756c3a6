"""Differences from the contract that only the rows of a file show."""

from __future__ import annotations

from collections.abc import Mapping

from atoll.deid.contract_relations import NESTED
from atoll.deid.outputs import Outputs
from atoll.deid.readers.columns import shown
from atoll.deid.typed import WORDS
from atoll.model.contract import EnteringRule, TableContract
from atoll.model.drift import Drift, DriftKind

#: More than this part of a column's values not of its type, and it is the column that changed, not some values.
_MOST = 0.5


def retyped_columns(table: TableContract, outputs: Outputs, rows: int) -> tuple[Drift, ...]:
    """Columns most of whose rows were held because their value is not of the contract's type."""
    drift = []
    for column, count in outputs.count_rule("type").items():
        rule = table.columns.get(column)
        if isinstance(rule, EnteringRule) and count > rows * _MOST:
            words = f"In {count} of {rows} rows the value is not {WORDS[rule.type]}."
            drift.append(Drift(kind=DriftKind.RETYPED, table="", column=column, message=words))
    return tuple(drift)


def new_fields(table: TableContract, unknown: Mapping[str, int]) -> tuple[Drift, ...]:
    """Fields of a nested format that no rule names, by the number of rows that have them."""
    if table.format not in NESTED:
        return ()
    return tuple(
        Drift(
            kind=DriftKind.NEW,
            table="",
            column=shown(name),
            message=f"No rule of the contract names the field; it did not enter with {rows} rows.",
        )
        for name, rows in unknown.items()
    )

"""What a contract asks of all rows together: uniqueness, and references between tables.

Asked of treated rows: a pseudonym is unique, or stands in another table, where its id does.
Values are compared by 64-bit hashes. That two values of ten million share one has a chance of
3 in a million; then a sound delivery waits, or one reference to nothing passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from atoll.deid.schema import lake_name
from atoll.model.contract import Contract, EnteringRule

_VALUE = "__value"


@dataclass(frozen=True)
class Order:
    """One thing that is asked, by the names of the lake.

    Attributes:
        table, column: whose values.
        target: table and column in which each must stand; None: each may stand once.
    """

    table: str
    column: str
    target: tuple[str, str] | None


def orders(contract: Contract) -> tuple[Order, ...]:
    """All that the contract asks of rows together."""
    found: list[Order] = []
    for name, table in contract.tables.items():
        for column, rule in table.columns.items():
            if not isinstance(rule, EnteringRule):
                continue
            if rule.unique:
                found.append(Order(name, lake_name(column, rule), None))
            if rule.references is not None:
                other, _, key = rule.references.partition(".")
                target = contract.tables[other].columns[key]
                assert isinstance(target, EnteringRule)  # a published contract was checked
                found.append(Order(name, lake_name(column, rule), (other, lake_name(key, target))))
    return tuple(found)


def repeated(values: pl.LazyFrame) -> int:
    """How many rows of the one column have a value that another row has, null aside."""
    hashed = values.select(pl.nth(0).drop_nulls().hash().alias(_VALUE))
    counted = hashed.group_by(_VALUE).agg(pl.len().alias("rows")).filter(pl.col("rows") > 1)
    return int(counted.select(pl.col("rows").sum()).collect(engine="streaming").item())


def dangling(values: pl.LazyFrame, targets: pl.LazyFrame) -> int:
    """How many rows of the one column have a value that `targets` has not, null aside."""
    mine, theirs = (frame.select(pl.nth(0).drop_nulls().hash().alias(_VALUE)) for frame in (values, targets))
    missing = mine.join(theirs.unique(), on=_VALUE, how="anti")
    return int(missing.select(pl.len()).collect(engine="streaming").item())

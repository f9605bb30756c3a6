"""shift_date: moved by the subject's own offset in whole days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from atoll.deid.keyed import date_offset
from atoll.deid.source_column import Fault, SourceColumn
from atoll.deid.treatments.treatment import Setting, Subject, Treatment
from atoll.deid.typed import UTC_MICROSECONDS
from atoll.model.contract import PartialPolicy, ShiftDate
from atoll.model.table import ColumnType

_OFFSET = "__offset_days"
_DAY_LENGTH = len("YYYY-MM-DD")
#: First and last value that can be shifted, by type; comparing is cheaper than taking the year.
_REACH: dict[ColumnType, tuple[pl.Expr, pl.Expr]] = {
    ColumnType.DATE: (pl.lit(date(1000, 1, 1)), pl.lit(date(9980, 12, 31))),
    ColumnType.DATETIME: (
        pl.lit(datetime(1000, 1, 1, tzinfo=UTC), dtype=UTC_MICROSECONDS),
        pl.lit(datetime(9981, 1, 1, tzinfo=UTC) - timedelta(microseconds=1), dtype=UTC_MICROSECONDS),
    ),
    ColumnType.PARTIAL_DATE: (pl.lit("1000"), pl.lit("9980")),
}


def shift_date(column: SourceColumn, rule: ShiftDate, setting: Setting, subject: Subject) -> Treatment:
    """The date moved by its subject's offset; null where the subject is null."""
    days_at_most = setting.domains[subject.domain].max_shift_days
    keyed = date_offset(_OFFSET, subject.key, setting.keys[subject.domain], max_shift_days=days_at_most)
    days = pl.duration(days=pl.col(_OFFSET))
    faults = [_out_of_reach(column, rule)]
    if rule.type is not ColumnType.PARTIAL_DATE:
        return Treatment(column.value + days, (keyed,), tuple(faults))
    partial = column.text.str.len_bytes() < _DAY_LENGTH
    moved = _moved(column.value, days)
    if rule.partial is PartialPolicy.DROP:
        moved = pl.when(~partial).then(moved)
    elif rule.partial is PartialPolicy.REJECT:
        message = "The date is not known to the day, and the contract shifts whole dates only."
        faults.append(Fault(column.name, "partial_date", message, partial))
    return Treatment(moved, (keyed,), tuple(faults))


def _moved(text: pl.Expr, days: pl.Expr) -> pl.Expr:
    """A partial date by way of the middle of its period: 2 July of a year, the 15th of a month.

    A time of day and its zone stand behind the day and stay as they are.
    """
    length = text.str.len_bytes()
    middle = (
        pl.when(length == len("YYYY"))
        .then(text + "-07-02")
        .when(length == len("YYYY-MM"))
        .then(text + "-15")
        .otherwise(text.str.slice(0, _DAY_LENGTH))
    )
    day = (middle.str.to_date("%Y-%m-%d", strict=False) + days).dt.strftime("%Y-%m-%d")
    return day.str.head(length) + text.str.slice(_DAY_LENGTH)


def _out_of_reach(column: SourceColumn, rule: ShiftDate) -> Fault:
    """A shift of at most ten years must stay within the four-digit years."""
    low, high = _REACH[rule.type]
    value = column.value.str.head(len("YYYY")) if rule.type is ColumnType.PARTIAL_DATE else column.value
    message = "The year is not within 1000 to 9980, so the date cannot be shifted."
    return Fault(column.name, "range", message, ~value.is_between(low, high))

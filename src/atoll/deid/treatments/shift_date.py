"""shift_date: moved by the subject's own offset in whole days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import polars as pl

from atoll.deid.keyed import date_offset
from atoll.deid.source_column import Fault, SourceColumn
from atoll.deid.treatments.treatment import Setting, Subject, Treatment
from atoll.deid.typed import DAY_KNOWN, UTC_MICROSECONDS, YEAR_KNOWN
from atoll.model.contract import PartialPolicy, ShiftDate
from atoll.model.table import ColumnType

_OFFSET = "__offset_days"
_DAY_LENGTH = len("YYYY-MM-DD")
#: The parts of a date before the first that is not known.
_KNOWN = r"^(\d{4}(?:-\d{2}(?:-\d{2}.*)?)?)"
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
    partial = ~column.text.str.contains(DAY_KNOWN)
    return Treatment(_by_policy(column, rule, partial, days), (keyed,), (*faults, *_unmovable(column, rule, partial)))


def _by_policy(column: SourceColumn, rule: ShiftDate, partial: pl.Expr, days: pl.Expr) -> pl.Expr:
    """The value moved; where it is not known to the day, as the contract's policy says."""
    moved = _moved(column.value, days)
    match rule.partial:
        case PartialPolicy.SHIFT | PartialPolicy.REJECT:
            return moved
        case PartialPolicy.YEAR:
            return pl.when(partial).then(moved.str.head(len("YYYY"))).otherwise(moved)
        case PartialPolicy.KEEP:
            return pl.when(partial).then(column.value).otherwise(moved)
        case PartialPolicy.DROP:
            return pl.when(~partial).then(moved)


def _unmovable(column: SourceColumn, rule: ShiftDate, partial: pl.Expr) -> Iterator[Fault]:
    """Partial dates that hold their row under the policy."""
    if rule.partial is PartialPolicy.REJECT:
        message = "The date is not known to the day, and the contract shifts whole dates only."
        yield Fault(column.name, "partial_date", message, partial)
    elif rule.partial in (PartialPolicy.SHIFT, PartialPolicy.YEAR):
        message = "The year is not known, so the date cannot be shifted."
        yield Fault(column.name, "partial_date", message, ~column.value.str.contains(YEAR_KNOWN))


def _moved(text: pl.Expr, days: pl.Expr) -> pl.Expr:
    """A date by way of the middle of its period: 2 July of a year, the 15th of a month.

    A time of day and its zone stand behind the day and stay as they are; what stands behind an
    unknown part goes.
    """
    known = text.str.extract(_KNOWN)
    length = known.str.len_bytes().clip(upper_bound=_DAY_LENGTH)
    middle = (
        pl.when(length == len("YYYY"))
        .then(known + "-07-02")
        .when(length == len("YYYY-MM"))
        .then(known + "-15")
        .otherwise(known.str.slice(0, _DAY_LENGTH))
    )
    day = (middle.str.to_date("%Y-%m-%d", strict=False) + days).dt.strftime("%Y-%m-%d")
    return day.str.head(length) + known.str.slice(_DAY_LENGTH)


def _out_of_reach(column: SourceColumn, rule: ShiftDate) -> Fault:
    """A shift of at most ten years must stay within the four-digit years."""
    low, high = _REACH[rule.type]
    value = column.value.str.extract(f"({YEAR_KNOWN})") if rule.type is ColumnType.PARTIAL_DATE else column.value
    message = "The year is not within 1000 to 9980, so the date cannot be shifted."
    return Fault(column.name, "range", message, ~value.is_between(low, high))

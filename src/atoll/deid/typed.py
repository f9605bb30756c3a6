"""Delivered text read as the type its contract names.

Every function gives null where the text is not of the type, and never raises. The
engine holds a row when a value that was there became null.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from atoll.model.table import ColumnType

UTC_MICROSECONDS = pl.Datetime("us", "UTC")

_PLAIN_DATETIME = "%Y-%m-%dT%H:%M:%SZ"
#: Date, time, seconds, fraction, zone: ISO 8601 with a space or `T`, lower case allowed.
_DATETIME_PARTS = r"^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?([.,]\d{1,9})?\s?([Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2})?$"
_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_SECOND = r":[0-5]\d(?:\.\d{1,9})?"
_ZONE = r"(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?"
_HOUR = r"(?:[01]\d|2[0-3])"
_TIME = rf"(?:T(?:{_HOUR}(?::[0-5]\d(?:{_SECOND})?)?|-:[0-5]\d(?:{_SECOND})?|(?:{_HOUR}|-):-{_SECOND}){_ZONE})"
#: YYYY, YYYY-MM, YYYY-MM-DD or a datetime without or with seconds, fraction and zone; a hyphen for
#: each part that is not known where a later one is (SDTMIG 3.2, 4.1.4.1; SDTMIG 3.4, 4.4.2):
#: YYYY---DD, --MM-DD, -----THH:MM, YYYY-MM-DDT-:MM.
PARTIAL_DATE = rf"^(?:\d{{4}}|(?:\d{{4}}|-)-{_MONTH}|(?:\d{{4}}|-)-(?:{_MONTH}|-)-(?:{_DAY}{_TIME}?|-{_TIME}))$"
#: A year first.
YEAR_KNOWN = r"^\d{4}"
#: Known to the day.
DAY_KNOWN = r"^\d{4}-\d{2}-\d{2}"

#: What each type takes, for messages.
WORDS = {
    ColumnType.STRING: "text",
    ColumnType.INTEGER: "a whole number of 64 bits",
    ColumnType.NUMBER: "a finite number",
    ColumnType.BOOLEAN: "true, false, yes, no, y, n, 1 or 0",
    ColumnType.DATE: "a date as YYYY-MM-DD",
    ColumnType.DATETIME: "a date and time as ISO 8601",
    ColumnType.PARTIAL_DATE: "an ISO 8601 date of any precision",
}


def typed(column: pl.Expr, kind: ColumnType) -> pl.Expr:
    """`column` (String) as `kind`; null where it cannot be. Dates lie in years 1 to 9999."""
    return _READ.get(kind, _text)(column)


def is_partial_date(column: pl.Expr) -> pl.Expr:
    """Whether the text is an ISO 8601 date of some precision, and a day of the calendar."""
    day = column.str.slice(0, 10)
    real = ~column.str.contains(DAY_KNOWN) | day.str.to_date("%Y-%m-%d", strict=False).is_not_null()
    return column.str.contains(PARTIAL_DATE) & real & ~column.str.starts_with("0000")


def parse_datetimes(texts: pl.Series) -> pl.Series:
    """ISO 8601 texts as UTC; the common form `2023-10-10T04:17:47Z` is tried first.

    A text without a zone is taken as UTC. Fractions are cut to microseconds.
    """
    plain = texts.str.to_datetime(_PLAIN_DATETIME, strict=False, time_unit="us", time_zone="UTC")
    if plain.null_count() > texts.null_count():
        others = texts.to_frame("t").select(_any_datetime(pl.col("t"))).to_series()
        plain = plain.zip_with(plain.is_not_null(), others)
    return plain.alias(texts.name)


def _any_datetime(text: pl.Expr) -> pl.Expr:
    parts = text.str.extract_groups(_DATETIME_PARTS)

    def part(number: int, default: str) -> pl.Expr:
        return parts.struct.field(str(number)).fill_null(default)

    fraction = part(4, ".0").str.replace(",", ".", literal=True).str.head(7)
    zone = (
        part(5, "Z").str.to_uppercase().str.replace(r"^([+-]\d{2})$", "${1}00").str.replace("Z", "+0000", literal=True)
    )
    whole = pl.concat_str(
        parts.struct.field("1"),
        pl.lit("T"),
        parts.struct.field("2"),
        part(3, ":00"),
        fraction,
        zone.str.replace(":", "", literal=True),
    )
    return whole.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", strict=False, time_unit="us").cast(UTC_MICROSECONDS)


def _boolean(column: pl.Expr) -> pl.Expr:
    word = column.str.to_lowercase()
    return (
        pl.when(word.is_in(["true", "yes", "y", "1"]))
        .then(pl.lit(True))
        .when(word.is_in(["false", "no", "n", "0"]))
        .then(pl.lit(False))
    )


def _text(column: pl.Expr) -> pl.Expr:
    return column


def _integer(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.Int64, strict=False)


def _number(column: pl.Expr) -> pl.Expr:
    number = column.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _date(column: pl.Expr) -> pl.Expr:
    day = column.str.to_date("%Y-%m-%d", strict=False)
    return pl.when((column.str.len_bytes() == len("YYYY-MM-DD")) & (day.dt.year() >= 1)).then(day)


def _datetime(column: pl.Expr) -> pl.Expr:
    return column.map_batches(parse_datetimes, return_dtype=UTC_MICROSECONDS, is_elementwise=True)


def _partial_date(column: pl.Expr) -> pl.Expr:
    return pl.when(is_partial_date(column)).then(column)


_READ: dict[ColumnType, Callable[[pl.Expr], pl.Expr]] = {
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.DATETIME: _datetime,
    ColumnType.PARTIAL_DATE: _partial_date,
}

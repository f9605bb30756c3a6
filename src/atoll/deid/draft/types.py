"""The type that every value of a sample column has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from atoll.model.table import ColumnType

_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")
_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_MOMENT = re.compile(_DATE.pattern + r"[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?")
_PARTIAL = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2]))?")
#: Dates that contracts do not read: day or month first, or without separators.
_OTHER_DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{2,4}|(?:19|20)\d{6}")
_SHAPES = (
    (ColumnType.DATE, _DATE),
    (ColumnType.DATETIME, _MOMENT),
    (ColumnType.INTEGER, _INTEGER),
    (ColumnType.NUMBER, _NUMBER),
)
_BOOLEAN = frozenset({"true", "false"})


def type_of(values: Sequence[str]) -> ColumnType:
    """The narrowest type that all of `values` have; string for none.

    Numbers with leading zeros are codes, so they are strings.
    """
    if not values:
        return ColumnType.STRING
    if all(value.lower() in _BOOLEAN for value in values):
        return ColumnType.BOOLEAN
    for kind, shape in _SHAPES:
        if all(map(shape.fullmatch, values)):
            return kind
    return ColumnType.PARTIAL_DATE if _mixed_dates(values) else ColumnType.STRING


def is_other_date(values: Sequence[str]) -> bool:
    """Whether these are dates in a writing that contracts do not read."""
    return bool(values) and all(map(_OTHER_DATE.fullmatch, values))


def _mixed_dates(values: Sequence[str]) -> bool:
    """Dates of which some are cut short; years alone are numbers."""
    shapes = (_DATE, _MOMENT, _PARTIAL)
    if not all(any(shape.fullmatch(value) for shape in shapes) for value in values):
        return False
    return any("-" in value for value in values)

"""generalize: made coarser."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import polars as pl

from atoll.deid.continents import CONTINENTS
from atoll.deid.source_column import Fault, SourceColumn
from atoll.deid.treatments.hierarchy import hierarchy
from atoll.deid.treatments.treatment import Treatment
from atoll.model.contract import Generalize
from atoll.model.table import ColumnType

#: Three-digit ZIP areas of 20,000 people or fewer, census of 2000: HHS, Guidance
#: Regarding Methods for De-identification of PHI (2012), on 45 CFR 164.514(b)(2)(i)(B).
SMALL_ZIP3 = (
    "036", "059", "063", "102", "203", "556", "692", "790", "821",
    "823", "830", "831", "878", "879", "884", "890", "893",
)  # fmt: skip

_ZIP = r"^\d{5}(?:-?\d{4})?$"
_OLDEST_SHOWN = 89


def generalize(column: SourceColumn, rule: Generalize) -> Treatment:
    """The coarser value; null stays null."""
    made = _MADE.get(rule.to, _shortened)
    return made(column, rule)


def _zip3(column: SourceColumn, rule: Generalize) -> Treatment:
    area = column.text.str.head(3)
    coarse = pl.when(area.is_in(pl.Series(SMALL_ZIP3).implode())).then(pl.lit("000")).otherwise(area)
    message = "The value is not a ZIP code of five or nine digits."
    return Treatment(coarse, faults=(Fault(column.name, "zip", message, ~column.text.str.contains(_ZIP)),))


def _age_90(column: SourceColumn, rule: Generalize) -> Treatment:
    age = column.value
    return Treatment(pl.when(age > _OLDEST_SHOWN).then(_OLDEST_SHOWN + 1).otherwise(age))


def _bins(column: SourceColumn, rule: Generalize) -> Treatment:
    value, width = column.value, rule.width or 1.0
    if rule.type is ColumnType.INTEGER and width.is_integer():
        return Treatment(value - value % int(width))
    return Treatment((value / width).floor() * width)


def _bands(column: SourceColumn, rule: Generalize) -> Treatment:
    value, edges = column.value, rule.edges or ()
    whole = rule.type is ColumnType.INTEGER
    first = f"<={edges[0] - 1:g}" if whole else f"<{edges[0]:g}"
    between = [f"{low:g}-{after - 1:g}" if whole else f"{low:g}-<{after:g}" for low, after in pairwise(edges)]
    last = f"{edges[-1]:g}+" if whole else f">={edges[-1]:g}"
    labels = [first, *between, last]
    band = pl.sum_horizontal([(value >= edge).cast(pl.UInt32) for edge in edges])
    named = band.replace_strict(list(range(len(labels))), labels, return_dtype=pl.String)
    return Treatment(pl.when(value.is_not_null()).then(named))


def _code(column: SourceColumn, rule: Generalize) -> Treatment:
    return Treatment(column.text.str.strip_chars().str.head(rule.length or 0))


def _continent(column: SourceColumn, rule: Generalize) -> Treatment:
    codes = pl.Series(list(CONTINENTS), dtype=pl.String)
    upper = column.text.str.strip_chars().str.to_uppercase()
    found = upper.replace_strict(codes, pl.Series(list(CONTINENTS.values())), default=None, return_dtype=pl.String)
    message = "The value is not an ISO 3166-1 country code of two or three letters."
    return Treatment(found, faults=(Fault(column.name, "country", message, ~upper.is_in(codes.implode())),))


def _shortened(column: SourceColumn, rule: Generalize) -> Treatment:
    partial = rule.type is ColumnType.PARTIAL_DATE
    coarse = _of_text(column.value, rule.to) if partial else _of_date(column.value, rule.to)
    return Treatment(coarse if rule.earliest is None else _from(coarse, rule.earliest))


def _from(year: pl.Expr, earliest: int) -> pl.Expr:
    # Years are four digits, so that text order is their order.
    return pl.when(year < str(earliest)).then(pl.lit(f"before {earliest}")).otherwise(year)


def _of_date(date: pl.Expr, to: str) -> pl.Expr:
    if to == "quarter":
        return date.dt.strftime("%Y") + "-Q" + date.dt.quarter().cast(pl.String)
    return date.dt.strftime("%Y" if to == "year" else "%Y-%m")


def _of_text(date: pl.Expr, to: str) -> pl.Expr:
    if to == "year":
        return date.str.extract(r"^(\d{4})")
    month = date.str.extract(r"^(\d{4}-\d{2})")
    if to == "month":
        return month
    quarter = (month.str.slice(5, 2).cast(pl.Int8, strict=False) + 2) // 3
    return month.str.head(4) + "-Q" + quarter.cast(pl.String)


_MADE: dict[str, Callable[[SourceColumn, Generalize], Treatment]] = {
    "zip3": _zip3,
    "age_90": _age_90,
    "bins": _bins,
    "bands": _bands,
    "continent": _continent,
    "code": _code,
    "hierarchy": hierarchy,
}

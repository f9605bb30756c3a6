"""A code becomes the class of a hierarchy that it stands in."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from atoll.deid.hierarchies import hierarchies
from atoll.deid.source_column import Fault, SourceColumn
from atoll.deid.treatments.treatment import Treatment
from atoll.model.contract import Generalize

#: A beginning of codes, or a range of beginnings of one length. Points are not counted.
ENTRY = re.compile(r"(?P<low>[A-Z0-9.]+)(?:-(?P<high>[A-Z0-9.]+))?\Z")


def classes_of(rule: Generalize) -> Mapping[str, tuple[str, ...]]:
    """The classes that the rule means: its own, or those of a hierarchy that is shipped."""
    return rule.classes if rule.classes is not None else hierarchies()[rule.hierarchy or ""].classes


def bounds(entry: str) -> tuple[str, str]:
    """First and last beginning of an entry. Raises `ValueError` when it is none."""
    found = ENTRY.match(entry.upper())
    if found is None:
        raise ValueError(entry)
    low = found["low"].replace(".", "")
    high = (found["high"] or found["low"]).replace(".", "")
    if not low or len(low) != len(high) or low > high:
        raise ValueError(entry)
    return low, high


def hierarchy(column: SourceColumn, rule: Generalize) -> Treatment:
    """The class; the longest beginning that fits decides. Null stays null, a code of no class is held or null."""
    code = column.text.str.strip_chars().str.to_uppercase().str.replace_all(".", "", literal=True)
    entries = [(*bounds(entry), name) for name, entries in classes_of(rule).items() for entry in entries]
    # The longest first, and of two ranges of one length the narrower.
    entries.sort(key=lambda e: (-len(e[0]), e[0] != e[1]))
    found: pl.Expr = pl.lit(None, dtype=pl.String)
    for low, high, name in reversed(entries):
        fits = code.str.head(len(low)).is_between(pl.lit(low), pl.lit(high)) & (code.str.len_chars() >= len(low))
        found = pl.when(fits).then(pl.lit(name)).otherwise(found)
    if rule.otherwise == "null":
        return Treatment(found)
    message = "The code is in no class of the hierarchy."
    unknown = column.text.is_not_null() & found.is_null()
    return Treatment(found, faults=(Fault(column.name, "hierarchy", message, unknown),))

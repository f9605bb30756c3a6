"""pseudonymize: a keyed hash in place of an identifier."""

from __future__ import annotations

import polars as pl

from atoll.deid.keyed import pseudonym
from atoll.deid.source_column import SourceColumn
from atoll.deid.treatments.treatment import Setting, Treatment
from atoll.model.contract import Pseudonymize


def pseudonymize(column: SourceColumn, rule: Pseudonymize, setting: Setting) -> Treatment:
    """The pseudonym of the column's key text; null stays null."""
    name = f"__pseudonym_{column.name}"
    keyed = pseudonym(name, column.key, setting.keys[rule.domain], prefix=rule.prefix, length=rule.length)
    return Treatment(pl.col(name), keyed=(keyed,))

"""pseudonymize: a keyed hash in place of an identifier."""

from __future__ import annotations

import polars as pl

from atoll.deid.keyed import pseudonym
from atoll.deid.source_column import SourceColumn
from atoll.deid.treatments.treatment import Setting, Treatment
from atoll.model.contract import Pseudonymize

#: `Type/ID`, relative or absolute, with or without a version (FHIR R4, 2.3.0.1).
_LITERAL = r"(?:^|/)[A-Za-z]+/([A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?$"
#: `Type?identifier=system|ID` (FHIR R4, conditional references).
_CONDITIONAL = r"[?&]identifier=(?:[^|]*\|)?(.+)$"
#: `urn:uuid:ID`, `urn:oid:ID` (FHIR R4, references within a bundle).
_URN = r"^urn:(?:uuid|oid):(.+)$"


def pseudonymize(column: SourceColumn, rule: Pseudonymize, setting: Setting) -> Treatment:
    """The pseudonym of the column's key text; null stays null."""
    name = f"__pseudonym_{column.name}"
    keyed = pseudonym(name, column.key, setting.keys[rule.domain], prefix=rule.prefix, length=rule.length)
    return Treatment(pl.col(name), keyed=(keyed,))


def referred_id(text: pl.Expr) -> pl.Expr:
    """The id that a FHIR reference refers to; a text of another shape is taken whole."""
    return pl.coalesce(text.str.extract(_URN), text.str.extract(_CONDITIONAL), text.str.extract(_LITERAL), text)

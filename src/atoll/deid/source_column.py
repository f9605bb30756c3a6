"""A delivered column as checks and treatments see it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from atoll.deid.typed import typed
from atoll.model.contract import Pseudonymize
from atoll.model.table import ColumnType


@dataclass(frozen=True)
class SourceColumn:
    """A column of the identified rows.

    Attributes:
        name: its key in the contract.
        text: the delivered text (String), null where nothing was delivered.
        value: the text read as the contract's type, null where it is not of it.
        key: name of the String column that keys are applied to.
    """

    name: str
    text: pl.Expr
    value: pl.Expr
    key: str


@dataclass(frozen=True)
class Fault:
    """A reason to hold a row: `when` is a Boolean expression, null counts as no fault.

    `rule` is one word for programs, `message` a sentence without any value.
    """

    column: str
    rule: str
    message: str
    when: pl.Expr


def as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column as text; a number without a fraction is written without a point."""
    column = pl.col(name)
    if dtype == pl.String:
        return column
    if dtype.is_float():
        whole = column == column.floor()
        return (
            pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String))
        )
    return column.cast(pl.String)


def key_column(name: str, dtype: pl.DataType, rule: Pseudonymize) -> pl.Expr:
    """The text that keys are applied to: the column's, or the id that a reference in it names."""
    text = as_text(name, dtype)
    return referred_id(text) if rule.reference else text


#: `Type/ID`, relative or absolute, with or without a version (FHIR R4, 2.3.0.1).
_LITERAL = r"(?:^|/)[A-Za-z]+/([A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?$"
#: `Type?identifier=system|ID` (FHIR R4, conditional references).
_CONDITIONAL = r"[?&]identifier=(?:[^|]*\|)?(.+)$"
#: `urn:uuid:ID`, `urn:oid:ID` (FHIR R4, references within a bundle).
_URN = r"^urn:(?:uuid|oid):(.+)$"


def referred_id(text: pl.Expr) -> pl.Expr:
    """The id that a FHIR reference refers to; a text of another shape is taken whole."""
    return pl.coalesce(text.str.extract(_URN), text.str.extract(_CONDITIONAL), text.str.extract(_LITERAL), text)


def as_typed(name: str, dtype: pl.DataType, kind: ColumnType) -> pl.Expr:
    """The column as the contract's type, null where it is not of it."""
    column = pl.col(name)
    if dtype.is_float() and kind is ColumnType.NUMBER:
        return pl.when(column.is_finite()).then(column.cast(pl.Float64))
    if dtype == pl.String:
        return typed(column, kind)
    return typed(as_text(name, dtype), kind)

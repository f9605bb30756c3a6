"""Treatments: one file for each, from a contract's rule to Polars expressions."""

from __future__ import annotations

from atoll.deid.source_column import SourceColumn
from atoll.deid.treatments.constant import constant
from atoll.deid.treatments.encrypt import encrypt
from atoll.deid.treatments.generalize import generalize
from atoll.deid.treatments.keep import keep
from atoll.deid.treatments.map import map_values
from atoll.deid.treatments.pseudonymize import pseudonymize
from atoll.deid.treatments.redact_text import redact_text
from atoll.deid.treatments.shift_date import shift_date
from atoll.deid.treatments.treatment import Setting, Subject, Treatment
from atoll.errors import ContractInvalid
from atoll.model.contract import (
    Constant,
    Encrypt,
    EnteringRule,
    Generalize,
    Keep,
    Map,
    Pseudonymize,
    RedactText,
    ShiftDate,
)

__all__ = ["Setting", "Subject", "Treatment", "treat"]


def treat(column: SourceColumn, rule: EnteringRule, setting: Setting) -> Treatment:
    """The treatment of one column. A rule that no treatment here carries out is an error, never a keep."""
    made: Treatment | None = None
    match rule:
        case Keep():
            made = keep(column)
        case Pseudonymize():
            made = pseudonymize(column, rule, setting)
        case ShiftDate() if setting.subject is not None:
            made = shift_date(column, rule, setting, setting.subject)
        case Generalize():
            made = generalize(column, rule)
        case Map():
            made = map_values(column, rule)
        case RedactText():
            made = redact_text(column, rule, setting)
        case Encrypt():
            made = encrypt(column, rule, setting)
        case Constant():
            made = constant(rule)
        case _:
            pass
    if made is None:
        raise ContractInvalid("The column's treatment cannot be carried out.", where=column.name)
    return made

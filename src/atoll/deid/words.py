"""Treatments and checks in words."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.deid.typed import WORDS
from atoll.model.contract import (
    Constant,
    Drop,
    EnteringRule,
    Generalize,
    Keep,
    Map,
    PartialPolicy,
    Pseudonymize,
    Rule,
    ShiftDate,
)
from atoll.model.table import ColumnType

_PARTIAL = {
    PartialPolicy.SHIFT: "a partial date moves by way of the middle of its period and keeps its precision",
    PartialPolicy.DROP: "a partial date becomes empty",
    PartialPolicy.REJECT: "a row with a partial date waits in quarantine",
}

_COARSER = {
    "year": "Cut to its year.",
    "month": "Cut to its month.",
    "quarter": "Cut to its quarter of the year.",
    "zip3": "Cut to its first three digits; areas of 20,000 people or fewer become 000.",
    "continent": "A country becomes its continent.",
    "age_90": "Kept up to 89; every higher age becomes 90.",
}

_MAPPED_SHOWN = 8


def treatment_words(rule: Rule, subject: str | None) -> str:
    """What is done to the column, in one or two sentences."""
    match rule:
        case Drop():
            words = "Does not enter."
        case Keep():
            words = "Enters as it is."
        case Pseudonymize():
            words = _pseudonymize(rule)
        case ShiftDate():
            partial = f"; {_PARTIAL[rule.partial]}" if rule.type is ColumnType.PARTIAL_DATE else ""
            words = f"Moved by the day offset of the row's {subject or 'subject'}, so that intervals stay{partial}."
        case Generalize():
            words = _generalize(rule)
            if rule.earliest is not None:
                words += f" Years before {rule.earliest} become one, `before {rule.earliest}`."
        case Map():
            words = _map(rule)
        case Constant():
            words = "Becomes empty in every row." if rule.value is None else f"Becomes `{rule.value}` in every row."
    return words


def check_words(rule: EnteringRule) -> tuple[str, ...]:
    """What is asked of the delivered value, one sentence each."""
    return tuple(_checks(rule))


def _checks(rule: EnteringRule) -> Iterator[str]:
    if rule.type is not ColumnType.STRING:
        yield f"Must be {WORDS[rule.type]}."
    if rule.required:
        yield "Must be there."
    if rule.min is not None:
        yield f"Must be at least {rule.min:g}."
    if rule.max is not None:
        yield f"Must be at most {rule.max:g}."
    if rule.values is not None:
        yield f"Must be one of {', '.join(rule.values)}."
    if rule.pattern is not None:
        yield f"Must match `{rule.pattern}`."


def _pseudonymize(rule: Pseudonymize) -> str:
    shape = f"{rule.prefix}…" if rule.prefix else "…"
    bits = rule.length * 4
    of = "The id that the reference names is replaced" if rule.reference else "Replaced"
    return (
        f"{of} by a pseudonym of the domain {rule.domain} ({shape}, {bits} bits): the same id has the same pseudonym."
    )


def _generalize(rule: Generalize) -> str:
    if rule.to == "bins":
        return f"Put into bins of {rule.width:g}, by lower edge."
    if rule.to == "bands":
        return f"Put into bands that begin at {', '.join(f'{edge:g}' for edge in rule.edges or ())}."
    if rule.to == "code":
        return f"Cut to its first {rule.length} characters, a wider class of the hierarchy."
    return _COARSER[rule.to]


def _map(rule: Map) -> str:
    pairs = [f"{old} to {'empty' if new is None else new}" for old, new in rule.to.items()]
    shown = ", ".join(pairs[:_MAPPED_SHOWN]) + (", ..." if len(pairs) > _MAPPED_SHOWN else "")
    rest = (
        "a row with another value waits in quarantine" if rule.otherwise == "reject" else "another value becomes empty"
    )
    return f"Replaced by table ({shown}); {rest}."

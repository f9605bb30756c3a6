"""Treatments and checks in words."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.deid.hierarchies import hierarchies
from atoll.deid.treatments.hierarchy import classes_of
from atoll.deid.typed import WORDS
from atoll.model.contract import (
    Condition,
    Constant,
    Contract,
    Drop,
    Encrypt,
    EnteringRule,
    Generalize,
    Keep,
    Map,
    PartialPolicy,
    Pseudonymize,
    RedactText,
    Rule,
    ShiftDate,
    TableContract,
)
from atoll.model.table import ColumnType

_PARTIAL = {
    PartialPolicy.SHIFT: "a partial date moves by way of the middle of its period and keeps its precision, less what"
    " stands behind an unknown part",
    PartialPolicy.YEAR: "a partial date moves by way of the middle of its period and is cut to its year",
    PartialPolicy.KEEP: "a partial date stays as delivered, unmoved, and so tells its true year or month",
    PartialPolicy.DROP: "a partial date becomes empty",
    PartialPolicy.REJECT: "a row with a partial date waits in quarantine",
}

_NO_YEAR = dict.fromkeys((PartialPolicy.SHIFT, PartialPolicy.YEAR), "; one whose year is unknown waits in quarantine")

_COARSER = {
    "year": "Cut to its year.",
    "month": "Cut to its month.",
    "quarter": "Cut to its quarter of the year.",
    "zip3": "Cut to its first three digits; areas of 20,000 people or fewer become 000.",
    "continent": "A country becomes its continent.",
    "age_90": "Kept up to 89; every higher age becomes 90.",
}

_MAPPED_SHOWN = 8
#: Begins the sentence that tells when a value becomes empty.
SUPPRESSED = "Becomes empty where"


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
            partial = (
                f"; {_PARTIAL[rule.partial]}{_NO_YEAR.get(rule.partial, '')}"
                if rule.type is ColumnType.PARTIAL_DATE
                else ""
            )
            words = f"Moved by the day offset of the row's {subject or 'subject'}, so that intervals stay{partial}."
        case Generalize():
            words = _generalize(rule)
            if rule.earliest is not None:
                words += f" Years before {rule.earliest} become one, `before {rule.earliest}`."
        case Map():
            words = _map(rule)
        case RedactText():
            names = f" and the names in {', '.join(rule.names)}" if rule.names else ""
            if rule.names_from:
                names += f" and the person's names in {', '.join(rule.names_from)} of the same delivery"
            kinds = ", ".join(f"{pattern.value}s" for pattern in rule.patterns)
            words = f"Free text in which what looks like {kinds or 'nothing'}{names} is taken out; all else stays."
        case Encrypt():
            words = (
                f"Encrypted with the key of the domain {rule.domain}: no query reads it. One person asks for values to"
                " be opened, saying why, another approves, and they are handed over once."
            )
        case Constant():
            words = "Becomes empty in every row." if rule.value is None else f"Becomes `{rule.value}` in every row."
    if isinstance(rule, EnteringRule) and rule.suppress_when:
        words += f" {SUPPRESSED} {' or '.join(map(_condition, rule.suppress_when))}."
    return words


def domain_words(contract: Contract, domain: str) -> str:
    """What the domain's key does, in a sentence."""
    rules = [rule for table in contract.tables.values() for rule in table.columns.values()]
    if any(isinstance(rule, Encrypt) and rule.domain == domain for rule in rules):
        return "Its key encrypts values; destroyed, nobody opens them any more."
    return f"Dates move by 1 to {contract.domains[domain].max_shift_days} days, back or forth."


def table_words(table: TableContract) -> Iterator[str]:
    """What is done with or asked of the table's rows together, one sentence each."""
    if table.row_id is not None:
        yield f"Each row is named by `{table.row_id.as_}`, a pseudonym over {', '.join(table.row_id.of)}."
    if table.max_held is not None:
        yield f"A delivery with more than {table.max_held:.2%} of its rows here held waits whole."
    if table.risk is not None:
        by = ", ".join(table.risk.quasi_identifiers)
        above = "waits whole" if table.risk.above == "hold" else "enters with a warning"
        asked = [f"groups of fewer than {table.risk.min_k} by {by}", f"an average risk above {table.risk.max_risk:g}"]
        if table.risk.min_l is not None:
            asked.append(f"fewer than {table.risk.min_l} values of {', '.join(table.risk.sensitive)} in a group")
        if table.risk.max_unique is not None:
            asked.append(f"more than {table.risk.max_unique:.2%} of people alone in theirs")
        yield f"A delivery that would leave {', or '.join(asked)} {above}."


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
    if rule.unique:
        yield "No two rows may have the same; else the delivery waits whole."
    if rule.references is not None:
        yield f"Must stand in {rule.references}; else the delivery waits whole."


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
    if rule.to == "hierarchy":
        return _hierarchy(rule)
    return _COARSER[rule.to]


def _hierarchy(rule: Generalize) -> str:
    classes = [f"{name} ({', '.join(codes)})" for name, codes in classes_of(rule).items()]
    shown = ", ".join(classes[:_MAPPED_SHOWN]) + (", ..." if len(classes) > _MAPPED_SHOWN else "")
    of = f" of {hierarchies()[rule.hierarchy].title}" if rule.hierarchy is not None else ""
    held = "a row with a code of no class waits in quarantine"
    rest = held if rule.otherwise == "reject" else "a code of no class becomes empty"
    return f"A code becomes its class{of}: {shown}; {rest}."


def _condition(condition: Condition) -> str:
    name = condition.column
    if condition.values is not None:
        return f"{name} is {' or '.join(condition.values)}"
    if condition.above is not None:
        return f"{name} is above {condition.above:g}"
    if condition.below is not None:
        return f"{name} is below {condition.below:g}"
    return f"{name} is {'empty' if condition.missing else 'there'}"


def _map(rule: Map) -> str:
    pairs = [f"{old} to {'empty' if new is None else new}" for old, new in rule.to.items()]
    shown = ", ".join(pairs[:_MAPPED_SHOWN]) + (", ..." if len(pairs) > _MAPPED_SHOWN else "")
    rest = (
        "a row with another value waits in quarantine" if rule.otherwise == "reject" else "another value becomes empty"
    )
    return f"Replaced by table ({shown}); {rest}."

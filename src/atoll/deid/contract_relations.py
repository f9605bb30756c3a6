"""What rules of a contract say of other columns, and whether that can be so."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.model.contract import (
    Condition,
    Contract,
    Encrypt,
    EnteringRule,
    Format,
    Generalize,
    Keep,
    PartialPolicy,
    Pseudonymize,
    RedactText,
    ShiftDate,
    TableContract,
)
from atoll.model.table import ColumnType
from atoll.reviewed import Finding

At = tuple[str | int, ...]

_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
#: Formats whose rows are trees of fields: a rule names a path, and what no rule names is left unread.
NESTED = (Format.FHIR, Format.NDJSON, Format.HL7, Format.DICOM, Format.VCF)


def risk_findings(at: At, table: TableContract) -> Iterator[Finding]:
    """Quasi-identifiers and sensitive columns enter, once each, and none is the subject."""
    if table.risk is None:
        return
    named = {"quasi_identifiers": table.risk.quasi_identifiers, "sensitive": table.risk.sensitive}
    for field, columns in named.items():
        for column in columns:
            if not isinstance(table.columns.get(column), EnteringRule):
                yield Finding((*at, "risk", field), f"names `{column}`, which is no column that enters")
        if len(set(columns)) < len(columns):
            yield Finding((*at, "risk", field), "names a column twice")
    if table.subject in table.risk.quasi_identifiers:
        yield Finding((*at, "risk", "quasi_identifiers"), f"names `{table.subject}`, which is the subject itself")
    if table.risk.min_l is not None and not table.risk.sensitive:
        yield Finding((*at, "risk", "min_l"), "is asked for, but no `sensitive` column is named")


def study_day_findings(at: At, table: TableContract) -> Iterator[Finding]:
    """A study day beside the true date of the same event tells the subject's offset (SDTM, `--DY` and `--DTC`)."""
    if not any(isinstance(rule, ShiftDate) for rule in table.columns.values()):
        return
    for name in table.columns:
        if not name.upper().endswith("DY"):
            continue
        date = next((other for other in table.columns if other.upper() == f"{name[:-2]}DTC".upper()), None)
        rules = table.columns[name], table.columns.get(date or "")
        if isinstance(rules[0], Keep | Generalize) and isinstance(rules[1], ShiftDate):
            if rules[1].partial is PartialPolicy.KEEP:
                what = f"keeps partial dates unshifted beside {name}, which narrows down by how many days others move"
                yield Finding((*at, "columns", str(date), "partial"), what)
            continue
        if all(isinstance(rule, Keep | Generalize) for rule in rules):
            what = f"enters unshifted beside {name}, and so tells by how many days the subject's dates move"
            yield Finding((*at, "columns", str(date)), what)


def encryption_findings(contract: Contract) -> Iterator[Finding]:
    """The key of encrypted values does nothing else, so that it can be destroyed or rotated for itself."""
    others: set[str] = {table.row_id.domain for table in contract.tables.values() if table.row_id is not None}
    for table in contract.tables.values():
        others |= {rule.domain for rule in table.columns.values() if isinstance(rule, Pseudonymize)}
    for name, table in contract.tables.items():
        for column, rule in table.columns.items():
            if not isinstance(rule, Encrypt):
                continue
            at = ("tables", name, "columns", column)
            if rule.domain not in contract.domains:
                yield Finding((*at, "domain"), f"`{rule.domain}` is not one of the contract's domains")
            elif rule.domain in others:
                yield Finding((*at, "domain"), f"`{rule.domain}` makes pseudonyms; encrypted values need their own")
            if rule.unique:
                yield Finding((*at, "unique"), "cannot be asked of encrypted values, which differ in every row")


def across_findings(at: At, contract: Contract, table: TableContract) -> Iterator[Finding]:
    """Row ids, names in text, conditions and references name columns that can serve."""
    if table.row_id is not None:
        here = (*at, "row_id")
        if table.row_id.domain not in contract.domains:
            yield Finding((*here, "domain"), f"`{table.row_id.domain}` is not one of the contract's domains")
        for name in table.row_id.of:
            if not isinstance(table.columns.get(name), EnteringRule):
                yield Finding((*here, "of"), f"names `{name}`, which is no column that enters")
    for column, rule in table.columns.items():
        if not isinstance(rule, EnteringRule):
            continue
        here = (*at, "columns", column)
        for condition in rule.suppress_when:
            yield from _condition((*here, "suppress_when"), table, condition)
        if isinstance(rule, RedactText):
            yield from _redact_text(here, table, rule)
            yield from _names_from((*here, "names_from"), contract, table, rule)
        if rule.references is not None:
            yield from _reference((*here, "references"), contract, rule, rule.references)


def _condition(at: At, table: TableContract, condition: Condition) -> Iterator[Finding]:
    other = table.columns.get(condition.column)
    if not isinstance(other, EnteringRule):
        yield Finding(at, f"names `{condition.column}`, which is no column that enters")
        return
    said = [field for field in ("values", "above", "below", "missing") if getattr(condition, field) is not None]
    if len(said) != 1:
        yield Finding(at, "needs exactly one of values, above, below and missing")
    bounded = condition.above is not None or condition.below is not None
    if bounded and other.type not in _NUMBERS:
        yield Finding(at, f"has a bound, which is for integer and number, but {condition.column} is {other.type.value}")


def _redact_text(at: At, table: TableContract, rule: RedactText) -> Iterator[Finding]:
    if rule.type is not ColumnType.STRING:
        yield Finding((*at, "type"), f"must be string for redact_text, not {rule.type.value}")
    if not rule.patterns and not rule.names and not rule.names_from:
        yield Finding((*at, "patterns"), "takes nothing out; name patterns or names")
    for name in rule.names:
        other = table.columns.get(name)
        if other is None:
            yield Finding((*at, "names"), f"names `{name}`, which is no column of the table")
        elif table.format in NESTED and not isinstance(other, EnteringRule):
            yield Finding(
                (*at, "names"), f"names `{name}`, which is dropped; {table.format} files are read without those"
            )


def _names_from(at: At, contract: Contract, table: TableContract, rule: RedactText) -> Iterator[Finding]:
    mine = table.columns.get(table.subject or "")
    for source in rule.names_from:
        name, _, column = source.partition(".")
        other = contract.tables.get(name)
        if other is None or column not in other.columns:
            yield Finding(at, f"names `{source}`, which is no column; write `table.column`")
            continue
        theirs = other.columns.get(other.subject or "")
        if not isinstance(mine, Pseudonymize) or not isinstance(theirs, Pseudonymize) or mine.domain != theirs.domain:
            yield Finding(at, f"names `{source}`, but the two tables have no `subject` of one domain")
        if other.format in (*NESTED, Format.PARQUET) and not isinstance(other.columns[column], EnteringRule):
            yield Finding(at, f"names `{source}`, which is dropped; {other.format} files are read without those")


def _reference(at: At, contract: Contract, rule: EnteringRule, target: str) -> Iterator[Finding]:
    table, _, column = target.partition(".")
    other = contract.tables[table].columns.get(column) if table in contract.tables else None
    if not isinstance(other, EnteringRule):
        yield Finding(at, f"`{target}` is no column that enters; write `table.column`")
        return
    kept = isinstance(rule, Keep) and isinstance(other, Keep) and rule.type is other.type
    if not kept and not _same_pseudonym(rule, other):
        yield Finding(at, f"`{target}` is not treated and typed alike (both kept, or one domain, prefix and length)")


def _same_pseudonym(one: EnteringRule, other: EnteringRule) -> bool:
    if not isinstance(one, Pseudonymize) or not isinstance(other, Pseudonymize):
        return False
    return (one.domain, one.prefix, one.length) == (other.domain, other.prefix, other.length)

"""What a well-formed contract must also fulfil, so that every rule can be carried out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

import polars as pl

from atoll.deid.contract_hierarchies import hierarchy_findings
from atoll.deid.contract_relations import (
    NESTED,
    across_findings,
    encryption_findings,
    risk_findings,
    study_day_findings,
)
from atoll.deid.file_patterns import overlap, part_of
from atoll.deid.readers.dicom_profile import fault_of as dicom_fault
from atoll.deid.readers.hl7 import PATH as HL7_PATH
from atoll.deid.schema import lake_name
from atoll.model.contract import (
    COLUMN_NAME,
    Contract,
    Drop,
    EnteringRule,
    Format,
    Generalize,
    Map,
    Pseudonymize,
    Rule,
    ShiftDate,
    TableContract,
)
from atoll.model.table import RESERVED_DATASETS, ColumnType
from atoll.reviewed import Finding

_DATES = (ColumnType.DATE, ColumnType.DATETIME, ColumnType.PARTIAL_DATE)
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)

_EACH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")

#: Keys of a table that only some formats know, and what is said of them elsewhere.
_FIELDS_OF: dict[str, tuple[tuple[Format, ...], str]] = {
    "csv": ((Format.CSV,), "is for the format csv only"),
    "encoding": (
        (Format.XPT, Format.SAS7BDAT, Format.HL7),
        "is for xpt, sas7bdat and hl7 only; a CSV's encoding stands under `csv`",
    ),
    "unknown_fields": (NESTED, "is for nested formats only; elsewhere an unknown column is refused"),
    "drift": (tuple(f for f in Format if f not in NESTED), "is for flat formats only; see `unknown_fields`"),
    "resource": ((Format.FHIR,), "is for the format fhir only"),
    "each": ((Format.FHIR,), "is for the format fhir only"),
    "sheet": ((Format.EXCEL,), "is for the format excel only"),
    "other_sheets": ((Format.EXCEL,), "is for the format excel only"),
    "retain": ((Format.DICOM,), "is for the format dicom only"),
    "burned_in": ((Format.DICOM,), "is for the format dicom only"),
    "segment": ((Format.HL7,), "is for the format hl7 only"),
    "other_segments": ((Format.HL7,), "is for the format hl7 only"),
}
#: What a table of a format cannot do without.
_NEEDED: dict[Format, tuple[str, str]] = {
    Format.FHIR: ("resource", "a FHIR table takes one resourceType"),
    Format.EXCEL: ("sheet", "an Excel table takes one sheet, by its name"),
    Format.HL7: ("segment", "an HL7 table takes one segment"),
}

#: Types that each generalisation can start from.
_GENERALIZED: dict[str, tuple[ColumnType, ...]] = {
    "year": _DATES,
    "month": _DATES,
    "quarter": _DATES,
    "zip3": (ColumnType.STRING,),
    "age_90": (ColumnType.INTEGER,),
    "bins": _NUMBERS,
    "bands": _NUMBERS,
    "continent": (ColumnType.STRING,),
    "code": (ColumnType.STRING,),
    "hierarchy": (ColumnType.STRING,),
}


def findings_of(contract: Contract) -> list[Finding]:
    """Every fault of `contract`, in the order of its text; empty when it holds."""
    found = list(_file_overlaps(contract))
    if contract.dataset in RESERVED_DATASETS:
        found.append(Finding(("dataset",), f"`{contract.dataset}` is a name that SQL keeps for itself"))
    if not contract.tables:
        found.append(Finding(("tables",), "names no table"))
    for name, table in contract.tables.items():
        at = ("tables", name)
        found += _table(at, table)
        for column, rule in table.columns.items():
            found += _column((*at, "columns", column), contract, table, rule)
        found += across_findings(at, contract, table)
    found += encryption_findings(contract)
    return found


def _file_overlaps(contract: Contract) -> Iterator[Finding]:
    for (left, a), (right, b) in combinations(contract.tables.items(), 2):
        if a.format is b.format and part_of(a) is not None and part_of(a) != part_of(b):
            continue  # each takes its own part of the file
        for mine in a.files:
            for other in b.files:
                if overlap(mine, other):
                    what = f"`{other}` can take the same file as `{mine}` of table {left}"
                    yield Finding(("tables", right, "files"), what)


def _table(at: tuple[str | int, ...], table: TableContract) -> Iterator[Finding]:
    if not table.files or not all(pattern.strip() for pattern in table.files):
        yield Finding((*at, "files"), "needs at least one file name pattern, none empty")
    if not any(isinstance(rule, EnteringRule) for rule in table.columns.values()):
        yield Finding((*at, "columns"), "lets no column enter the lake")
    yield from _subject(at, table)
    yield from _lake_names(at, table)
    yield from _layout(at, table)
    yield from _format_fields(at, table)
    yield from risk_findings(at, table)
    yield from study_day_findings(at, table)


def _subject(at: tuple[str | int, ...], table: TableContract) -> Iterator[Finding]:
    if table.subject is None:
        return
    rule = table.columns.get(table.subject)
    if rule is None:
        yield Finding((*at, "subject"), f"names `{table.subject}`, which is no column of the table")
    elif not isinstance(rule, Pseudonymize):
        yield Finding((*at, "subject"), f"names `{table.subject}`, which must be a pseudonymize column")


def _lake_names(at: tuple[str | int, ...], table: TableContract) -> Iterator[Finding]:
    taken: dict[str, str] = {} if table.row_id is None else {table.row_id.as_: "row_id"}
    for column, rule in table.columns.items():
        if not isinstance(rule, EnteringRule):
            continue
        name = lake_name(column, rule)
        here = (*at, "columns", column)
        if not re.fullmatch(COLUMN_NAME, name):
            yield Finding(here, f"has no usable lake name (`{name}`); give one with `as`")
        elif name in taken:
            yield Finding(here, f"takes the lake name `{name}`, which column `{taken[name]}` has")
        taken.setdefault(name, column)


def _layout(at: tuple[str | int, ...], table: TableContract) -> Iterator[Finding]:
    names = {lake_name(column, rule) for column, rule in table.columns.items() if isinstance(rule, EnteringRule)}
    for what, columns in (("partition", table.layout.partition), ("sort", table.layout.sort)):
        for index, column in enumerate(columns):
            if column not in names:
                yield Finding((*at, "layout", what, index), f"names `{column}`, which is no column of the lake table")
            elif column in columns[:index]:
                yield Finding((*at, "layout", what, index), f"names `{column}` twice")


def _format_fields(at: tuple[str | int, ...], table: TableContract) -> Iterator[Finding]:
    given = table.model_fields_set
    for name, (formats, words) in _FIELDS_OF.items():
        if name in given and table.format not in formats:
            yield Finding((*at, name), words)
    for format_, (name, words) in _NEEDED.items():
        if table.format is format_ and not getattr(table, name):
            yield Finding((*at, name), f"is missing; {words}")
    if table.each is not None and not _EACH.match(table.each):
        yield Finding((*at, "each"), "is the path of an array, like `component` or `contact.telecom`")
    dialect = table.csv
    if dialect.separator == dialect.quote or {dialect.separator, dialect.quote} & {"\n", "\r", "\0"}:
        yield Finding((*at, "csv"), "needs a separator and a quote that differ and are no line end")
    if not (dialect.separator + dialect.quote).isascii():
        yield Finding((*at, "csv"), "needs a separator and a quote from ASCII")


def _column(at: tuple[str | int, ...], contract: Contract, table: TableContract, rule: Rule) -> Iterator[Finding]:
    if str(at[-1]).startswith("__"):
        yield Finding(at, "has a name that begins with `__`, which Atoll keeps for itself")
    if _is_wildcard(str(at[-1])):
        yield Finding(at, "has a name that reads as a wildcard")
    if (rule.path is not None or rule.decode is not None) and table.format not in NESTED:
        yield Finding((*at, "path"), "is for nested formats only, as is `decode`")
    if rule.decode is not None and "[*]" in (rule.path or str(at[-1])).replace(f"{table.each}[*]", ""):
        yield Finding((*at, "decode"), "is for one value; name its place with [0], or give the array as `each`")
    if table.format is Format.HL7 and not HL7_PATH.match(rule.path or str(at[-1])):
        yield Finding((*at, "path"), "is no place in a segment; write it like PID-5[0].1")
    if table.format is Format.DICOM and (fault := dicom_fault(rule.path or str(at[-1]), rule, table.retain)):
        yield Finding(at, fault)
    if isinstance(rule, Drop):
        return
    yield from _checks(at, rule)
    if isinstance(rule, Pseudonymize):
        yield from _pseudonymize(at, contract, rule)
    elif isinstance(rule, ShiftDate):
        yield from _shift_date(at, table, rule)
    elif isinstance(rule, Generalize):
        yield from _generalize(at, rule)
    elif isinstance(rule, Map) and not rule.to:
        yield Finding((*at, "to"), "maps nothing")


def _is_wildcard(name: str) -> bool:
    """Whether Polars takes the name for several columns (`*`, `^...$`)."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def _checks(at: tuple[str | int, ...], rule: EnteringRule) -> Iterator[Finding]:
    if (rule.min is not None or rule.max is not None) and rule.type not in _NUMBERS:
        yield Finding(at, f"has bounds, which are for integer and number, but is {rule.type.value}")
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        yield Finding((*at, "min"), f"is above max ({rule.min:g} > {rule.max:g})")
    if rule.values is not None and not rule.values:
        yield Finding((*at, "values"), "allows no value at all")
    if rule.values is not None and "" in rule.values:
        yield Finding((*at, "values"), "lists the empty text, which is null; leave it out and see `required`")
    if rule.pattern is not None and not _compiles(rule.pattern):
        yield Finding((*at, "pattern"), "is not a regular expression (syntax of the Rust regex crate)")


def _compiles(pattern: str) -> bool:
    try:
        pl.Series([""]).str.contains(f"^(?:{pattern})$")
    except pl.exceptions.PolarsError:
        return False
    return True


def _pseudonymize(at: tuple[str | int, ...], contract: Contract, rule: Pseudonymize) -> Iterator[Finding]:
    if rule.domain not in contract.domains:
        yield Finding((*at, "domain"), f"`{rule.domain}` is not one of the contract's domains")
    if rule.type not in (ColumnType.STRING, ColumnType.INTEGER):
        yield Finding((*at, "type"), f"must be string or integer for pseudonymize, not {rule.type.value}")


def _shift_date(at: tuple[str | int, ...], table: TableContract, rule: ShiftDate) -> Iterator[Finding]:
    if table.subject is None:
        yield Finding(at, "is shifted by its subject's offset, but the table names no `subject`")
    if rule.type not in _DATES:
        yield Finding((*at, "type"), f"must be date, datetime or partial_date for shift_date, not {rule.type.value}")
    if "partial" in rule.model_fields_set and rule.type is not ColumnType.PARTIAL_DATE:
        yield Finding((*at, "partial"), "is for the type partial_date only")


def _generalize(at: tuple[str | int, ...], rule: Generalize) -> Iterator[Finding]:
    allowed = _GENERALIZED[rule.to]
    if rule.type not in allowed:
        names = " or ".join(kind.value for kind in allowed)
        yield Finding((*at, "type"), f"must be {names} to generalize to {rule.to}, not {rule.type.value}")
    for field, kind in {"width": "bins", "edges": "bands", "length": "code"}.items():
        given = getattr(rule, field) is not None
        if rule.to == kind and not given:
            yield Finding((*at, field), f"is missing; {kind} need it")
        if rule.to != kind and given:
            yield Finding((*at, field), f"is for {kind} only")
    yield from hierarchy_findings(at, rule)
    if rule.to != "year" and rule.earliest is not None:
        yield Finding((*at, "earliest"), "is for year only")
    edges = rule.edges or ()
    if list(edges) != sorted(set(edges)):
        yield Finding((*at, "edges"), "must ascend")
    if rule.type is ColumnType.INTEGER and not all(edge.is_integer() for edge in edges):
        yield Finding((*at, "edges"), "must be whole for the type integer")

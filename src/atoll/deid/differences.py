"""What a new contract does otherwise than the one before, column by column, in words."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from atoll.deid.explain import ColumnExplanation, TableExplanation, explain
from atoll.deid.words import SUPPRESSED
from atoll.model.contract import Contract, Retention
from atoll.model.record import Frozen
from atoll.model.said import Sentence


class ChangeKind(StrEnum):
    """What happened to a table or column."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class ContractChange(Frozen):
    """One difference."""

    kind: ChangeKind
    #: Empty for what concerns the dataset as a whole.
    table: str
    #: As delivered; None for what concerns the table as a whole.
    column: str | None
    #: What was done, in words; empty where nothing was.
    before: Sentence
    #: What will be done, in words; empty where nothing will be.
    after: Sentence
    #: More of the delivered value enters than before: the reviewer's first concern.
    opens: bool


#: How much of a delivered value enters, least first. A column that moves up opens.
_OPENNESS = {
    "drop": 0,
    "constant": 0,
    "pseudonymize": 1,
    "encrypt": 1,
    "generalize": 2,
    "map": 2,
    "shift_date": 3,
    "redact_text": 3,
    "keep": 4,
}
#: Treatments that take a part of the value away, or leave a part as it was.
_COARSE = ("generalize", "redact_text", "shift_date")
_NOTHING = 0
#: A treatment that this table does not know is taken to let everything in.
_EVERYTHING = 4


def differences(before: Contract | None, after: Contract) -> tuple[ContractChange, ...]:
    """Every difference between two contracts of one dataset; against None all is added.

    Compared is what people are told (`explain`), so a difference that changes nothing
    of what is done, such as a comment, is not listed.
    """
    old = {} if before is None else {table.table: table for table in explain(before).tables}
    new = {table.table: table for table in explain(after).tables}
    tables = (change for name in {**old, **new} for change in _table(old.get(name), new.get(name)))
    return (*_retention(before, after), *_domains(before, after), *tables)


def _retention(before: Contract | None, after: Contract) -> Iterator[ContractChange]:
    was, will = ("" if one is None else _retention_words(one.retention) for one in (before, after))
    if was != will:
        # Whatever is kept in quarantine, no more of it enters the lake.
        yield ContractChange(
            kind=_kind(bool(was), bool(will)), table="", column=None, before=was, after=will, opens=False
        )


def _retention_words(retention: Retention) -> str:
    said = [
        f"{what} stay {days} days in quarantine"
        for what, days in (("files", retention.delivered_days), ("held rows", retention.held_days))
        if days is not None
    ]
    return f"Once a delivery is closed, its {' and '.join(said)}." if said else ""


def _domains(before: Contract | None, after: Contract) -> Iterator[ContractChange]:
    old = {} if before is None else explain(before).domains
    new = explain(after).domains
    for name in {**old, **new}:
        was, will = old.get(name, ""), new.get(name, "")
        if was != will:
            yield ContractChange(
                kind=_kind(bool(was), bool(will)),
                table="",
                column=None,
                before=f"Domain {name}: {was}" if was else "",
                after=f"Domain {name}: {will}" if will else "",
                opens=False,
            )


def _table(before: TableExplanation | None, after: TableExplanation | None) -> Iterator[ContractChange]:
    known = after or before
    if known is None:
        return
    was, will = _table_words(before), _table_words(after)
    if was != will:
        yield ContractChange(
            kind=_kind(before is not None, after is not None),
            table=known.table,
            column=None,
            before=was,
            after=will,
            opens=False,
        )
    old = {} if before is None else {column.source: column for column in before.columns}
    new = {} if after is None else {column.source: column for column in after.columns}
    for name in {**old, **new}:
        change = _column(known.table, name, old.get(name), new.get(name))
        if change is not None:
            yield change


def _column(
    table: str, name: str, before: ColumnExplanation | None, after: ColumnExplanation | None
) -> ContractChange | None:
    was, will = _column_words(before), _column_words(after)
    if was == will:
        return None
    return ContractChange(
        kind=_kind(before is not None, after is not None),
        table=table,
        column=name,
        before=was,
        after=will,
        opens=_openness(after) > _openness(before) or _checks_less(before, after) or _otherwise_coarse(before, after),
    )


def _checks_less(before: ColumnExplanation | None, after: ColumnExplanation | None) -> bool:
    """Whether a value enters unchecked by something that was asked of it before."""
    if before is None or after is None or _openness(after) == _NOTHING:
        return False
    return not set(before.checks) <= set(after.checks)


def _otherwise_coarse(before: ColumnExplanation | None, after: ColumnExplanation | None) -> bool:
    """Whether what is taken from a value changes; if it is less cannot be told, so a person shall look."""
    if before is None or after is None or before.words == after.words or _openness(after) == _NOTHING:
        return False
    return before.treatment == after.treatment and (before.treatment in _COARSE or SUPPRESSED in before.words)


def _openness(column: ColumnExplanation | None) -> int:
    return _NOTHING if column is None else _OPENNESS.get(column.treatment, _EVERYTHING)


def _table_words(table: TableExplanation | None) -> str:
    if table is None:
        return ""
    subject = f" Rows are about {table.subject}." if table.subject else ""
    return f"{table.format} files {', '.join(table.files)}.{subject} {table.otherwise}"


def _column_words(column: ColumnExplanation | None) -> str:
    if column is None:
        return ""
    enters = f" In the lake as {column.lake_name} ({column.lake_type})." if column.lake_name else ""
    checks = f" {' '.join(column.checks)}" if column.checks else ""
    return f"{column.words}{enters}{checks}"


def _kind(was: bool, will: bool) -> ChangeKind:
    if not was:
        return ChangeKind.ADDED
    return ChangeKind.CHANGED if will else ChangeKind.REMOVED

"""Whether a flat file's columns are the ones its contract names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from atoll.deid.readers.refusal import FileRefused
from atoll.model.contract import Drop, EnteringRule, Format, TableContract
from atoll.model.drift import Drift, DriftKind
from atoll.model.table import ColumnType

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .-]{0,63}\Z")
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
#: Ends the key of a rule that takes special missing values, a column that no file has.
_LETTERS = ".missing"
_TODO = "Deliver the columns that the contract names, or have the contract mended."

_HEADER_IS_A_ROW = (Format.CSV, Format.EXCEL)


def shown(name: str) -> str:
    """A column's name as messages may show it: `?` when it may be a value in a header's place."""
    return name if _NAME.match(name) else "?"


def _hidden(name: str) -> str:
    del name
    return "?"


def check_columns(table: TableContract, found: Sequence[str]) -> tuple[Drift, ...]:
    """Compare the columns of a flat file with the rules of its table; the differences that let it in.

    Columns that no rule names are told by their names. Not so where they are the greater part of a
    file whose header is a row like others: a row of values may stand in its place, and look like names.

    Raises:
        FileRefused: (rule `columns`) a column stands twice, one is not named by any rule, or one that
            must be there is missing; (rule `column_order`) they come in another order than in the
            contract, and it holds such files. A dropped column may be absent when it is optional.
    """
    known = sum(c in table.columns for c in found)
    show = _hidden if table.format in _HEADER_IS_A_ROW and 2 * known < len(found) else shown
    twice = sorted({c for c in found if list(found).count(c) > 1})
    unnamed = sorted({c for c in found if c not in table.columns})
    missing = [c for c, rule in table.columns.items() if c not in found and not _may_miss(rule)]
    drift = [_drift(DriftKind.REPEATED, show(c), "The column stands twice.") for c in twice]
    drift += [
        _drift(DriftKind.NEW, show(c), "No rule of the contract names the column; it does not enter.") for c in unnamed
    ]
    drift += [_drift(DriftKind.MISSING, c, "The contract names the column, and the file has none.") for c in missing]
    moved = _first_moved(table, found)
    if moved is not None:
        drift.append(
            _drift(DriftKind.REORDERED, moved, "From here on columns come in another order than the contract's.")
        )
    faults = [
        f"columns that {words}: {', '.join(dict.fromkeys(names))}"
        for words, names in (
            ("stand twice", [*map(show, twice)]),
            ("no rule names", [*map(show, unnamed)]),
            ("are missing", missing),
        )
        if names
    ]
    if faults:
        raise FileRefused(
            f"The file's columns are not those of the contract; {'; '.join(faults)}.",
            rule="columns",
            todo=_TODO,
            drift=tuple(drift),
        )
    if moved is not None and table.drift.reordered == "hold":
        raise FileRefused(
            f"The file's columns come in another order than the contract's, from {shown(moved)} on.",
            rule="column_order",
            todo="Ask the source whether they mean the same; then mend the contract, or have it admit other orders.",
            drift=tuple(drift),
        )
    return tuple(drift)


def check_kinds(table: TableContract, numeric: Mapping[str, bool]) -> tuple[Drift, ...]:
    """Compare what a file says its columns are (numbers, or not) with the contract; the differences that let it in.

    Raises:
        FileRefused: (rule `column_type`) a column is of another kind, and the contract holds such files.
    """
    drift = []
    for column, number in numeric.items():
        rule = table.columns.get(column)
        if not isinstance(rule, EnteringRule):
            continue
        if number and rule.type is ColumnType.STRING:
            words = "The contract says text, and the file has numbers: leading zeros may be gone."
        elif not number and rule.type in _NUMBERS:
            words = f"The contract says {rule.type.value}, and the file has no numbers."
        else:
            continue
        drift.append(_drift(DriftKind.RETYPED, column, words))
    hold_retyped(table, drift)
    return tuple(drift)


def hold_retyped(table: TableContract, drift: Sequence[Drift]) -> None:
    """Refuse the file whose columns are of another kind, where the contract says so. Raises `FileRefused`."""
    retyped = [one.column for one in drift if one.kind is DriftKind.RETYPED]
    if retyped and table.drift.retyped == "hold":
        raise FileRefused(
            f"Columns are of another kind than the contract says: {', '.join(retyped)}.",
            rule="column_type",
            todo="Ask the source what changed; then deliver anew, or have the contract mended.",
            drift=tuple(drift),
        )


def _first_moved(table: TableContract, found: Sequence[str]) -> str | None:
    """The first column of the file that stands elsewhere than in the contract, of those that both have."""
    mine = [c for c in dict.fromkeys(found) if c in table.columns and not c.endswith(_LETTERS)]
    theirs = [c for c in table.columns if c in mine]
    return next((is_ for is_, should in zip(mine, theirs, strict=True) if is_ != should), None)


def _drift(kind: DriftKind, column: str, message: str) -> Drift:
    # The table is filled in where it is known by name.
    return Drift(kind=kind, table="", column=shown(column), message=message)


def _may_miss(rule: object) -> bool:
    return isinstance(rule, Drop) and rule.optional

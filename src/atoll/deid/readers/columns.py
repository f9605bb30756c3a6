"""Whether a flat file's columns are the ones its contract names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from atoll.deid.readers.refusal import FileRefused
from atoll.model.contract import Drop, Format, TableContract

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .-]{0,63}\Z")

_HEADER_IS_A_ROW = (Format.CSV, Format.EXCEL)


def shown(name: str) -> str:
    """A column's name as messages may show it: `?` when it may be a value in a header's place."""
    return name if _NAME.match(name) else "?"


def _hidden(name: str) -> str:
    del name
    return "?"


def check_columns(table: TableContract, found: Sequence[str]) -> None:
    """Compare the columns of a flat file with the rules of its table.

    Columns that no rule names are told by their names. Not so where they are the greater part of a
    file whose header is a row like others: a row of values may stand in its place, and look like names.

    Raises:
        FileRefused: (rule `columns`) a column stands twice, one is not named by any rule, or one that
            must be there is missing. A dropped column may be absent when it is optional.
    """
    faults = []
    known = sum(c in table.columns for c in found)
    show = _hidden if table.format in _HEADER_IS_A_ROW and 2 * known < len(found) else shown
    if twice := sorted({c for c in found if list(found).count(c) > 1}):
        faults.append(f"columns that stand twice: {', '.join(map(show, twice))}")
    if unnamed := [c for c in found if c not in table.columns]:
        faults.append(f"columns that no rule names: {', '.join(sorted({show(c) for c in unnamed}))}")
    if missing := [c for c, rule in table.columns.items() if c not in found and not _may_miss(rule)]:
        faults.append(f"columns that are missing: {', '.join(missing)}")
    if faults:
        raise FileRefused(
            f"The file's columns are not those of the contract; {'; '.join(faults)}.",
            rule="columns",
            todo="Deliver the columns that the contract names, or have the contract mended.",
        )


def _may_miss(rule: object) -> bool:
    return isinstance(rule, Drop) and rule.optional

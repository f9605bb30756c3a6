"""Which table a delivered file fills: shell patterns on its name, case ignored."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePosixPath

from atoll.model.contract import Contract, Format, TableContract


def table_for(contract: Contract, file_name: str) -> str | None:
    """The first table of `contract` whose `files` take `file_name`, None when none does."""
    return next(iter(tables_for(contract, file_name)), None)


def tables_for(contract: Contract, file_name: str) -> tuple[str, ...]:
    """The tables that a file fills: one, or several where each takes a part of it (`part_of`).

    Patterns see the last part of the name only, so that a source may keep folders.
    """
    name = PurePosixPath(file_name.replace("\\", "/")).name.lower()
    return tuple(
        table
        for table, rules in contract.tables.items()
        if any(fnmatchcase(name, pattern.lower()) for pattern in rules.files)
    )


def part_of(table: TableContract) -> str | None:
    """What of a file of several parts the table takes: a sheet, a type of resource. None: all of it."""
    part = {Format.EXCEL: table.sheet, Format.FHIR: table.resource, Format.HL7: table.segment}.get(table.format)
    return f"{part} {table.each}" if part and table.each else part


def overlap(left: str, right: str) -> bool:
    """Whether some file name matches both patterns (`*`, `?`, `[...]`).

    A bracket is taken as `?`, so an overlap may be told where there is none, never
    the other way round.
    """
    a, b = _tokens(left.lower()), _tokens(right.lower())

    @cache
    def meet(i: int, j: int) -> bool:
        if i == len(a) and j == len(b):
            return True
        if i < len(a) and a[i] == "*":
            return meet(i + 1, j) or (j < len(b) and meet(i, j + 1))
        if j < len(b) and b[j] == "*":
            return meet(i, j + 1) or (i < len(a) and meet(i + 1, j))
        if i == len(a) or j == len(b):
            return False
        return (a[i] == b[j] or "?" in (a[i], b[j])) and meet(i + 1, j + 1)

    return meet(0, 0)


def _tokens(pattern: str) -> tuple[str, ...]:
    tokens: list[str] = []
    at = 0
    while at < len(pattern):
        end = pattern.find("]", at + 2) if pattern[at] == "[" else -1
        if end > 0:
            tokens.append("?")
            at = end + 1
        else:
            tokens.append(pattern[at])
            at += 1
    return tuple(tokens)

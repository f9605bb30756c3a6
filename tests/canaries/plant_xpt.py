"""Canaries in SAS transport files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.canaries.tokens import Mint, keeps_tokens_out
from tests.canaries.xpt_writer import Variable, read_rows, write_xpt

from atoll.deid.readers.xpt_layout import read_member
from atoll.model.contract import EnteringRule, Keep, TableContract

Fields = list[bytes]


def plant_xpt(source: Path, target: Path, table: TableContract, subjects: set[str], mint: Mint, *, bad: bool) -> int:
    """Rewrite `source` to `target` with canaries; returns how many bad rows were added.

    Text variables grow as wide as their widest canary.
    """
    name, variables, rows = read_rows(source)
    names = [v.name for v in variables]
    if table.subject in names:
        at = names.index(table.subject)
        chosen = [row for row in rows if row[at].decode("cp1252").strip() in subjects]
    else:
        chosen = rows[:3]
    example = list((chosen or rows)[0])
    for row in chosen:
        _plant(row, variables, table, mint, source.name)
    faulty = _bad_rows(example, variables, table, mint, source.name) if bad else []
    rows += faulty
    wide = [v if v.numeric else replace(v, width_bytes=max(len(r[i]) for r in rows)) for i, v in enumerate(variables)]
    write_xpt(target, name, wide, rows)
    assert read_member(target).rows == len(rows)
    return len(faulty)


def _plant(row: Fields, variables: list[Variable], table: TableContract, mint: Mint, file: str, but: int = -1) -> None:
    for i, variable in enumerate(variables):
        rule = table.columns[variable.name]
        if isinstance(rule, Keep) or variable.numeric or i == but:
            continue
        value = mint.for_rule(rule, row[i].decode("cp1252").strip(), file, variable.name)
        if value is not None:
            row[i] = value.encode("cp1252")


def _bad_rows(example: Fields, variables: list[Variable], table: TableContract, mint: Mint, file: str) -> list[Fields]:
    """Rows that must be held: wrong type, required missing, out of the list, undecodable."""
    rows = []
    tests = {
        "type": lambda r: r.type.value in ("date", "datetime", "partial_date"),
        "required": lambda r: r.required,
        "values": lambda r: r.values is not None,
        "pattern": keeps_tokens_out,
        "encoding": lambda r: r.type.value == "string",
    }
    for fault, test in tests.items():
        i = next((i for i, v in enumerate(variables) if not v.numeric and _is(table.columns[v.name], test)), None)
        if i is None:
            continue
        row = list(example)
        _plant(row, variables, table, mint, file, but=i)
        row[i] = b"" if fault == "required" else mint.token(file, variables[i].name, f"bad:{fault}").encode()
        row[i] += b"\x81" if fault == "encoding" else b""
        rows.append(row)
    return rows


def _is(rule: object, test: object) -> bool:
    return isinstance(rule, EnteringRule) and bool(test(rule))  # type: ignore[operator]

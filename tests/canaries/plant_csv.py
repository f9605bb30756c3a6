"""Canaries in CSV tables."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.canaries.tokens import Mint, keeps_tokens_out

from atoll.model.contract import EnteringRule, Keep, TableContract

Row = dict[str, str]


def plant_csv(source: Path, target: Path, table: TableContract, subjects: set[str], mint: Mint, *, bad: bool) -> int:
    """Rewrite `source` to `target` with canaries; returns how many bad rows were added.

    In tables without a subject the first rows are planted.
    """
    with source.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows, names = list(reader), list(reader.fieldnames or [])
    chosen = [row for row in rows if table.subject and row[table.subject] in subjects] if table.subject else rows[:3]
    originals = [dict(row) for row in chosen[:1]] or [dict(row) for row in rows[:1]]
    for row in chosen:
        _plant(row, table, mint, source.name)
    lines = [[row[n] for n in names] for row in rows]
    faulty = _bad_lines(originals[0], names, table, mint, source.name) if bad and originals else []
    lines += faulty
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(lines)
    return len(faulty)


def _plant(row: Row, table: TableContract, mint: Mint, file: str, but: str | None = None) -> None:
    for column, rule in table.columns.items():
        if isinstance(rule, Keep) or column in (but, *_absent(row, table)):
            continue
        value = mint.for_rule(rule, row[column], file, column)
        if value is not None:
            row[column] = value


def _absent(row: Row, table: TableContract) -> list[str]:
    """Columns that the file lacks, or that hold a text that means null."""
    return [c for c in table.columns if c not in row or row[c] in table.csv.nulls]


def _bad_lines(example: Row, names: list[str], table: TableContract, mint: Mint, file: str) -> list[list[str]]:
    """Rows that must be held, each with canaries in every identifying field."""
    lines = []
    faults = {
        "type": next((c for c, r in _entering(table) if r.type.value not in ("string",)), None),
        "required": next((c for c, r in _entering(table) if r.required), None),
        "values": next((c for c, r in _entering(table) if r.values is not None), None),
        "pattern": next((c for c, r in _entering(table) if keeps_tokens_out(r)), None),
    }
    for fault, column in faults.items():
        if column is None:
            continue
        row = dict(example)
        _plant(row, table, mint, file, but=column)
        row[column] = "" if fault == "required" else mint.token(file, column, f"bad:{fault}")
        lines.append([row[n] for n in names])
    ragged = dict(example)
    _plant(ragged, table, mint, file)
    lines.append([*(ragged[n] for n in names), mint.token(file, "", "bad:ragged")])
    return lines


def _entering(table: TableContract) -> list[tuple[str, EnteringRule]]:
    return [(c, r) for c, r in table.columns.items() if isinstance(r, EnteringRule)]

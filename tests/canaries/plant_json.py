"""Canaries in newline-delimited JSON and FHIR resources."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.canaries.tokens import Mint, keeps_tokens_out

from atoll.deid.readers.paths import Every, Step, parse_path
from atoll.model.contract import Drop, EnteringRule, Keep, Pseudonymize, Rule, TableContract

Spot = tuple[str | int, ...]


def plant_json(source: Path, target: Path, table: TableContract, subjects: set[str], mint: Mint, *, bad: bool) -> int:
    """Rewrite `source` to `target` with canaries; returns how many bad lines were added.

    In tables without a subject the first rows are planted. A path that is not in a row
    is made, so that every identifying path of the contract is planted.
    """
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines() if line.strip()]
    chosen = [r for r in rows if subject_of(r, table) in subjects] if table.subject else rows[:3]
    example = json.dumps(chosen[0] if chosen else rows[0])
    for row in chosen:
        _plant(row, table, mint, source.name)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    faulty = _bad_lines(example, table, mint, source.name) if bad else []
    target.write_text("\n".join([*lines, *faulty]) + "\n", encoding="utf-8")
    return len(faulty)


def subject_of(row: dict[str, Any], table: TableContract) -> str:
    """The id of the person that a row is about, bare of the reference's type."""
    if table.subject is None:
        return ""
    spots = _spots(row, parse_path(table.columns[table.subject].path or table.subject))
    return str(_get(row, spots[0])).rpartition("/")[2] if spots else ""


def _plant(row: dict[str, Any], table: TableContract, mint: Mint, file: str, but: str = "") -> None:
    entering = [(k, r, parse_path(r.path or k)) for k, r in table.columns.items() if isinstance(r, EnteringRule)]
    kept = {spot for _, _, steps in entering for spot in _spots(row, steps)}
    for key, rule in table.columns.items():
        if isinstance(rule, Drop):
            _plant_dropped(row, parse_path(rule.path or key), kept, mint, file, key)
    for key, rule, steps in entering:
        if not isinstance(rule, Keep) and key != but:
            _plant_entering(row, rule, steps, mint, file, key)


def _plant_dropped(
    row: dict[str, Any], steps: tuple[Step, ...], kept: set[Spot], mint: Mint, file: str, key: str
) -> None:
    leaves = [leaf for spot in _spots(row, steps) for leaf in _leaves(_get(row, spot), spot)]
    for leaf in leaves or _make(row, steps):
        if leaf in kept:
            continue
        old = _get(row, leaf)
        if isinstance(old, bool):
            continue
        if isinstance(old, int | float):
            _set(row, leaf, int(mint.digits(file, key, "drop")))
        elif leaf[-1] == "data":
            note = f"Seen today: {mint.token(file, key, 'drop')}, as before."
            _set(row, leaf, base64.b64encode(note.encode()).decode())
        else:
            _set(row, leaf, mint.token(file, key, "drop"))


def _plant_entering(row: dict[str, Any], rule: Rule, steps: tuple[Step, ...], mint: Mint, file: str, key: str) -> None:
    for spot in _spots(row, steps) or _make(row, steps):
        old = str(_get(row, spot) or f"Made/{key}")
        head, bare = _reference(old) if isinstance(rule, Pseudonymize) and rule.reference else ("", old)
        value = mint.for_rule(rule, bare, file, key)
        if value is not None:
            _set(row, spot, head + value)


def _reference(text: str) -> tuple[str, str]:
    """What stands before the id of a reference, and the id."""
    at = max(text.rfind("|"), text.rfind("/") if "|" not in text else -1, text.rfind(":") if "|" not in text else -1)
    return text[: at + 1], text[at + 1 :]


def _bad_lines(example: str, table: TableContract, mint: Mint, file: str) -> list[str]:
    def planted(but: str = "") -> dict[str, Any]:
        row: dict[str, Any] = json.loads(example)
        _plant(row, table, mint, file, but)
        return row

    lines = [json.dumps(planted())[:-1]]
    unknown = planted()
    unknown["nickname"] = mint.token(file, "nickname", "bad:unknown_field")
    unknown[f"Mr {mint.token(file, '', 'bad:unknown_key')}, of this town"] = 1
    lines.append(json.dumps(unknown))
    if table.resource:
        other = planted()
        other["resourceType"] = mint.token(file, "resourceType", "bad:resource_type")
        lines.append(json.dumps(other))
    for fault, key, rule in _faults(table):
        row = planted(but=key)
        steps = parse_path(rule.path or key)
        value = None if fault == "required" else mint.token(file, key, f"bad:{fault}")
        for spot in _spots(row, steps) or _make(row, steps):
            _set(row, spot, value)
        lines.append(json.dumps(row))
    lines.append(json.dumps([planted()]))
    return lines


def _faults(table: TableContract) -> list[tuple[str, str, EnteringRule]]:
    entering = [(k, r) for k, r in table.columns.items() if isinstance(r, EnteringRule)]
    tests = {
        "type": lambda r: r.type.value != "string",
        "required": lambda r: r.required,
        "values": lambda r: r.values is not None,
        "pattern": lambda r: keeps_tokens_out(r) and isinstance(r, Keep),
    }
    return [(f, *next(x for x in entering if t(x[1]))) for f, t in tests.items() if any(t(r) for _, r in entering)]


def _spots(value: Any, steps: tuple[Step, ...], at: Spot = ()) -> list[Spot]:
    """The places in a row that a path leads to."""
    if not steps:
        return [at]
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        return _spots(value[step], rest, (*at, step)) if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    indexes = range(len(value)) if isinstance(step, Every) else [i for i in (step,) if i < len(value)]
    return [spot for i in indexes for spot in _spots(value[i], rest, (*at, i))]


def _leaves(value: Any, at: Spot) -> list[Spot]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in _leaves(v, (*at, k))]
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in _leaves(v, (*at, i))]
    return [at]


def _make(row: dict[str, Any], steps: tuple[Step, ...]) -> list[Spot]:
    """Make the place a path leads to; nothing where something else stands in its way."""
    spot: Spot = tuple(0 if isinstance(s, Every) else s for s in steps)
    here: Any = row
    for step, following in zip(spot, [*spot[1:], None], strict=True):
        empty: Any = None if following is None else {} if isinstance(following, str) else []
        if isinstance(step, str) and isinstance(here, dict):
            here = here.setdefault(step, empty)
        elif isinstance(step, int) and isinstance(here, list) and step <= len(here):
            here += [empty] if step == len(here) else []
            here = here[step]
        else:
            return []
    return [spot]


def _get(row: Any, spot: Spot) -> Any:
    for step in spot:
        row = row[step]
    return row


def _set(row: Any, spot: Spot, value: Any) -> None:
    _get(row, spot[:-1])[spot[-1]] = value

"""Planting canaries in a whole example dataset.

    planted = plant(Path("examples/fhir"), tmp_path / "fhir")
    # deliver planted.files, then:
    leaks = scan(home, planted.canaries, exclude=[quarantine])

Every identifying field (every rule of the contract that is not `keep`) of every row of a
few subjects gets a value that exists nowhere else, and bad rows with canaries are added
at the end of each file. `planted.unplanted` lists the fields whose checks let no unique
value through.
"""

from __future__ import annotations

import csv
import fnmatch
import json
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.canaries.plant_csv import plant_csv
from tests.canaries.plant_json import plant_json, subject_of
from tests.canaries.plant_xpt import plant_xpt
from tests.canaries.tokens import Canary, Mint
from tests.canaries.xpt_writer import read_rows

from atoll.model.contract import Contract, Format, Keep, TableContract

_PLANTERS = {Format.CSV: plant_csv, Format.XPT: plant_xpt, Format.FHIR: plant_json, Format.NDJSON: plant_json}


@dataclass(frozen=True)
class Planted:
    """A dataset with canaries.

    Attributes:
        files: the files to deliver.
        canaries: all values planted, bad rows' included.
        bad_rows: how many rows of each file (by name) must be held.
        unplanted: `table.column` of identifying fields without a canary.
        contract: the example's contract.
    """

    files: tuple[Path, ...]
    canaries: tuple[Canary, ...]
    bad_rows: dict[str, int]
    unplanted: tuple[str, ...]
    contract: Contract


def plant(example: Path, target: Path, *, subjects: int = 2, bad: bool = True) -> Planted:
    """Copy the data of an example (`contract.yaml`, `data/`) to `target` with canaries.

    Args:
        example: a folder of `examples/`.
        target: where the planted files go; made when absent.
        subjects: how many persons are planted.
        bad: whether bad rows are added.
    """
    contract = Contract.model_validate(yaml.safe_load((example / "contract.yaml").read_text(encoding="utf-8")))
    target.mkdir(parents=True, exist_ok=True)
    mint, files, bad_rows = Mint(), [], {}
    pairs = [(source, _table(contract, source.name)) for source in sorted((example / "data").iterdir())]
    people = _subjects([(s, t) for s, t in pairs if t.subject], subjects)
    for source, table in pairs:
        to = target / source.name
        bad_rows[source.name] = _PLANTERS[table.format](source, to, table, people, mint, bad=bad)
        files.append(to)
    return Planted(tuple(files), tuple(mint.made.values()), bad_rows, _unplanted(pairs, contract, mint), contract)


def _table(contract: Contract, name: str) -> TableContract:
    for table in contract.tables.values():
        if any(fnmatch.fnmatch(name.lower(), pattern.lower()) for pattern in table.files):
            return table
    raise ValueError(f"no table of the contract takes {name}")


def _subjects(pairs: list[tuple[Path, TableContract]], count: int) -> set[str]:
    """People who stand in as many files as can be, with few rows, so that runs stay short."""
    rows_of: dict[str, list[int]] = {}
    for source, table in pairs:
        seen: dict[str, int] = {}
        for subject in _subject_column(source, table):
            seen[subject] = seen.get(subject, 0) + 1
        for subject, rows in seen.items():
            rows_of.setdefault(subject, []).append(rows)
    ranked = sorted(rows_of, key=lambda s: (-len(rows_of[s]), sum(rows_of[s]), s))
    return set(ranked[:count])


def _subject_column(source: Path, table: TableContract) -> list[str]:
    subject = str(table.subject)
    if table.format is Format.CSV:
        with source.open(newline="", encoding="utf-8") as file:
            return [row[subject] for row in csv.DictReader(file)]
    if table.format is Format.XPT:
        _, variables, rows = read_rows(source)
        at = [v.name for v in variables].index(subject)
        return [row[at].decode("cp1252").strip() for row in rows]
    return [subject_of(json.loads(line), table) for line in source.read_text(encoding="utf-8").splitlines()]


def _unplanted(pairs: list[tuple[Path, TableContract]], contract: Contract, mint: Mint) -> tuple[str, ...]:
    names = {id(table): name for name, table in contract.tables.items()}
    return tuple(
        f"{names[id(table)]}.{column}"
        for source, table in pairs
        for column, rule in table.columns.items()
        if not isinstance(rule, Keep) and (source.name, column) not in mint.places
    )

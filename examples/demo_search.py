"""Looks for identifying values of the delivered files in everything the platform keeps."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import polars as pl

#: Shorter values occur by chance.
_LEAST = 6
_PATIENT_COLUMNS = ("Id", "SSN", "DRIVERS", "PASSPORT", "FIRST", "LAST", "MAIDEN", "ADDRESS")


def identified_values(examples: Path) -> set[str]:
    """Names, numbers, addresses and ids of the people in the example files."""
    found: set[str] = set()
    with (examples / "synthea" / "data" / "patients.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found.update(row[column] for column in _PATIENT_COLUMNS)
    for line in (examples / "fhir" / "data" / "Patient.000.ndjson").read_text().splitlines():
        patient = json.loads(line)
        found.add(patient["id"])
        found.update(i["value"] for i in patient.get("identifier", []))
        found.update(n.get("family", "") for n in patient.get("name", []))
        found.update(t["value"] for t in patient.get("telecom", []))
        found.update(text for a in patient.get("address", []) for text in a.get("line", []))
    return {value for value in found if len(value) >= _LEAST}


def search_home(home: Path, values: set[str]) -> tuple[int, int, list[str]]:
    """Files read, bytes read, and the places where a value stands; quarantine is left out."""
    wanted = sorted(values)
    files = size = 0
    hits: list[str] = []
    for path in sorted(p for p in home.rglob("*") if p.is_file()):
        place = path.relative_to(home)
        if place.parts[0] == "quarantine":
            continue
        files += 1
        content = path.read_bytes()
        size += len(content)
        texts: Iterable[bytes] = _parquet_texts(path) if path.suffix == ".parquet" else (content,)
        for text in texts:
            hits.extend(str(place) for value in wanted if value.encode() in text)
    return files, size, hits


def _parquet_texts(path: Path) -> Iterable[bytes]:
    for column in pl.read_parquet(path).iter_columns():
        if column.dtype == pl.String:
            yield "\n".join(column.drop_nulls().unique()).encode()

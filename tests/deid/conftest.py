"""A small delivery, carried out: the contract's columns and the file's bytes in, both halves out."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import pytest

from atoll.deid import FileReport, deidentify_file, parse_contract
from atoll.deid.keyring import derive
from atoll.model.identified import HELD_ROWS_SCHEMA

SECRET = bytes(range(32))


@dataclass(frozen=True)
class Admitted:
    report: FileReport
    treated: pl.DataFrame
    held: pl.DataFrame


def contract_text(columns: str, *, table: str = "", sealed: bool = False) -> str:
    lines = "\n".join(f"      {line}" for line in columns.strip().splitlines())
    extra = "\n".join(f"    {line}" for line in table.strip().splitlines())
    own = "\n  sealed: {description: Values that two persons open}" if sealed else ""
    return f"""
dataset: lab
title: Laboratory
domains:
  people: {{description: People, max_shift_days: 100}}{own}
tables:
  results:
    files: ["*.csv"]
    format: csv
{extra}
    columns:
{lines}
"""


@pytest.fixture
def keys():
    return {"people": derive("key_test", SECRET)}


@pytest.fixture
def admit(tmp_path, keys):
    def run(columns: str, data: bytes, *, table: str = "", sealed: bool = False) -> Admitted:
        contract = parse_contract(contract_text(columns, table=table, sealed=sealed))
        source = tmp_path / "in.csv"
        source.write_bytes(data)
        staged, held = tmp_path / "lake" / "t.parquet", tmp_path / "quarantine" / "h.parquet"
        report = deidentify_file(contract, "results", source, "in.csv", keys, staged, held)
        left = sorted(p.name for d in (staged.parent, held.parent) for p in d.iterdir())
        assert set(left) <= {"t.parquet", "h.parquet"}, "temporary files stay behind"
        return Admitted(
            report,
            pl.read_parquet(staged) if staged.exists() else pl.DataFrame(),
            pl.read_parquet(held) if held.exists() else pl.DataFrame(schema=HELD_ROWS_SCHEMA),
        )

    return run

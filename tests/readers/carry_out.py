"""A small delivery of any format, carried out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from atoll.deid import FileReport, deidentify_file, parse_contract
from atoll.deid.keyring import DomainKeys, derive
from atoll.model.contract import Contract
from atoll.model.identified import HELD_ROWS_SCHEMA


@dataclass(frozen=True)
class Done:
    """What became of a file."""

    report: FileReport
    treated: pl.DataFrame
    held: pl.DataFrame


def keys_of(contract: Contract) -> dict[str, DomainKeys]:
    """Keys that are the same in every run."""
    return {n: derive(n, n.encode()) for n in contract.domains}


def contract_of(kind: str, columns: str, *, table: str = "") -> Contract:
    """A contract of one table `t` with these columns and further lines."""
    indented = "".join(f"      {line}\n" for line in columns.strip().splitlines())
    extra = "".join(f"    {line}\n" for line in table.strip().splitlines())
    return parse_contract(
        "dataset: d\ntitle: D\ndomains:\n  people: {description: People, max_shift_days: 100}\n"
        f"tables:\n  t:\n    files: ['*']\n    format: {kind}\n{extra}    columns:\n{indented}"
    )


def carry_out(directory: Path, kind: str, columns: str, data: bytes | Path, *, table: str = "") -> Done:
    """Carry out a contract of one table on a file."""
    contract = contract_of(kind, columns, table=table)
    source = data if isinstance(data, Path) else directory / "in.bin"
    if isinstance(data, bytes):
        source.write_bytes(data)
    staged, held = directory / "lake" / "t.parquet", directory / "quarantine" / "h.parquet"
    report = deidentify_file(contract, "t", source, source.name, keys_of(contract), staged, held)
    if report.rows_in is not None:
        assert report.rows_in == report.rows_committed + report.rows_held
    left = sorted(p.name for d in (staged.parent, held.parent) for p in d.iterdir())
    assert set(left) <= {"t.parquet", "h.parquet"}, "temporary files stay behind"
    return Done(
        report,
        pl.read_parquet(staged) if staged.exists() else pl.DataFrame(),
        pl.read_parquet(held) if held.exists() else pl.DataFrame(schema=HELD_ROWS_SCHEMA),
    )

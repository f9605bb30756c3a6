"""A file that fills one table or several: each its part, and the file whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from atoll.deid.engine import Progress, deidentify_file
from atoll.deid.keyring import DomainKeys
from atoll.deid.known_names import NO_NAMES, KnownNames
from atoll.deid.report import FileReport
from atoll.model.contract import Contract


def deidentify_parts(
    contract: Contract,
    source: Path,
    name: str,
    keys: Mapping[str, DomainKeys],
    staged: Mapping[str, Path],
    held: Path,
    on_progress: Progress = lambda part: None,
    only: frozenset[int] | None = None,
    known: KnownNames = NO_NAMES,
) -> FileReport:
    """As `deidentify_file`, for every table of `staged` (by name, where its rows go).

    The account is the file's: counts are sums over its tables, `staged` and
    `also_staged` the treated files. When one part is refused the file is, and nothing of
    it is staged. Rows have numbers that are unique in the file, whichever table they are of.
    """
    [first, *others] = tables = list(staged)
    if not others:
        return deidentify_file(contract, first, source, name, keys, staged[first], held, on_progress, only, known=known)
    helds = [held.with_name(f".{held.name}.{table}") for table in tables]
    reports: list[FileReport] = []
    try:
        for at, (table, rows) in enumerate(zip(tables, helds, strict=True)):
            share = _share(on_progress, at, len(tables))
            report = deidentify_file(
                contract, table, source, name, keys, staged[table], rows, share, only, siblings=tables, known=known
            )
            if report.rule:
                for path in staged.values():
                    path.unlink(missing_ok=True)
                held.unlink(missing_ok=True)
                return report
            reports.append(report)
        _join(helds, held)
    finally:
        for rows in helds:
            rows.unlink(missing_ok=True)
    files = [report.staged for report in reports if report.staged is not None]
    left_out: Counter[str] = Counter()
    for report in reports:
        left_out.update(report.left_out)
    return FileReport(
        name=name,
        table=first,
        rows_in=sum(report.rows_in or 0 for report in reports),
        rows_committed=sum(report.rows_committed for report in reports),
        rows_held=sum(report.rows_held for report in reports),
        met=frozenset[int]().union(*(report.met for report in reports)),
        left_out=dict(left_out),
        drift=tuple(one for report in reports for one in report.drift),
        staged=files[0] if files else None,
        also_staged=tuple(files[1:]),
    )


def _join(parts: list[Path], held: Path) -> None:
    """The held rows of all parts in one file, 0600, by rename."""
    whole = held.with_name(f".{held.name}.joined")
    whole.touch(mode=0o600)
    try:
        pl.scan_parquet(parts, glob=False).sink_parquet(whole, compression="zstd")
        whole.replace(held)
    finally:
        whole.unlink(missing_ok=True)


def _share(on_progress: Progress, at: int, count: int) -> Progress:
    return lambda part: on_progress((at + part) / count)

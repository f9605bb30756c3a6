"""One delivered file, de-identified: treated rows to the staging place, the rest to quarantine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from atoll.deid.drifted import new_fields, retyped_columns
from atoll.deid.held_rows import malformed_rows
from atoll.deid.keyring import DomainKeys
from atoll.deid.known_names import NO_NAMES, KnownNames, names_wanted
from atoll.deid.outputs import Outputs
from atoll.deid.plan import plan_table
from atoll.deid.readers.columns import hold_retyped
from atoll.deid.readers.nested_rows import ROWS_OF_A_RECORD
from atoll.deid.readers.readings import readings
from atoll.deid.report import FileReport
from atoll.errors import DeliveryRefused, NotFound
from atoll.model.contract import Contract, Format, TableContract
from atoll.model.drift import Drift, DriftKind
from atoll.model.identified import IdentifiedBatch

#: What a library raises when a file is not what it should be. Their texts may hold values
#: of the file, so none of them is passed on or chained.
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, UnicodeDecodeError)

#: Row groups bound the memory of the pass. On the benchmark's 500 MB the process peaked at
#: 1.04 GB with the usual 262,144 rows and at 0.87 GB with these; the file grew by 3.4 %.
_PARQUET: Mapping[str, Any] = {"compression": "zstd", "compression_level": 1, "row_group_size": 32_768}

Progress = Callable[[float], None]


def deidentify_file(
    contract: Contract,
    table: str,
    source: Path,
    name: str,
    keys: Mapping[str, DomainKeys],
    staged: Path,
    held: Path,
    on_progress: Progress = lambda part: None,
    only: frozenset[int] | None = None,
    siblings: Sequence[str] = (),
    known: KnownNames = NO_NAMES,
) -> FileReport:
    """Carry out `contract` on the delivered file at `source`.

    Treated rows go to `staged` (zstd Parquet, the columns of `table_schema`), rejected
    ones to `held` (Parquet, HELD_ROWS_SCHEMA; identified, so it belongs in quarantine,
    and scratch files are made beside it). Both appear whole, by rename; running again
    replaces them. `staged` is absent when no row came through, `held` when the file as a
    whole was refused.

    Args:
        name: the delivered name, for reports and held rows.
        keys: keys of every domain that the contract names.
        on_progress: told the part done, 0 to 1; it may raise to stop the work.
        only: numbers of the rows that are meant (1-based, as held rows have them); None for all.
        siblings: all tables that take a part of this file, this one among them; the first
            of them holds what no table takes.
        known: names in other tables of the delivery, where texts ask for them (`gather_names`).

    Returns the account of the file. What is wrong with the file is in it and is never
    raised. Raises `NotFound` when the contract has no such table, `OSError` when the
    outputs cannot be written.
    """
    if table not in contract.tables:
        raise NotFound("The contract has no such table.", where=f"{contract.dataset}.{table}")
    on_progress(0.0)
    if lacking := known.lacks(names_wanted(contract, table)):
        staged.unlink(missing_ok=True)
        held.unlink(missing_ok=True)
        return _refused(name, table, "names", _lacking(lacking))
    with Outputs(staged, held) as outputs:
        try:
            report = _first_proven(contract, table, source, name, keys, outputs, only, siblings, known)
        except DeliveryRefused as refusal:
            report = _refused(
                name, table, getattr(refusal, "rule", "unreadable"), _sentence(refusal), getattr(refusal, "drift", ())
            )
        except _UNREADABLE:
            report = _refused(name, table, "unreadable", "The file cannot be read as its contract says.")
    on_progress(1.0)
    return report


def _first_proven(
    contract: Contract,
    table: str,
    source: Path,
    name: str,
    keys: Mapping[str, DomainKeys],
    outputs: Outputs,
    only: frozenset[int] | None,
    siblings: Sequence[str],
    known: KnownNames,
) -> FileReport:
    """The account of the first reading that holds; the file is refused when none does."""
    parts = tuple(contract.tables[s] for s in siblings or (table,))
    for reading in readings(source, contract.tables[table], outputs.scratch, parts):
        try:
            rows_in, met = _write(contract, table, name, keys, reading.batch, outputs, only, known)
            proven = reading.proven(rows_in)
        except _UNREADABLE:
            continue
        if proven:
            return _account(contract, table, name, reading.batch, outputs, only, met)
    return _refused(name, table, "unreadable", "The file cannot be read as its contract says.")


def _write(
    contract: Contract,
    table: str,
    name: str,
    keys: Mapping[str, DomainKeys],
    batch: IdentifiedBatch,
    outputs: Outputs,
    only: frozenset[int] | None,
    known: KnownNames,
) -> tuple[int, frozenset[int]]:
    """Write both halves in one pass over the file; how many rows were read as rows, and which of `only` were met."""
    rows, number = batch.rows, pl.col("__row").cast(pl.Int64)
    asked: pl.Expr = pl.when(number.is_in(sorted(only or ()))).then(number)
    if only is not None:
        if _rows_of_records(contract.tables[table]):
            # A record that was held as a whole is asked for with all the rows that it gives.
            record = number // ROWS_OF_A_RECORD
            asked = pl.coalesce(asked, pl.when(record.is_in(sorted(only))).then(record))
        rows = rows.filter(asked.is_not_null())
    plan = plan_table(contract, table, rows, keys, file_name=name, known=known)
    treated = plan.treated.sink_parquet(outputs.treated, lazy=True, **_PARQUET)
    held = plan.held.sink_parquet(outputs.faulty, lazy=True, **_PARQUET)
    if only is None:
        pl.collect_all([treated, held], engine="streaming")
        return outputs.count_treated() + outputs.count_faulty(), frozenset()
    found = [batch.rows.select(pl.len()), rows.select(asked.alias("asked").unique())]
    _, _, whole, met = pl.collect_all([treated, held, *found], engine="streaming")
    return int(whole.item()), frozenset(met["asked"].to_list())


def _rows_of_records(table: TableContract) -> bool:
    return table.each is not None or table.format is Format.VCF


def _account(
    contract: Contract,
    table: str,
    name: str,
    batch: IdentifiedBatch,
    outputs: Outputs,
    only: frozenset[int] | None,
    met: frozenset[int],
) -> FileReport:
    """Bring both outputs to their places and count them."""
    committed, faulty = outputs.count_treated(), outputs.count_faulty()
    # A part of a file's rows does not tell of the file.
    retyped = retyped_columns(contract.tables[table], outputs, committed + faulty) if only is None else ()
    said = {one.column for one in batch.drift if one.kind is DriftKind.RETYPED}
    drift = (*batch.drift, *(one for one in retyped if one.column not in said))
    hold_retyped(contract.tables[table], drift)
    unread = [row for row in batch.malformed if only is None or row.row in only]
    malformed = malformed_rows(unread, file_name=name)
    outputs.keep_held(malformed)
    return FileReport(
        name=name,
        table=table,
        rows_in=committed + faulty + len(unread),
        rows_committed=committed,
        rows_held=faulty + len(unread),
        left_out=dict(batch.unknown),
        drift=tuple(one.but(table=table) for one in (*drift, *new_fields(contract.tables[table], batch.unknown))),
        met=met | {row.row for row in unread} | (only or frozenset()).intersection(batch.passed),
        staged=outputs.keep_treated(contract.dataset, table),
    )


def _refused(name: str, table: str, rule: str, message: str, drift: Sequence[Drift] = ()) -> FileReport:
    told = tuple(one.but(table=table) for one in drift)
    return FileReport(name=name, table=table, rows_in=None, rule=rule, message=message, drift=told)


def _lacking(sources: Sequence[str]) -> str:
    return (
        f"Names that are to be taken out of its texts stand in {', '.join(sources)}, and no file of the delivery brings"
        " these. Deliver them together, or have the contract mended, and replay."
    )


def _sentence(refusal: DeliveryRefused) -> str:
    return f"{refusal.what} {refusal.todo}".strip()

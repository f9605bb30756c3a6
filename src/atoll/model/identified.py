"""Identified data has a type of its own.

Only `deliveries`, `deid` may import this module (an import contract enforces it), so
no other room can accept, hold or pass on identified rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from atoll.model.drift import Drift

#: Columns of a file of held rows (Parquet, in quarantine only): one line for each
#: fault found; a row with two faults stands twice. `raw` is the whole row as delivered,
#: JSON text; `masked` is the offending value masked (see `QuarantinedRow.masked`).
HELD_ROWS_SCHEMA: dict[str, pl.DataType] = {
    "file": pl.String(),
    "row": pl.Int64(),
    "column": pl.String(),
    "rule": pl.String(),
    "message": pl.String(),
    "masked": pl.String(),
    "raw": pl.String(),
}


@dataclass(frozen=True)
class MalformedRow:
    """A row that could not even be read as a row.

    Attributes:
        row: 1-based data row of the file (a CSV header is not counted).
        rule: `malformed`, `ragged`, ...
        message: what is wrong, without any value.
        raw: the text as delivered, identified; only quarantine may keep it.
    """

    row: int
    rule: str
    message: str
    raw: str


@dataclass(frozen=True)
class IdentifiedBatch:
    """The rows of one delivered file, lazily, before any treatment.

    Attributes:
        rows: columns keyed by the contract's column keys, as delivered (text formats:
            all String; null where the field is empty), and `__row` (UInt32/Int64,
            1-based data row of the file). Every key of an entering rule is there. Keys of
            dropped columns: flat text formats have those that the file has, nested formats
            have none but `__raw`, the line as delivered (read it only for held rows).
            XPT, SAS, Parquet: Float64 where the contract says integer or number and the variable is
            numeric; a numeric date is ISO 8601 text; all else String.
        malformed: rows that are not in `rows`. Filled while `rows` is consumed, so
            read it afterwards.
        unknown: field names found that no rule names, with the number of rows that
            have them; filled likewise.
        passed: numbers of rows that the contract knows and lets no table have (a
            segment of a message, say); filled likewise.
        drift: how the columns differ from the contract's although the file is read.
    """

    rows: pl.LazyFrame
    malformed: list[MalformedRow] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    passed: list[int] = field(default_factory=list)
    drift: tuple[Drift, ...] = ()

"""Rejected rows in the shape that quarantine keeps: one line for each fault."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl

from atoll.deid.masking import mask, mask_expr
from atoll.deid.source_column import Fault, SourceColumn
from atoll.model.identified import HELD_ROWS_SCHEMA, MalformedRow


def held_rows(
    rows: pl.LazyFrame,
    faults: Sequence[Fault],
    columns: Mapping[str, SourceColumn],
    names: Sequence[str],
    *,
    file_name: str,
) -> pl.LazyFrame:
    """One line for each fault of each of `rows`, with the row as delivered as JSON."""
    empty = pl.LazyFrame(schema=HELD_ROWS_SCHEMA)
    if not faults:
        return empty
    found = [
        pl.when(fault.when.fill_null(False)).then(
            pl.struct(
                pl.lit(fault.column).alias("column"),
                pl.lit(fault.rule).alias("rule"),
                pl.lit(fault.message).alias("message"),
                mask_expr(columns[fault.column].text).fill_null("").alias("masked"),
            )
        )
        for fault in faults
    ]
    delivered = [name for name in names if name != "__row"]
    return (
        rows.select(
            pl.lit(file_name).alias("file"),
            pl.col("__row").cast(pl.Int64).alias("row"),
            pl.concat_list(found).list.drop_nulls().alias("fault"),
            pl.struct(delivered).struct.json_encode().alias("raw"),
        )
        .explode("fault")
        .unnest("fault")
        .select(pl.col(name).cast(dtype) for name, dtype in HELD_ROWS_SCHEMA.items())
    )


def malformed_rows(rows: Sequence[MalformedRow], *, file_name: str) -> pl.DataFrame:
    """Rows that could not be read as rows, in the same shape."""
    return pl.DataFrame(
        [(file_name, row.row, "", row.rule, row.message, mask(row.raw), json.dumps(row.raw)) for row in rows],
        schema=HELD_ROWS_SCHEMA,
        orient="row",
    )

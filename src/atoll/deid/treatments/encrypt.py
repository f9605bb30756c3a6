"""encrypt: a value that nobody reads until two persons agree to open it."""

from __future__ import annotations

import polars as pl

from atoll.deid.cells import CellCipher
from atoll.deid.schema import lake_name
from atoll.deid.source_column import SourceColumn
from atoll.deid.treatments.treatment import Setting, Treatment
from atoll.model.contract import Encrypt


def encrypt(column: SourceColumn, rule: Encrypt, setting: Setting) -> Treatment:
    """The delivered text as a cell (see `cells`); null stays null."""
    cipher = CellCipher(setting.keys[rule.domain], f"{setting.table}.{lake_name(column.name, rule)}")
    file = setting.file_name

    def cells(rows: pl.Series) -> pl.Series:
        text, row = rows.struct.field("text"), rows.struct.field("row")
        made = [None if t is None else cipher.encrypt(t, file, r) for t, r in zip(text, row, strict=True)]
        return pl.Series(rows.name, made, dtype=pl.String)

    fields = pl.struct(column.text.alias("text"), pl.col("__row").cast(pl.Int64).alias("row"))
    return Treatment(fields.map_batches(cells, return_dtype=pl.String, is_elementwise=True))

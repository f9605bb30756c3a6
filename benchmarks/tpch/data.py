"""TPC-H's eight tables by `tpchgen-cli`, as files of the lake: decimals as 64-bit floats, whole numbers as 64 bits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import polars.selectors as cs

from atoll.model.table import Column, ColumnType, DataFile

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
#: Rows of a row group, DuckDB's own default.
_GROUP_ROWS = 122_880


def generate(place: Path, scale: float) -> dict[str, tuple[DataFile, tuple[Column, ...]]]:
    """File and columns of each table, below `place`."""
    generated = place / "generated"
    program = Path(sys.executable).with_name("tpchgen-cli")
    subprocess.run([program, "parquet", "-s", str(scale), "--output-dir", generated], check=True, capture_output=True)
    found: dict[str, tuple[DataFile, tuple[Column, ...]]] = {}
    for table in TABLES:
        path = place / f"{table}.parquet"
        frame = pl.scan_parquet(generated / f"{table}.parquet").with_columns(
            cs.decimal().cast(pl.Float64), cs.integer().cast(pl.Int64)
        )
        frame.sink_parquet(path, compression="zstd", row_group_size=_GROUP_ROWS)
        (generated / f"{table}.parquet").unlink()
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
        file = DataFile(path=str(path), rows=rows, size_bytes=path.stat().st_size, lacks=())
        found[table] = (file, tuple(map(_column, *zip(*frame.collect_schema().items(), strict=True))))
    return found


def _column(name: str, kind: pl.DataType) -> Column:
    types = {pl.Int64: ColumnType.INTEGER, pl.Float64: ColumnType.NUMBER, pl.Date: ColumnType.DATE}
    return Column(name=name, type=types.get(kind.base_type(), ColumnType.STRING))

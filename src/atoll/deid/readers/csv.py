"""CSV files (RFC 4180, with the contract's separator, quote and encoding).

Every field is read as text first, so that leading zeros stay. A row is never padded or
cut without a word: a file is read by Polars' strict parser and proven afterwards by
counting separators (`csv_census`); where that fails, it is read again line by line
(`csv_careful`), which names every line that is no row.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from atoll.deid.readers.csv_careful import CarefulCsv
from atoll.deid.readers.csv_census import Census, take_census
from atoll.deid.readers.csv_header import CsvHeader, read_header
from atoll.deid.readers.reading import Reading
from atoll.model.contract import TableContract
from atoll.model.identified import IdentifiedBatch

_READ_BYTES = 1 << 20


def csv_readings(path: Path, table: TableContract, scratch: Path) -> Iterator[Reading]:
    """The fast reading of `path`, then the careful one. `scratch` may be written, and is identified data.

    Raises `DeliveryRefused` when the header is not the contract's, or the file is no CSV at all.
    """
    header = read_header(path, table)
    source, offset = _as_utf8(path, table, header, scratch)
    if source is not None:
        with ThreadPoolExecutor(1) as counting:
            census = counting.submit(
                take_census, source, offset=offset, separator=table.csv.separator, quote=table.csv.quote
            )
            rows = _scan(source, header, table)
            yield Reading(
                IdentifiedBatch(rows, drift=header.drift),
                lambda found: _full_rows(census.result(), found, rows, header, table),
            )
    yield _careful(path, table, header, scratch)


def read_csv(path: Path, table: TableContract, scratch: Path) -> IdentifiedBatch:
    """The rows of `path`, read carefully. Raises `DeliveryRefused`."""
    return _careful(path, table, read_header(path, table), scratch).batch


def _scan(path: Path, header: CsvHeader, table: TableContract) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        schema=dict.fromkeys(header.names, pl.String),
        separator=table.csv.separator,
        quote_char=table.csv.quote,
        null_values=["", *table.csv.nulls],
        row_index_name="__row",
        row_index_offset=1,
        glob=False,
    )


def _full_rows(census: Census, rows: int, scan: pl.LazyFrame, header: CsvHeader, table: TableContract) -> bool:
    """Whether each of `rows` rows had every field, and the file no other oddity."""
    odd = census.nuls or census.lone_returns or census.blank_end or census.separator_end
    if odd or not census.quotes_sound:
        return False
    inside = 0
    if census.quotes:
        names = list(header.names)
        separators = pl.sum_horizontal(
            pl.col(name).str.count_matches(table.csv.separator, literal=True).fill_null(0).sum() for name in names
        )
        inside = int(scan.select(separators).collect(engine="streaming").item())
    return census.separators - inside == rows * (len(header.names) - 1)


def _careful(path: Path, table: TableContract, header: CsvHeader, scratch: Path) -> Reading:
    careful = CarefulCsv(path, table.csv, columns=len(header.names), offset=header.data_offset)
    written, malformed = careful.split(scratch)
    rows = pl.scan_csv(
        scratch,
        has_header=False,
        schema={"__row": pl.Int64, **dict.fromkeys(header.names, pl.String)},
        separator=table.csv.separator,
        quote_char=table.csv.quote,
        null_values=["", *table.csv.nulls],
        glob=False,
    )
    return Reading(IdentifiedBatch(rows, malformed, drift=header.drift), lambda found: found == written)


def _as_utf8(path: Path, table: TableContract, header: CsvHeader, scratch: Path) -> tuple[Path | None, int]:
    """The file as UTF-8 and where its data begin; None when it is not text of its encoding."""
    if table.csv.encoding == "utf-8":
        return path, header.data_offset
    written = 0
    with path.open("rb") as source, scratch.open("wb") as target:
        head = source.read(header.data_offset).decode(table.csv.encoding).encode()
        target.write(head)
        while chunk := source.read(_READ_BYTES):
            try:
                written += target.write(chunk.decode(table.csv.encoding).encode())
            except UnicodeDecodeError:
                return None, 0
    return scratch, len(head)

"""Fields of a SAS transport file, a block of rows at a time, as Polars columns.

Source of the number format and of the missing values: SAS Institute, TS-140.
"""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from atoll.deid.readers.fixed_text import Bytes, ascii_views
from atoll.model.table import ColumnType

Floats = npt.NDArray[np.float64]

#: SAS counts days and seconds from here.
_EPOCH = datetime(1960, 1, 1)
_FIRST_DAY = (date(1, 1, 1) - _EPOCH.date()).days
_LAST_DAY = (date(9999, 12, 31) - _EPOCH.date()).days
_DAY_SECONDS = 86_400
_EIGHT_BLANKS = np.uint64(int.from_bytes(b" " * 8, "little"))
#: Formats that show seconds since 1960 as a moment; any other date format shows days.
_MOMENT_FORMATS = ("DATETIME", "DATEAMPM", "E8601DT", "B8601DT", "E8601DZ", "B8601DZ", "DTDATE", "MDYAMPM", "NLDATM")
_DAY_FORMATS = (
    *("DATE", "DDMMYY", "MMDDYY", "YYMMDD", "YYMM", "MONYY"),
    *("E8601DA", "B8601DA", "JULIAN", "WORDDAT", "WEEKDAT"),
)
_MISSING_FIRST = np.zeros(256, dtype=bool)
_MISSING_FIRST[[*b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ"]] = True


def numbers(field: Bytes) -> Floats:
    """IBM/360 floating point of 2 to 8 bytes to IEEE doubles; missing becomes NaN.

    A number is (-1)^sign * 16^(exponent - 64) * fraction / 2^56, a shorter field lacks
    the last bytes. Missing (`.`, `._`, `.A` to `.Z`) is its letter and nothing but zeros.
    """
    rows, width = field.shape
    padded = np.zeros((rows, 8), dtype=np.uint8)
    padded[:, :width] = field
    bits = padded.view(">u8").ravel().astype(np.uint64)
    fraction = bits & np.uint64((1 << 56) - 1)
    exponent = ((bits >> np.uint64(56)) & np.uint64(0x7F)).astype(np.int32)
    values = np.ldexp(fraction.astype(np.float64), 4 * (exponent - 64) - 56)
    np.negative(values, out=values, where=(bits >> np.uint64(63)).astype(bool))
    values[(fraction == 0) & _MISSING_FIRST[padded[:, 0]]] = np.nan
    return values


def number_column(name: str, field: Bytes) -> pl.Series:
    """Float64, null where missing."""
    return pl.Series(name, numbers(field), dtype=pl.Float64, nan_to_null=True)


def plain_number_column(name: str, field: Bytes) -> pl.Series:
    """The numbers as text, see `plain_numbers`."""
    return plain_numbers(name, numbers(field))


def plain_numbers(name: str, values: Floats) -> pl.Series:
    """Numbers as text, whole ones without a point: an id stays what it looked like."""
    floats = pl.Series(name, values, dtype=pl.Float64, nan_to_null=True)
    whole = floats.round(0).cast(pl.Int64, strict=False)
    frame = pl.DataFrame({"f": floats, "w": whole})
    fits = (pl.col("w") == pl.col("f")).fill_null(value=False)
    text = pl.when(fits).then(pl.col("w").cast(pl.String)).otherwise(pl.col("f").cast(pl.String))
    return frame.select(text.alias(name)).to_series()


def moment_column(name: str, field: Bytes, format_name: str, wanted: ColumnType) -> pl.Series:
    """Dates and datetimes of a field as text, see `moments`."""
    return moments(name, numbers(field), format_name, wanted)


def moments(name: str, values: Floats, format_name: str, wanted: ColumnType) -> pl.Series:
    """SAS dates (days) and datetimes (seconds) as ISO 8601 text, UTC assumed.

    What the number counts is said by the display format, and without a telling one by
    the contract's type. Numbers outside the years 1 to 9999 stay numbers, as text, so
    that the type check finds them.
    """
    counts_seconds = format_name.startswith(_MOMENT_FORMATS) or (
        wanted is ColumnType.DATETIME and not format_name.startswith(_DAY_FORMATS)
    )
    days = np.floor(values / _DAY_SECONDS) if counts_seconds else np.floor(values)
    real = np.isfinite(values) & (days >= _FIRST_DAY) & (days <= _LAST_DAY)
    micros_per_unit = 1_000_000 * (1 if counts_seconds else _DAY_SECONDS)
    micros = np.where(real, np.round(np.where(real, values, 0.0) * micros_per_unit), 0).astype(np.int64)
    instants = pl.Series(micros).cast(pl.Duration("us")) + _EPOCH
    pattern = "%Y-%m-%dT%H:%M:%S%.fZ" if wanted is ColumnType.DATETIME else "%Y-%m-%d"
    frame = pl.DataFrame({"t": instants.dt.strftime(pattern), "p": plain_numbers("p", values), "r": real})
    return frame.select(pl.when("r").then(pl.col("t")).otherwise(pl.col("p")).alias(name)).to_series()


def text_column(name: str, field: Bytes, encoding: str) -> tuple[pl.Series, list[int]]:
    """Text without trailing blanks, null where empty; and the rows that do not decode."""
    dense = np.ascontiguousarray(field[:, : _used_width(field)])
    rows, width = dense.shape
    if dense.max(initial=0) < 0x80:
        return pl.Series(name, ascii_views(dense), dtype=pl.String), []
    values: list[str | None] = []
    bad: list[int] = []
    raw = dense.tobytes()
    for i in range(rows):
        try:
            values.append(raw[i * width : (i + 1) * width].decode(encoding))
        except UnicodeDecodeError:
            values.append(None)
            bad.append(i)
    return _strip(pl.Series(name, values, dtype=pl.String)), bad


def _used_width(field: Bytes) -> int:
    """A width beyond which every row is blank; SAS text is often 200 wide and 10 used.

    Looks at eight bytes at a time, which costs a tenth of what it saves.
    """
    width = int(field.shape[1])
    whole = width // 8 * 8
    if whole < 16 or np.any(field[:, whole:] != ord(" ")):
        return width
    used = np.flatnonzero(np.any(field[:, :whole].view("<u8") != _EIGHT_BLANKS, axis=0))
    return 8 * (1 + int(used.max())) if len(used) else 1


def _strip(texts: pl.Series) -> pl.Series:
    stripped = texts.str.strip_chars_end(" \0")
    return stripped.set(stripped == "", None)

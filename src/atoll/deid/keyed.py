"""Everything that needs a key, computed once for each run of equal values.

Two definitions that other software can repeat, with K and L the domain's derived keys
(see `keyring`) written as 64 lower-case hexadecimal digits, and these digits, as ASCII
text, used as the HMAC key:

    pseudonym(id) = prefix + first `length` digits of hex(HMAC-SHA256(K, UTF-8(id)))
    offset(id)    = m - n + [m >= n], where n = max_shift_days and
                    m = (first 15 digits of hex(HMAC-SHA256(L, UTF-8(id)))) mod 2n

so that offsets are -n..-1 and 1..n days, all alike probable to within 2^-48, never 0.

Rows of one patient or encounter mostly stand together, so the hash is taken of each run
of equal values and spread over the run. All keyed columns go through Python in one call
for each morsel, because the call costs more than the hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
import polars_hash as plh

from atoll.deid.keyring import DomainKeys

_OFFSET_DIGITS = 15


@dataclass(frozen=True)
class KeyedValue:
    """A value to derive: from which String column, how, and of what type."""

    name: str
    source: str
    #: From a column of distinct texts to the derived values.
    derive: pl.Expr
    dtype: pl.DataType


def pseudonym(name: str, source: str, keys: DomainKeys, *, prefix: str, length: int) -> KeyedValue:
    """The pseudonym of `source`, as the column `name`."""
    digest = plh.col(source).chash.hmac_sha256(key=keys.pseudonym_key.hex()).str.head(length)
    return KeyedValue(name, source, pl.lit(prefix) + digest if prefix else digest, pl.String())


def date_offset(name: str, source: str, keys: DomainKeys, *, max_shift_days: int) -> KeyedValue:
    """The offset in days of the subject `source`, as the column `name`."""
    digest = plh.col(source).chash.hmac_sha256(key=keys.offset_key.hex())
    number = digest.str.head(_OFFSET_DIGITS).str.to_integer(base=16, dtype=pl.Int64) % (2 * max_shift_days)
    days = number - max_shift_days + (number >= max_shift_days).cast(pl.Int64)
    return KeyedValue(name, source, days, pl.Int64())


def with_keyed(rows: pl.LazyFrame, values: tuple[KeyedValue, ...]) -> pl.LazyFrame:
    """`rows` with the derived columns added; a null source gives null."""
    if not values:
        return rows
    sources = list(dict.fromkeys(value.source for value in values))
    by_source = {source: [v for v in values if v.source == source] for source in sources}
    made = pl.Struct({v.name: v.dtype for group in by_source.values() for v in group})
    derived = pl.struct(sources).map_batches(_deriver(by_source), return_dtype=made, is_elementwise=True)
    return rows.with_columns(derived.struct.unnest())


def _deriver(by_source: Mapping[str, list[KeyedValue]]) -> Callable[[pl.Series], pl.Series]:
    expressions = {source: [value.derive.alias(value.name) for value in values] for source, values in by_source.items()}

    def derive(sources: pl.Series) -> pl.Series:
        columns: list[pl.Series] = []
        for source, wanted in expressions.items():
            column = sources.struct.field(source)
            runs = column.rle().struct.field("value").to_frame(source).select(wanted)
            where = column.rle_id()
            columns += [made.gather(where) for made in runs]
        return pl.DataFrame(columns).to_struct(sources.name)

    return derive

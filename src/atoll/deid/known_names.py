"""Names that stand in other tables of a delivery, by the person whom a row is about.

A note names the patient and the patient's mother, and these names stand in the files of
patients and contacts. They are gathered before any note is treated. What is gathered is
identified: it stays in memory, and its text shows counts only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pyarrow as pa

from atoll.deid.file_patterns import tables_for
from atoll.deid.readers.readings import readings
from atoll.deid.source_column import key_column
from atoll.errors import DeliveryRefused
from atoll.model.contract import Contract, Pseudonymize, RedactText

_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, UnicodeDecodeError)
_SCHEMA = {"key": pl.String(), "names": pl.String()}


@dataclass(frozen=True)
class KnownNames:
    """Names by table and column they stand in: `key` (the subject's id as keys are applied to it) and `names`.

    A `table.column` is absent where no file of the delivery could be read for it.
    """

    _found: Mapping[str, pl.DataFrame] = field(default_factory=dict, repr=False)

    def lacks(self, sources: Iterable[str]) -> tuple[str, ...]:
        """Which of the `table.column` no file brought."""
        return tuple(source for source in sources if source not in self._found)

    def of(self, sources: Iterable[str], subject: pl.Expr) -> pl.Expr:
        """All names of a row's subject in one text; null where none is known."""
        parts = [frame for source in sources if (frame := self._found.get(source)) is not None]
        joined = pl.concat([pl.DataFrame(schema=_SCHEMA), *parts])
        together = joined.group_by("key").agg(pl.col("names").str.join(" "))
        return subject.replace_strict(together["key"], together["names"], default=None, return_dtype=pl.String)


#: Where no text asks for any.
NO_NAMES = KnownNames()


def gather_names(contract: Contract, files: Iterable[tuple[str, Path]], scratch: Path) -> KnownNames:
    """The names that texts of `contract` ask for, from delivered files (name, where it lies).

    `scratch` is a directory in quarantine: what readers write there is identified. A file that
    cannot be read brings none; it is refused with its reason when its own turn comes.
    """
    wanted = sources_of(contract)
    if not wanted:
        return KnownNames()
    found: dict[str, list[pl.DataFrame]] = {}
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=scratch) as place:
        for name, path in files:
            for table in tables_for(contract, name):
                columns = [column for other, column in wanted if other == table]
                if columns:
                    for source, frame in _names_in(contract, table, columns, path, Path(place) / "read"):
                        found.setdefault(source, []).append(frame)
    return KnownNames({source: pl.concat(frames) for source, frames in found.items()})


def sources_of(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Table and column of every name that a text of another table asks for."""
    asked = (
        source
        for table in contract.tables.values()
        for rule in table.columns.values()
        if isinstance(rule, RedactText)
        for source in rule.names_from
    )
    return tuple(dict.fromkeys((table, column) for table, _, column in (source.partition(".") for source in asked)))


def names_wanted(contract: Contract, table: str) -> tuple[str, ...]:
    """Every `table.column` that texts of the table ask for."""
    rules = contract.tables[table].columns.values()
    return tuple(source for rule in rules if isinstance(rule, RedactText) for source in rule.names_from)


def _names_in(
    contract: Contract, table: str, columns: list[str], path: Path, scratch: Path
) -> Iterator[tuple[str, pl.DataFrame]]:
    rules = contract.tables[table]
    subject = rules.subject or ""
    rule = rules.columns[subject]
    assert isinstance(rule, Pseudonymize)  # a published contract was checked
    try:
        for reading in readings(path, rules, scratch):
            rows = reading.batch.rows
            schema = rows.collect_schema()
            there = [column for column in columns if column in schema]
            picked = [pl.col(column).cast(pl.String).alias(f"name_{n}") for n, column in enumerate(there)]
            frame = rows.select(key_column(subject, schema[subject], rule).alias("key"), *picked).collect()
            if reading.proven(frame.height):
                for n, column in enumerate(there):
                    names = frame.select("key", pl.col(f"name_{n}").alias("names")).drop_nulls().unique()
                    yield f"{table}.{column}", names
                return
    except (DeliveryRefused, *_UNREADABLE):
        return

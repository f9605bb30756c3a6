"""Which encrypted values of a dataset's version an opening is about."""

from __future__ import annotations

import polars as pl

from atoll.deid import parse_contract
from atoll.errors import Conflict, InvalidInput, NotFound
from atoll.flows import read_lake
from atoll.flows.next_rows import next_rows
from atoll.flows.rooms import Rooms
from atoll.model.contract import Contract, ContractVersion, EnteringRule
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.opening import Opening

#: Values opened at once at most: more is no question about persons but a dataset of its own.
MOST_CELLS = 50_000
_ENCRYPT = "encrypt"


def newest(rooms: Rooms, dataset: str, table: str, columns: tuple[str, ...]) -> tuple[DatasetVersion, tuple[str, ...]]:
    """The newest version, and the encrypted columns meant: those named, or all of the table.

    Raises `NotFound` when there is no such dataset or table, `InvalidInput` for a column
    that is not encrypted.
    """
    version = read_lake.latest_version(rooms, rooms.records.get(Dataset, dataset))
    state = None if version is None else next((s for s in version.tables if s.table == table), None)
    if version is None or state is None:
        raise NotFound("The dataset has no such table.", where=f"{dataset}.{table}")
    encrypted = tuple(column.name for column in state.columns if column.treatment == _ENCRYPT)
    if not encrypted:
        raise InvalidInput("No column of the table is encrypted.", where=f"{dataset}.{table}")
    for column in columns:
        if column not in encrypted:
            raise InvalidInput(
                "This is no encrypted column of the table.",
                where=f"{dataset}.{table}.{column}",
                todo=f"Choose among: {', '.join(encrypted)}.",
            )
    return version, columns or encrypted


def select(rooms: Rooms, version: DatasetVersion, opening: Opening) -> pl.DataFrame:
    """The cells meant, each once: `subject` (pseudonym, null where the table has none), `column`, `encrypted`.

    Raises `Conflict` when the version can be read no more, `InvalidInput` when nothing or
    too much is meant.
    """
    if not version.live:
        raise Conflict(
            "The version that the opening is about can be read no more.",
            where=f"dataset/{version.id}",
            todo="Ask anew; it will be about the newest.",
        )
    subject = _subject(rooms, version, opening.table)
    if opening.subjects and subject is None:
        raise InvalidInput("The table has no subject.", where=opening.table, todo="Name values instead.")
    rows = next_rows(rooms, version, {}, opening.table, [*opening.columns, *([subject] if subject else [])])
    if rows is None:
        raise InvalidInput("The table is empty.", where=f"{opening.dataset}.{opening.table}")
    whom = pl.col(subject) if subject else pl.lit(None, dtype=pl.String)
    if opening.subjects:
        rows = rows.filter(whom.is_in(pl.Series(opening.subjects, dtype=pl.String).implode()))
    parts = [
        rows.select(
            whom.cast(pl.String).alias("subject"),
            pl.lit(column).alias("column"),
            pl.col(column).cast(pl.String).alias("encrypted"),
        ).filter(pl.col("encrypted").is_not_null())
        for column in opening.columns
    ]
    cells = pl.concat(parts)
    if opening.values:
        cells = cells.filter(pl.col("encrypted").is_in(pl.Series(opening.values, dtype=pl.String).implode()))
    found = cells.unique(maintain_order=True).head(MOST_CELLS + 1).collect()
    if found.is_empty():
        raise InvalidInput(
            "No encrypted value stands there.",
            where=f"{opening.dataset}.{opening.table}",
            todo="Give pseudonyms or encrypted values as the lake shows them.",
        )
    if found.height > MOST_CELLS:
        raise InvalidInput(
            f"That is more than {MOST_CELLS} values.",
            where=f"{opening.dataset}.{opening.table}",
            todo="Ask for fewer subjects or columns.",
        )
    return found


def _subject(rooms: Rooms, version: DatasetVersion, table: str) -> str | None:
    """The column, by lake name, that says whom a row is about, by the contract that made the version."""
    try:
        text = rooms.records.get(ContractVersion, version.contract).text
    except NotFound:
        return None
    contract: Contract = parse_contract(text)
    rules = contract.tables.get(table)
    if rules is None or rules.subject is None:
        return None
    rule = rules.columns[rules.subject]
    return (rule.as_ or rules.subject.lower()) if isinstance(rule, EnteringRule) else None

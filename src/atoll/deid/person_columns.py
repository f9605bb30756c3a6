"""Where a person's pseudonym can stand in the tables that a contract fills."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.deid.schema import lake_name
from atoll.model.contract import Contract, Pseudonymize


@dataclass(frozen=True)
class PersonColumns:
    """Columns of one table that hold pseudonyms of a domain, with what each pseudonym begins with.

    Attributes:
        about: by lake name, prefix and number of digits: a row is about whom this names. The
            table's subject; where there is none, or it is of another domain, every such column.
        mentions: the other columns of the domain: they name a person that the row is not about.
    """

    about: dict[str, tuple[str, int]]
    mentions: dict[str, tuple[str, int]]


def person_columns(contract: Contract, domain: str) -> dict[str, PersonColumns]:
    """By table, for those that have such a column."""
    found = {}
    for name, table in contract.tables.items():
        columns = {
            source: (lake_name(source, rule), (rule.prefix, rule.length))
            for source, rule in table.columns.items()
            if isinstance(rule, Pseudonymize) and rule.domain == domain
        }
        about = {table.subject} if table.subject in columns else set(columns)
        if columns:
            found[name] = PersonColumns(
                about=dict(told for source, told in columns.items() if source in about),
                mentions=dict(told for source, told in columns.items() if source not in about),
            )
    return found

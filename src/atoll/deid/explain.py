"""A contract told column by column, in words that a privacy officer reads, and as the plan that runs."""

from __future__ import annotations

import polars as pl

from atoll.deid.contract_relations import NESTED
from atoll.deid.keyring import derive
from atoll.deid.plan import plan_table
from atoll.deid.schema import lake_name, lake_type
from atoll.deid.words import check_words, domain_words, table_words, treatment_words
from atoll.model.contract import Contract, EnteringRule, Rule, TableContract
from atoll.model.record import Frozen
from atoll.model.said import Sentence


class ColumnExplanation(Frozen):
    """What happens to one delivered column."""

    source: str
    #: Its name and type in the lake; None when it does not enter.
    lake_name: str | None
    lake_type: str | None
    treatment: str
    #: What is done, as a sentence.
    words: Sentence
    #: What is checked first, one sentence each; a row that fails waits in quarantine.
    checks: tuple[Sentence, ...]
    #: Why, as the contract says.
    reason: str
    description: str = ""


class TableExplanation(Frozen):
    """What happens to the files of one table."""

    table: str
    description: str
    files: tuple[str, ...]
    format: str
    subject: str | None
    columns: tuple[ColumnExplanation, ...]
    #: What happens to a column or field that no rule names.
    otherwise: Sentence
    #: The Polars plan of the rows that enter.
    plan: str


class Explanation(Frozen):
    """What a contract does, whole."""

    dataset: str
    title: str
    description: str
    owner: str
    #: Each pseudonymisation domain in a sentence, by name.
    domains: dict[str, Sentence]
    tables: tuple[TableExplanation, ...]


def explain(contract: Contract) -> Explanation:
    """Tell what `contract` does. No file and no key is needed."""
    return Explanation(
        dataset=contract.dataset,
        title=contract.title,
        description=contract.description,
        owner=contract.owner,
        domains={
            name: f"{domain.description} {domain_words(contract, name)}".strip()
            for name, domain in contract.domains.items()
        },
        tables=tuple(_table(contract, name, table) for name, table in contract.tables.items()),
    )


def _table(contract: Contract, name: str, table: TableContract) -> TableExplanation:
    return TableExplanation(
        table=name,
        description=table.description,
        files=table.files,
        format=table.format.value,
        subject=table.subject,
        columns=tuple(_column(column, rule, table.subject) for column, rule in table.columns.items()),
        otherwise=" ".join((_otherwise(table), *table_words(table))),
        plan=_plan(contract, name),
    )


def _column(name: str, rule: Rule, subject: str | None) -> ColumnExplanation:
    enters = isinstance(rule, EnteringRule)
    return ColumnExplanation(
        source=(rule.path or name),
        lake_name=lake_name(name, rule) if isinstance(rule, EnteringRule) else None,
        lake_type=lake_type(rule).value if isinstance(rule, EnteringRule) else None,
        treatment=rule.treat,
        words=treatment_words(rule, subject),
        checks=check_words(rule) if isinstance(rule, EnteringRule) else (),
        reason=rule.reason,
        description=rule.description if enters and isinstance(rule, EnteringRule) else "",
    )


def _otherwise(table: TableContract) -> str:
    if table.format not in NESTED:
        held = {"reordered": "in another order than here", "retyped": "mostly of another kind"}
        waits = [words for kind, words in held.items() if getattr(table.drift, kind) == "hold"]
        told = f" So is one whose columns are {' or '.join(waits)}." if waits else ""
        return f"A file with any other column is refused whole and waits in quarantine.{told}"
    if table.unknown_fields == "quarantine":
        return "A row with any other field waits in quarantine."
    return "Any other field is left out and counted."


def _plan(contract: Contract, table: str) -> str:
    """The plan over text columns; keys do not show in it, so blank ones serve."""
    columns = contract.tables[table].columns
    rows = pl.LazyFrame(schema={"__row": pl.Int64(), **{name: pl.String() for name in columns}})
    keys = {domain: derive("explained", bytes(32)) for domain in contract.domains}
    treated = plan_table(contract, table, rows, keys, file_name="").treated
    return treated.explain(optimized=False)

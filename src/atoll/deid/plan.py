"""A table's contract compiled to one Polars plan over the delivered rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from atoll.deid.checks import checks
from atoll.deid.held_rows import held_rows
from atoll.deid.keyed import KeyedValue, pseudonym, with_keyed
from atoll.deid.keyring import DomainKeys
from atoll.deid.known_names import NO_NAMES, KnownNames
from atoll.deid.schema import lake_name, lake_type
from atoll.deid.source_column import SourceColumn, as_text, as_typed, key_column
from atoll.deid.suppression import suppressed
from atoll.deid.treatments import Setting, Subject, Treatment, treat
from atoll.deid.typed import UTC_MICROSECONDS
from atoll.model.contract import Contract, EnteringRule, Pseudonymize, RedactText, RowId, TableContract
from atoll.model.table import ColumnType

_ROW_KEY = "__key___row_id"
_ROW_ID = "__pseudonym___row_id"
_POLARS: dict[ColumnType, pl.DataType] = {
    ColumnType.STRING: pl.String(),
    ColumnType.INTEGER: pl.Int64(),
    ColumnType.NUMBER: pl.Float64(),
    ColumnType.BOOLEAN: pl.Boolean(),
    ColumnType.DATE: pl.Date(),
    ColumnType.DATETIME: UTC_MICROSECONDS,
    ColumnType.PARTIAL_DATE: pl.String(),
}


@dataclass(frozen=True)
class TablePlan:
    """The two halves that the delivered rows fall into; together they are all of them.

    Attributes:
        treated: rows without a fault, treated, with the lake's columns and types.
        held: rows with a fault, identified, in the shape of HELD_ROWS_SCHEMA.
    """

    treated: pl.LazyFrame
    held: pl.LazyFrame


def plan_table(
    contract: Contract,
    table: str,
    rows: pl.LazyFrame,
    keys: Mapping[str, DomainKeys],
    *,
    file_name: str,
    known: KnownNames = NO_NAMES,
) -> TablePlan:
    """Compile `table`'s rules over `rows` (see `IdentifiedBatch.rows`); `known` are names in other tables."""
    rules = contract.tables[table]
    entering = {name: rule for name, rule in rules.columns.items() if isinstance(rule, EnteringRule)}
    schema = rows.collect_schema()
    prepared, columns = _prepare(rows, schema, entering)
    absent = {
        name for rule in entering.values() if isinstance(rule, RedactText) for name in rule.names if name not in schema
    }
    prepared = prepared.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in sorted(absent))
    if rules.row_id is not None:
        prepared = prepared.with_columns(_row_key(rules.row_id, columns))
    setting = Setting(contract.domains, keys, _subject(rules, columns), f"{contract.dataset}.{table}", file_name, known)
    treated = {name: treat(columns[name], rule, setting) for name, rule in entering.items()}
    faults = [fault for name, rule in entering.items() for fault in checks(columns[name], rule)]
    faults += [fault for treatment in treated.values() for fault in treatment.faults]
    sound = ~pl.any_horizontal([fault.when.fill_null(False) for fault in faults]) if faults else pl.lit(True)
    marked = prepared.with_columns(sound.alias("__sound"))
    return TablePlan(
        treated=_treated(marked.filter("__sound"), rules, columns, treated, keys),
        held=held_rows(marked.filter(~pl.col("__sound")), faults, columns, schema.names(), file_name=file_name),
    )


def _prepare(
    rows: pl.LazyFrame, schema: pl.Schema, entering: Mapping[str, EnteringRule]
) -> tuple[pl.LazyFrame, dict[str, SourceColumn]]:
    """`rows` with typed values and key texts computed once, and the columns by name."""
    made: list[pl.Expr] = []
    columns: dict[str, SourceColumn] = {}
    for name, rule in entering.items():
        text, value, key = pl.col(name), pl.col(name), name
        if schema[name] != pl.String:
            made.append(as_text(name, schema[name]).alias(f"__text_{name}"))
            text, key = pl.col(f"__text_{name}"), f"__text_{name}"
            value = text
        if rule.type is not ColumnType.STRING:
            made.append(as_typed(name, schema[name], rule.type).alias(f"__value_{name}"))
            value = pl.col(f"__value_{name}")
        if isinstance(rule, Pseudonymize) and rule.reference:
            made.append(key_column(name, schema[name], rule).alias(f"__key_{name}"))
            key = f"__key_{name}"
        columns[name] = SourceColumn(name, text, value, key)
    return (rows.with_columns(made) if made else rows), columns


def _row_key(rule: RowId, columns: Mapping[str, SourceColumn]) -> pl.Expr:
    """One text of several, so that no two rows that differ in one of them have the same: each with its length."""
    parts: list[pl.Expr] = []
    for name in rule.of:
        text = columns[name].text
        parts += [text.str.len_bytes().cast(pl.String).fill_null("-"), pl.lit(":"), text.fill_null("")]
    return pl.concat_str(parts).alias(_ROW_KEY)


def _subject(rules: TableContract, columns: Mapping[str, SourceColumn]) -> Subject | None:
    if rules.subject is None:
        return None
    rule = rules.columns[rules.subject]
    return Subject(columns[rules.subject].key, rule.domain) if isinstance(rule, Pseudonymize) else None


def _treated(
    rows: pl.LazyFrame,
    rules: TableContract,
    columns: Mapping[str, SourceColumn],
    treated: Mapping[str, Treatment],
    keys: Mapping[str, DomainKeys],
) -> pl.LazyFrame:
    keyed: dict[str, KeyedValue] = {v.name: v for treatment in treated.values() for v in treatment.keyed}
    outputs: list[pl.Expr] = []
    if rules.row_id is not None:
        made = rules.row_id
        keyed[_ROW_ID] = pseudonym(_ROW_ID, _ROW_KEY, keys[made.domain], prefix=made.prefix, length=made.length)
        outputs.append(pl.col(_ROW_ID).alias(made.as_))
    for name, rule in rules.columns.items():
        if isinstance(rule, EnteringRule):
            value = suppressed(treated[name].value, rule, columns)
            outputs.append(value.cast(_POLARS[lake_type(rule)]).alias(lake_name(name, rule)))
    return with_keyed(rows, tuple(keyed.values())).select(outputs)

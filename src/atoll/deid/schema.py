"""What a contract's tables look like in the lake."""

from __future__ import annotations

from atoll.errors import NotFound
from atoll.model.contract import (
    Constant,
    Contract,
    Encrypt,
    EnteringRule,
    Generalize,
    Keep,
    Map,
    Pseudonymize,
    RedactText,
    ShiftDate,
)
from atoll.model.table import Column, ColumnType, TableSchema


def lake_name(column: str, rule: EnteringRule) -> str:
    """The column's name in the lake: `as`, or the source name in lower case."""
    return rule.as_ or column.lower()


def lake_type(rule: EnteringRule) -> ColumnType:
    """The type that a column has after its treatment."""
    match rule:
        case Keep() | ShiftDate():
            return rule.type
        case Pseudonymize() | Encrypt() | Map() | RedactText() | Constant():
            return ColumnType.STRING
        case Generalize(to="age_90"):
            return ColumnType.INTEGER
        case Generalize(to="bins"):
            whole = rule.type is ColumnType.INTEGER and float(rule.width or 0).is_integer()
            return ColumnType.INTEGER if whole else ColumnType.NUMBER
        case _:
            return ColumnType.STRING


def table_schema(contract: Contract, table: str) -> TableSchema:
    """The lake schema of `table`: entering columns in the contract's order.

    Raises `NotFound` when the contract has no such table.
    """
    if table not in contract.tables:
        raise NotFound("The contract has no such table.", where=f"{contract.dataset}.{table}")
    rules = contract.tables[table]
    columns = tuple(
        Column(
            name=lake_name(name, rule),
            type=lake_type(rule),
            description=rule.description,
            unit=rule.unit,
            treatment=rule.treat,
            source_column=rule.path or name,
        )
        for name, rule in rules.columns.items()
        if isinstance(rule, EnteringRule)
    )
    if rules.row_id is not None:
        described = f"Names the row, by {', '.join(rules.row_id.of)}"
        made = Column(name=rules.row_id.as_, type=ColumnType.STRING, description=described, treatment="row_id")
        columns = (made, *columns)
    return TableSchema(dataset=contract.dataset, table=table, columns=columns, description=rules.description)

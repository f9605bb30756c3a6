"""The columns of a lake table, as Iceberg keeps them.

Types and descriptions are Iceberg's own (any engine shows them). What Iceberg has
no place for (unit, treatment, source column, a partial date's meaning) is a table
property `atoll.column.<name>`, in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from pyiceberg.schema import Schema
from pyiceberg.types import (
    BooleanType,
    DateType,
    DoubleType,
    LongType,
    NestedField,
    PrimitiveType,
    StringType,
    TimestamptzType,
)

from atoll.errors import Conflict, InvalidInput
from atoll.model.table import Column, ColumnType, TableSchema

COLUMN_PROPERTY = "atoll.column."

_LAKE_TYPES: dict[ColumnType, PrimitiveType] = {
    ColumnType.STRING: StringType(),
    ColumnType.INTEGER: LongType(),
    ColumnType.NUMBER: DoubleType(),
    ColumnType.BOOLEAN: BooleanType(),
    ColumnType.DATE: DateType(),
    ColumnType.DATETIME: TimestamptzType(),
    ColumnType.PARTIAL_DATE: StringType(),
}
#: The first type named for a lake type; a column's property overrides it.
_COLUMN_TYPES: dict[PrimitiveType, ColumnType] = {
    lake_type: column_type for column_type, lake_type in reversed(_LAKE_TYPES.items())
}


def lake_type(column: Column) -> PrimitiveType:
    """The Iceberg type that keeps the column."""
    return _LAKE_TYPES[column.type]


def iceberg_schema(columns: Iterable[Column]) -> Schema:
    """The Iceberg schema of a new table: every column optional, ids from 1."""
    return Schema(
        *(
            NestedField(number, column.name, lake_type(column), required=False, doc=column.description or None)
            for number, column in enumerate(columns, start=1)
        )
    )


def column_properties(columns: Iterable[Column]) -> dict[str, str]:
    """The table properties that keep what Iceberg's schema cannot."""
    return {
        COLUMN_PROPERTY + column.name: json.dumps(
            {
                "type": column.type.value,
                "unit": column.unit,
                "treatment": column.treatment,
                "source_column": column.source_column,
            },
            sort_keys=True,
        )
        for column in columns
    }


def read_columns(schema: Schema, properties: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns of a table that Atoll made, in order."""
    return tuple(_column(field, properties.get(COLUMN_PROPERTY + field.name)) for field in schema.fields)


def _column(field: NestedField, kept: str | None) -> Column:
    if not isinstance(field.field_type, PrimitiveType) or field.field_type not in _COLUMN_TYPES:
        raise Conflict(
            "A column of the table has a type that Atoll does not write.",
            where=field.name,
            todo="Another engine has changed the table; restore its schema.",
        )
    extra = json.loads(kept) if kept else {"type": _COLUMN_TYPES[field.field_type].value}
    return Column(name=field.name, description=field.doc or "", **extra)


def check_names(schema: TableSchema) -> None:
    """Raises `InvalidInput` when there is no column, or two with one name (case aside, as SQL reads them)."""
    if not schema.columns:
        raise InvalidInput("A lake table needs at least one column.", where=f"{schema.dataset}.{schema.table}")
    seen: set[str] = set()
    for column in schema.columns:
        if column.name.lower() in seen:
            raise InvalidInput(
                "Two columns have the same name, upper and lower case aside.",
                where=f"{schema.dataset}.{schema.table}.{column.name}",
            )
        seen.add(column.name.lower())


def added_columns(wanted: TableSchema, standing: Schema) -> tuple[Column, ...]:
    """The columns of `wanted` that the table does not have yet.

    Raises `Conflict` when a column stands with another type.
    """
    fields = {field.name.lower(): field for field in standing.fields}
    added = []
    for column in wanted.columns:
        field = fields.get(column.name.lower())
        if field is None:
            added.append(column)
        elif field.field_type != lake_type(column) or field.name != column.name:
            raise Conflict(
                f"The column stands in the lake as `{field.name}` of type {field.field_type}, "
                f"and the contract now makes it `{column.name}` of type {lake_type(column)}.",
                where=f"{wanted.dataset}.{wanted.table}.{column.name}",
                todo="Give the changed column a new name in the contract.",
            )
    return tuple(added)


def changed_descriptions(wanted: TableSchema, standing: Schema) -> dict[str, str]:
    """New descriptions of columns that stand, by name."""
    docs = {field.name: field.doc or "" for field in standing.fields}
    return {c.name: c.description for c in wanted.columns if c.name in docs and docs[c.name] != c.description}


def lacking(schema: Schema, counted: Mapping[int, int] | None) -> tuple[str, ...] | None:
    """The columns for which a data file keeps no count of values, because it has no such column.

    `counted` is the file's entry in the manifest, by field id; None when it was written without.
    """
    if not counted:
        return None
    return tuple(field.name for field in schema.fields if field.field_id not in counted)

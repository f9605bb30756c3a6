"""The staging place of a table, which is where its data stays: committing copies nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from atoll.errors import IntegrityBroken, InvalidInput
from atoll.model.table import StagedFile, TableSchema

#: Names of datasets, tables and deliveries become directories and SQL names: letters,
#: digits and underscores only.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")


def check_name(name: str) -> str:
    """The name, if it can be a directory and a SQL name; raises `InvalidInput`."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "A name in the lake is a letter followed by letters, digits and underscores.", where=repr(name[:40])
        )
    return name


def table_directory(warehouse: Path, dataset: str, table: str) -> Path:
    """Where a table's data and metadata lie."""
    return warehouse / check_name(dataset) / check_name(table)


def staging_directory(warehouse: Path, dataset: str, table: str, delivery_id: str) -> Path:
    """Where a delivery's files of a table are staged and stay."""
    return table_directory(warehouse, dataset, table) / "data" / check_name(delivery_id)


def checked_paths(schema: TableSchema, files: Sequence[StagedFile], place: Path) -> list[str]:
    """The paths of staged files with rows, after each was looked at.

    Raises `InvalidInput` for a file of another table, outside the staging place or
    named twice, `IntegrityBroken` when a file is gone or is not what was staged.
    """
    paths: list[str] = []
    for file in files:
        path = Path(file.path).absolute()
        where = f"{schema.dataset}.{schema.table}, {path.name}"
        if (file.dataset, file.table) != (schema.dataset, schema.table):
            raise InvalidInput("A staged file belongs to another table.", where=where)
        if not path.resolve().is_relative_to(place.resolve()):
            raise InvalidInput("A staged file lies outside the delivery's staging place.", where=where)
        if str(path) in paths:
            raise InvalidInput("A staged file is named twice.", where=where)
        _check_content(file, path, where)
        if file.rows:
            paths.append(str(path))
    return paths


def _check_content(file: StagedFile, path: Path, where: str) -> None:
    try:
        rows = pq.read_metadata(path).num_rows
        size_bytes = path.stat().st_size
    except FileNotFoundError:
        raise IntegrityBroken("A staged file is gone.", where=where, todo="Admit the delivery again.") from None
    except (pa.ArrowException, OSError):
        raise IntegrityBroken(
            "A staged file cannot be read as Parquet.", where=where, todo="Admit the delivery again."
        ) from None
    if rows != file.rows or size_bytes != file.size_bytes:
        raise IntegrityBroken(
            f"A staged file has {rows} rows in {size_bytes} bytes, and was reported with {file.rows} in "
            f"{file.size_bytes}.",
            where=where,
            todo="Admit the delivery again.",
        )

"""A lake in a temporary directory, and small Parquet files staged in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from atoll.lake import Lake
from atoll.model.table import Column, ColumnType, StagedFile, TableSchema

Stage = Callable[..., StagedFile]

VITALS = TableSchema(
    dataset="clinic",
    table="vitals",
    description="Vital signs",
    columns=(
        Column(
            name="subject",
            type=ColumnType.STRING,
            description="Pseudonym of the subject",
            treatment="pseudonymize",
            source_column="PATIENT",
        ),
        Column(name="weight", type=ColumnType.NUMBER, description="Body weight", unit="kg"),
        Column(name="onset", type=ColumnType.PARTIAL_DATE),
    ),
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    warehouse = tmp_path / "lake"
    return Lake(f"sqlite:///{warehouse / 'catalog.db'}", warehouse)


@pytest.fixture
def vitals() -> TableSchema:
    return VITALS


@pytest.fixture
def stage(lake: Lake) -> Stage:
    def staged(delivery: str, frame: pl.DataFrame, schema: TableSchema = VITALS, name: str = "0") -> StagedFile:
        path = lake.staging(schema.dataset, schema.table, delivery) / f"{name}.parquet"
        frame.write_parquet(path, compression="zstd")
        return StagedFile(
            dataset=schema.dataset,
            table=schema.table,
            path=str(path),
            rows=frame.height,
            size_bytes=path.stat().st_size,
        )

    return staged


def frame(*subjects: str) -> pl.DataFrame:
    rows = {"subject": list(subjects), "weight": [70.0] * len(subjects), "onset": ["2012-11"] * len(subjects)}
    return pl.DataFrame(rows, schema={"subject": pl.String, "weight": pl.Float64, "onset": pl.String})


@pytest.fixture
def rows() -> Callable[..., pl.DataFrame]:
    return frame

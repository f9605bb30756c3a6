"""Deliveries into tables: one snapshot each, columns that grow, faults that are told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from atoll.errors import Conflict, IntegrityBroken, InvalidInput, NotFound, Unavailable
from atoll.lake import Lake
from atoll.model.table import Column, ColumnType, TableSchema


def iceberg_table(lake: Lake, warehouse: Path):
    catalog = SqlCatalog("atoll", uri=f"sqlite:///{warehouse / 'catalog.db'}", warehouse=str(warehouse))
    return catalog.load_table(("clinic", "vitals"))


def test_a_delivery_becomes_one_snapshot_with_its_id_and_contract(lake, stage, rows, vitals, tmp_path):
    state = lake.commit(
        vitals,
        [stage("dlv_a", rows("p1", "p2")), stage("dlv_a", rows("p3"), name="1")],
        delivery_id="dlv_a",
        contract="clinic@3",
    )

    assert (state.rows, state.files) == (3, 2)
    table = iceberg_table(lake, tmp_path / "lake")
    assert len(table.snapshots()) == 1
    summary = table.current_snapshot().summary
    assert summary["atoll.delivery"] == "dlv_a"
    assert summary["atoll.contract"] == "clinic@3"
    assert table.properties["write.parquet.compression-codec"] == "zstd"
    assert sorted(table.scan().to_arrow()["subject"].to_pylist()) == ["p1", "p2", "p3"]


def test_data_is_not_copied(lake, stage, rows, vitals):
    file = stage("dlv_a", rows("p1"))
    state = lake.commit(vitals, [file], delivery_id="dlv_a", contract="clinic@1")
    assert [f.path for f in lake.plan("clinic", "vitals", state.snapshot_id).files] == [file.path]


def test_columns_come_back_as_they_were_given(lake, stage, rows, vitals):
    state = lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    assert state.columns == vitals.columns
    assert state.description == "Vital signs"
    assert lake.plan("clinic", "vitals", state.snapshot_id).columns == vitals.columns


def test_descriptions_are_iceberg_docs(lake, stage, rows, vitals, tmp_path):
    lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    schema = iceberg_table(lake, tmp_path / "lake").schema()
    assert schema.find_field("weight").doc == "Body weight"
    assert schema.find_field("onset").doc is None


def test_every_type_is_kept(lake, stage, vitals):
    every = TableSchema(
        dataset="clinic",
        table="every",
        columns=tuple(Column(name=f"c_{kind.value}", type=kind) for kind in ColumnType),
    )
    types = {
        "string": pl.String,
        "integer": pl.Int64,
        "number": pl.Float64,
        "boolean": pl.Boolean,
        "date": pl.Date,
        "datetime": pl.Datetime("us", "UTC"),
        "partial_date": pl.String,
    }
    nulls = pl.DataFrame({c.name: [None] for c in every.columns}, schema={f"c_{k}": v for k, v in types.items()})
    state = lake.commit(every, [stage("dlv_a", nulls, every)], delivery_id="dlv_a", contract="clinic@1")
    assert state.columns == every.columns


def test_the_same_delivery_twice_changes_nothing(lake, stage, rows, vitals, tmp_path):
    file = stage("dlv_a", rows("p1"))
    first = lake.commit(vitals, [file], delivery_id="dlv_a", contract="clinic@1")
    lake.commit(vitals, [stage("dlv_b", rows("p2"))], delivery_id="dlv_b", contract="clinic@1")
    before = iceberg_table(lake, tmp_path / "lake").metadata_location

    again = lake.commit(vitals, [file], delivery_id="dlv_a", contract="clinic@1")

    assert again == first
    assert iceberg_table(lake, tmp_path / "lake").metadata_location == before


def test_a_delivery_without_rows_still_has_its_snapshot(lake, stage, rows, vitals):
    first = lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    for delivery, files in {"dlv_b": [], "dlv_c": [stage("dlv_c", rows())]}.items():
        state = lake.commit(vitals, files, delivery_id=delivery, contract="clinic@1")
        assert (state.rows, state.files) == (1, 1)
        assert state.snapshot_id != first.snapshot_id
        assert lake.landed("clinic", "vitals", delivery) == state


def test_an_old_snapshot_keeps_its_files_and_columns(lake, stage, rows, vitals):
    first = lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    grown = vitals.but(columns=(*vitals.columns, Column(name="height", type=ColumnType.NUMBER, unit="cm")))
    taller = rows("p2").with_columns(height=pl.lit(180.0))

    second = lake.commit(grown, [stage("dlv_b", taller)], delivery_id="dlv_b", contract="clinic@2")

    assert second.columns == grown.columns
    assert lake.plan("clinic", "vitals", first.snapshot_id).columns == vitals.columns
    assert len(lake.plan("clinic", "vitals", first.snapshot_id).files) == 1
    assert [file.lacks for file in lake.plan("clinic", "vitals", first.snapshot_id).files] == [()]
    planned = lake.plan("clinic", "vitals", second.snapshot_id).files
    assert {Path(file.path).parent.name: file.lacks for file in planned} == {"dlv_a": ("height",), "dlv_b": ()}
    assert lake.table_state("clinic", "vitals", first.snapshot_id) == first
    assert lake.table_state("clinic", "vitals") == second


def test_rows_before_an_added_column_read_as_null_in_iceberg(lake, stage, rows, vitals, tmp_path):
    lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    grown = vitals.but(columns=(Column(name="height", type=ColumnType.NUMBER), *vitals.columns))
    taller = rows("p2").select(pl.lit(180.0).alias("height"), pl.all())
    lake.commit(grown, [stage("dlv_b", taller)], delivery_id="dlv_b", contract="clinic@2")
    table = iceberg_table(lake, tmp_path / "lake")
    read = {row["subject"]: row["height"] for row in table.scan().to_arrow().to_pylist()}
    assert read == {"p1": None, "p2": 180.0}
    assert len(table.snapshots()) == 2


def test_a_column_the_contract_drops_stays(lake, stage, rows, vitals):
    lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    fewer = vitals.but(columns=vitals.columns[:1])
    state = lake.commit(fewer, [stage("dlv_b", rows("p2").select("subject"))], delivery_id="dlv_b", contract="clinic@2")
    assert state.columns == vitals.columns
    assert state.rows == 2


def test_a_new_description_and_treatment_are_told(lake, stage, rows, vitals):
    lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    told = vitals.but(
        columns=(
            vitals.columns[0],
            vitals.columns[1].but(description="Weight, dry", treatment="generalize"),
            vitals.columns[2],
        )
    )
    state = lake.commit(told, [stage("dlv_b", rows("p2"))], delivery_id="dlv_b", contract="clinic@2")
    assert state.columns == told.columns


@pytest.mark.parametrize(
    ("name", "kind"), [("weight", ColumnType.STRING), ("WEIGHT", ColumnType.NUMBER), ("subject", ColumnType.INTEGER)]
)
def test_a_changed_column_is_a_conflict_and_changes_nothing(lake, stage, rows, vitals, name, kind):
    first = lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    changed = vitals.but(columns=(Column(name=name, type=kind),))
    with pytest.raises(Conflict, match="new name") as caught:
        lake.commit(changed, [], delivery_id="dlv_b", contract="clinic@2")
    assert name in caught.value.where
    assert lake.table_state("clinic", "vitals") == first


def test_files_that_are_not_the_tables_staged_ones_are_refused(lake, stage, rows, vitals, tmp_path):
    good = stage("dlv_a", rows("p1"))
    elsewhere = tmp_path / "elsewhere.parquet"
    rows("p1").write_parquet(elsewhere)
    for bad in (
        [good.but(path=str(elsewhere), size_bytes=elsewhere.stat().st_size)],
        [good.but(path=good.path.replace("dlv_a/", "dlv_a/../../../../elsewhere/../"))],
        [good.but(table="other")],
        [good, good],
        [stage("dlv_other", rows("p1"))],
    ):
        with pytest.raises((InvalidInput, IntegrityBroken)):
            lake.commit(vitals, bad, delivery_id="dlv_a", contract="clinic@1")
    assert lake.landed("clinic", "vitals", "dlv_a") is None


def test_a_staged_file_that_changed_is_told_without_its_values(lake, stage, rows, vitals):
    file = stage("dlv_a", rows("secret-value"))
    for bad in (file.but(rows=2), file.but(size_bytes=1)):
        with pytest.raises(IntegrityBroken, match="reported with") as caught:
            lake.commit(vitals, [bad], delivery_id="dlv_a", contract="clinic@1")
        assert "secret-value" not in str(caught.value)
    Path(file.path).write_bytes(b"secret-value, and no Parquet")
    with pytest.raises(IntegrityBroken) as caught:
        lake.commit(vitals, [file], delivery_id="dlv_a", contract="clinic@1")
    assert "secret-value" not in str(caught.value)
    Path(file.path).unlink()
    with pytest.raises(IntegrityBroken, match="gone"):
        lake.commit(vitals, [file], delivery_id="dlv_a", contract="clinic@1")


def test_a_withdrawn_delivery_is_gone_and_can_come_again(lake, stage, rows, vitals):
    kept = lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    file = stage("dlv_b", rows("p2", "p3"))
    with_b = lake.commit(vitals, [file], delivery_id="dlv_b", contract="clinic@1")

    assert lake.withdraw("clinic", "vitals", "dlv_b") is True

    now = lake.table_state("clinic", "vitals")
    assert now.rows == kept.rows
    assert [f.path for f in lake.plan("clinic", "vitals", now.snapshot_id).files] == [
        f.path for f in lake.plan("clinic", "vitals", kept.snapshot_id).files
    ]
    assert lake.landed("clinic", "vitals", "dlv_b") is None
    assert lake.withdraw("clinic", "vitals", "dlv_b") is False
    assert lake.table_state("clinic", "vitals", with_b.snapshot_id) == with_b
    assert lake.commit(vitals, [file], delivery_id="dlv_b", contract="clinic@2").rows == 3


def test_withdrawing_what_never_came_is_false(lake, stage, rows, vitals):
    assert lake.withdraw("clinic", "vitals", "dlv_a") is False
    lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    assert lake.withdraw("clinic", "vitals", "dlv_b") is False


def test_unknown_tables_and_snapshots_are_not_found(lake, stage, rows, vitals):
    with pytest.raises(NotFound):
        lake.plan("clinic", "vitals", 1)
    state = lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    with pytest.raises(NotFound):
        lake.plan("clinic", "vitals", state.snapshot_id + 1)


@pytest.mark.parametrize("name", ["..", "a/b", "", "a.b", "a b", "/etc", "é", "x" * 200])
def test_odd_names_are_refused_before_anything_is_made(lake, name, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    for names in ((name, "vitals", "dlv_a"), ("clinic", name, "dlv_a"), ("clinic", "vitals", name)):
        with pytest.raises(InvalidInput):
            lake.staging(*names)
    assert sorted(tmp_path.rglob("*")) == before


def test_columns_that_sql_cannot_tell_apart_are_refused(lake, vitals):
    twins = vitals.but(columns=(Column(name="a", type=ColumnType.STRING), Column(name="A", type=ColumnType.STRING)))
    for schema in (twins, vitals.but(columns=())):
        with pytest.raises(InvalidInput):
            lake.commit(schema, [], delivery_id="dlv_a", contract="clinic@1")


def test_catalog_and_warehouse_are_private(lake, tmp_path):
    assert (tmp_path / "lake" / "catalog.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "lake").stat().st_mode & 0o777 == 0o700


def test_a_catalog_that_is_no_database_is_unavailable_and_hides_the_password(tmp_path):
    broken = tmp_path / "catalog.db"
    broken.write_bytes(b"not a database" * 100)
    with pytest.raises(Unavailable):
        Lake(f"sqlite:///{broken}", tmp_path / "lake")
    with pytest.raises(Unavailable) as caught:
        Lake("postgresql+psycopg://atoll:opensesame@127.0.0.1:1/none", tmp_path / "lake")
    assert "opensesame" not in str(caught.value)


def test_a_lake_opened_again_shows_the_same(lake, stage, rows, vitals, tmp_path):
    state = lake.commit(vitals, [stage("dlv_a", rows("p1"))], delivery_id="dlv_a", contract="clinic@1")
    lake.close()
    again = Lake(f"sqlite:///{tmp_path / 'lake' / 'catalog.db'}", tmp_path / "lake")
    assert again.table_state("clinic", "vitals") == state
    metadata = json.loads(Path(iceberg_table(again, tmp_path / "lake").metadata_location).read_text(encoding="utf-8"))
    assert metadata["format-version"] == 2


def test_what_the_catalog_will_name_is_synced_before_it_is_named(lake, stage, rows, vitals, monkeypatch):
    synced: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    file = stage("dlv_a", rows("p1"))
    lake.commit(vitals, [file], delivery_id="dlv_a", contract="clinic@1")
    metadata = {str(path) for path in Path(file.path).parents[2].joinpath("metadata").iterdir()}
    assert len(metadata) == 4
    assert metadata <= set(synced)

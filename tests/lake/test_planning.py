"""Plans of tables with many deliveries: what was read is not read again, and manifests stay few."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from pyiceberg.manifest import ManifestFile

from atoll.lake import Lake, Upkeep
from atoll.lake import lake as lake_module
from atoll.model.table import Column, ColumnType, TableSchema


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Paths of the manifests that were read."""
    paths: list[str] = []
    plain = ManifestFile.fetch_manifest_entry

    def noted(self, io, discard_deleted=True):
        paths.append(self.manifest_path)
        return plain(self, io, discard_deleted)

    monkeypatch.setattr(ManifestFile, "fetch_manifest_entry", noted)
    return paths


def test_planning_reads_what_the_last_commit_wrote_and_no_more(lake, stage, rows, vitals, read):
    for number in range(3):
        name = f"dlv_{number}"
        state = lake.commit(vitals, [stage(name, rows(name))], delivery_id=name, contract="clinic@1")
        read.clear()
        plan = lake.plan("clinic", "vitals", state.snapshot_id)
        assert (len(plan.files), len(read)) == (number + 1, 1)
    # Another process, or this one after its start, reads all of it, and sees the same.
    again = Lake(f"sqlite:///{lake.warehouse / 'catalog.db'}", lake.warehouse)
    read.clear()
    assert again.plan("clinic", "vitals", state.snapshot_id) == plan
    assert len(read) == 3
    # Another process's commit is seen.
    state = again.commit(vitals, [stage("dlv_9", rows("nine"))], delivery_id="dlv_9", contract="clinic@1")
    assert len(lake.plan("clinic", "vitals", state.snapshot_id).files) == 4


def test_what_expires_leaves_memory_too(lake, stage, rows, vitals, read):
    for name in ("dlv_1", "dlv_2"):
        state = lake.commit(vitals, [stage(name, rows(name))], delivery_id=name, contract="clinic@1")
    lake.known_plan("clinic", "vitals", state.snapshot_id)
    Upkeep(lake).expire("clinic", "vitals", set())
    read.clear()
    assert len(lake.known_plan("clinic", "vitals", state.snapshot_id).files) == 2
    assert len(read) == 2


def test_manifests_stay_few_and_full_ones_are_left_alone(lake, stage, rows, vitals, monkeypatch):
    monkeypatch.setitem(lake_module._TABLE_PROPERTIES, "commit.manifest.target-size-bytes", str(40_000))
    counts = []
    for number in range(24):
        name = f"dlv_{number}"
        state = lake.commit(vitals, [stage(name, rows(name))], delivery_id=name, contract="clinic@1")
        counts.append(len(lake.load("clinic", "vitals").current_snapshot().manifests(lake.load("clinic", "vitals").io)))
    assert max(counts) < 12
    plan = lake.plan("clinic", "vitals", state.snapshot_id)
    assert sorted(file.rows for file in plan.files) == [1] * 24


def test_bounds_are_what_the_engine_compares(lake, stage):
    kinds = ("string", "integer", "number", "boolean", "date", "datetime", "partial_date")
    columns = tuple(Column(name=kind, type=ColumnType(kind)) for kind in kinds)
    schema = TableSchema(dataset="clinic", table="kinds", columns=columns)
    noon = datetime(2020, 1, 2, 12, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "string": ["b" * 40, "a", None],
            "integer": [3, None, -2],
            "number": [0.5, float("nan"), 2.5],
            "boolean": [True, False, None],
            "date": [date(1970, 1, 3), date(1969, 12, 31), None],
            "datetime": [noon, noon, None],
            "partial_date": ["2012", "2012-11", None],
        }
    )
    state = lake.commit(schema, [stage("dlv_1", frame, schema)], delivery_id="dlv_1", contract="clinic@1")
    (file,) = lake.plan("clinic", "kinds", state.snapshot_id).files
    low, high = file.bounds["string"]
    assert low == "a" and high >= "b" * 40 and len(high) < 20
    assert file.bounds["integer"] == (-2, 3)
    assert file.bounds["date"] == (-1, 2)
    assert file.bounds["datetime"] == (int(noon.timestamp() * 1e6),) * 2
    assert file.bounds["partial_date"] == ("2012", "2012-11")
    assert "boolean" not in file.bounds
    assert "bounds" not in file.model_dump()

"""A table laid out as its contract says lets a filtered query do with few of its files."""

from __future__ import annotations

import pytest
from pyiceberg.expressions import EqualTo
from tests.flows.lakework import deliver, ended, newest, rows_of
from tests.flows.trial import CONTRACT, REVIEWER, add_lab, put_in_force

from atoll.flows import compact_dataset, read_lake
from atoll.model.person import PLATFORM
from atoll.settings import Settings
from atoll.wiring import platform


@pytest.fixture
def rooms(tmp_path):
    made = platform.build(Settings(home=tmp_path / "home", query_workers=1))
    put_in_force(made, CONTRACT.replace("  subjects:\n", "  subjects:\n    layout: {partition: [age]}\n"))
    add_lab(made)
    yield made
    platform.close(made)


def test_statistics_prune_after_compaction(rooms):
    for number in range(3):
        deliver(rooms, number, subjects=6)
    before = newest(rooms)
    ended(rooms, compact_dataset.ask(rooms, REVIEWER, "trial", whole=True))
    after = newest(rooms)
    assert rows_of(rooms, after, "subjects") == rows_of(rooms, before, "subjects")
    state = next(s for s in after.tables if s.table == "subjects")
    table = rooms.lake.load("trial", "subjects")
    planned = list(table.scan(row_filter=EqualTo("age", 21), snapshot_id=state.snapshot_id).plan_files())
    assert (len(planned), planned[0].file.record_count) == (1, 6)
    assert state.files == 3
    assert read_lake.version(rooms, PLATFORM, "trial").id == after.id

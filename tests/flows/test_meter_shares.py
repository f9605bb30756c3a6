"""What projects keep in their shares costs their project, once a day."""

from __future__ import annotations

import pytest

from atoll.flows.meter_shares import meter_shares
from atoll.model.ledger import Metric
from atoll.settings import Settings
from atoll.wiring import platform


@pytest.fixture
def rooms(tmp_path):
    made = platform.build(Settings(home=tmp_path / "home", query_workers=0))
    yield made
    platform.close(made)


def test_each_share_is_metered_once_a_day_for_its_project(rooms):
    assert meter_shares(rooms) == 0
    rooms.shares.place("heart", "table.csv", [b"x" * 2**20])
    rooms.shares.path("liver")
    assert meter_shares(rooms) == 2
    assert meter_shares(rooms) == 0
    report = rooms.usage.report(rooms.clock.now().strftime("%Y-%m"), "project")
    stored = {line.key: line.quantity for line in report.lines if line.metric is Metric.STORED_BYTE_DAYS}
    assert 2**20 <= stored["heart"] < 2**20 + 2**16
    assert stored["liver"] < 2**16

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from atoll.operations import Operations
from atoll.providers.records import open_record_store


class MovableClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def records(tmp_path):
    store = open_record_store(f"sqlite:///{tmp_path / 'records.db'}")
    yield store
    store.close()


@pytest.fixture
def operations(records, clock):
    return Operations(records, clock)

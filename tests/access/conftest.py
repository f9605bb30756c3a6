"""A real record store and a clock that tests move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from atoll.providers.records import open_record_store


class HandClock:
    """Stands still until it is moved."""

    def __init__(self):
        self.time = datetime(2030, 1, 1, tzinfo=UTC)

    def now(self):
        return self.time

    def move(self, **by):
        self.time += timedelta(**by)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def records(tmp_path):
    store = open_record_store(f"sqlite:///{tmp_path / 'records.db'}")
    yield store
    store.close()

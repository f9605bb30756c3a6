from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from atoll.ports.records import RecordStore


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))


@pytest.fixture
def records(store: RecordStore) -> RecordStore:
    return store

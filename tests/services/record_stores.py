"""Empty record stores, once for each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from atoll.ports.records import RecordStore
from atoll.providers.records import open_record_store
from atoll.providers.records.store import SqlRecordStore
from atoll.providers.records.watched import WatchedRecords


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty store, once for each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[RecordStore]:
    """An empty store, opened."""
    opened = open_record_store(store_url)
    yield opened
    opened.close()


def sql_store(store: RecordStore) -> SqlRecordStore:
    """The SQL store behind the one that tells what is written through it."""
    assert isinstance(store, WatchedRecords)
    behind = store._records
    assert isinstance(behind, SqlRecordStore)
    return behind

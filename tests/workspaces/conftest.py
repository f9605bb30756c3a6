from __future__ import annotations

import pytest
from tests.workspaces.memory_store import MemoryStore
from tests.workspaces.world import World, virtual_waits

from atoll.settings import Settings
from atoll.wiring import platform


@pytest.fixture(scope="session")
def real_rooms(tmp_path_factory):
    """Rooms as the platform has them; tests plug in clocks, stores and backends."""
    rooms = platform.build(Settings(home=tmp_path_factory.mktemp("home"), query_workers=0))
    yield rooms
    platform.close(rooms)


@pytest.fixture
def new_world(real_rooms, monkeypatch):
    """Makes worlds; steps that wait move the time of the newest."""
    made = []

    def make(store=None, **given):
        made.append(World(real_rooms, store or MemoryStore(), **given))
        return made[-1]

    virtual_waits(monkeypatch, lambda: made[-1])
    return make


@pytest.fixture
def world(new_world):
    return new_world()

"""A platform's rooms in this process, on embedded defaults."""

from __future__ import annotations

import pytest
from tests.flows.trial import CONTRACT, add_lab, put_in_force

from atoll.flows.rooms import Rooms
from atoll.settings import Settings
from atoll.wiring import platform


@pytest.fixture
def rooms(tmp_path):
    made = platform.build(Settings(home=tmp_path / "home"))
    yield made
    platform.close(made)


@pytest.fixture
def trial(rooms: Rooms) -> Rooms:
    """Rooms with the small trial's contract in force and its source known."""
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    return rooms

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.flows.trial import CONTRACT, add_lab, put_in_force

from atoll.flows.rooms import Rooms
from atoll.settings import Settings
from atoll.wiring import platform


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Rooms]:
    """Rooms with the small trial's contract in force and its source known; an SFTP port and a watched directory."""
    settings = Settings(
        home=tmp_path / "home",
        sftp_port=0,
        sftp_source_bytes=2**20,
        inbox_dir=tmp_path / "inbox",
        inbox_seconds=0.1,
        inbox_settle_seconds=0,
    )
    rooms = platform.build(settings)
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    yield rooms
    platform.close(rooms)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.live_platform import Atoll, running, settle


@pytest.fixture(scope="module")
def atoll(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atoll]:
    """A platform with people, a project, a source and a contract; nothing delivered."""
    home: Path = tmp_path_factory.mktemp("client") / "home"
    with running(home) as made:
        settle(made)
        yield made

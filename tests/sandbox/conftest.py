from __future__ import annotations

import pytest
from tests.machines import inside

from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "m"


@pytest.fixture
def backend(directory):
    backend = SandboxBackend(directory, inside.ENVIRONMENTS, SystemClock())
    yield backend
    for seen in backend.list_machines():
        backend.destroy(seen.workspace)

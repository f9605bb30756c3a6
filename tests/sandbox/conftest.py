from __future__ import annotations

import os
import subprocess

import pytest
from tests.machines import inside

from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend


@pytest.fixture
def directory(tmp_path):
    yield tmp_path / "m"
    # A home may be deeper than Python can recurse, and pytest removes old directories by recursion.
    subprocess.run(["rm", "-rf", str(tmp_path / "m")], check=True)


@pytest.fixture
def backend(directory):
    backend = SandboxBackend(directory, inside.ENVIRONMENTS, SystemClock())
    yield backend
    for seen in backend.list_machines():
        backend.destroy(seen.workspace)


@pytest.fixture(autouse=True)
def _files_are_open_to_others():
    """What a test lays out for machines is readable by their accounts, as the port asks of mounts."""
    before = os.umask(0o022)
    yield
    os.umask(before)

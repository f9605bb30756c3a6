"""The demo as anybody runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.sandbox.environments import built_environments
from tests.services.installed import environment

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_the_demo_tells_its_account_and_ends_well(pytestconfig):
    environments = built_environments(pytestconfig.cache.mkdir("environments"))
    done = subprocess.run(
        [sys.executable, "examples/demo.py", "--once"],
        cwd=ROOT,
        env=environment(ATOLL_ENVIRONMENTS_DIR=str(environments)),
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "all hold" in done.stdout
    assert "Traceback" not in done.stderr

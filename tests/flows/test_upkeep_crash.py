"""Real kills (SIGKILL) at each effect of the lake's maintenance, then the same again: no row lost or doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.flows import lakework
from tests.flows.killed_upkeep import open_rooms
from tests.flows.trial import CONTRACT, add_lab, put_in_force
from tests.flows.upkeep_stories import STORIES

from atoll.wiring import platform

SCRIPT = Path(__file__).with_name("killed_upkeep.py")
ROOT = Path(__file__).parents[2]
#: By hand, `ATOLL_EVERY_KILL=1`, with a `--timeout` of an hour: at every effect, not at some of each kind.
EVERY = {name: value for name, value in os.environ.items() if name == "ATOLL_EVERY_KILL"}


# Many processes are started; a loaded machine takes its time.
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("story", sorted(STORIES))
def test_killed_at_each_effect_and_started_again(tmp_path, story):
    rooms = open_rooms(tmp_path / "home")
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    for number in range(3):
        lakework.deliver(rooms, number)
    STORIES[story].queue(rooms)
    platform.close(rooms)
    run = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), story],
        capture_output=True,
        text=True,
        timeout=3600 if EVERY else 1100,
        check=False,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", **EVERY},
    )
    assert run.returncode == 0, run.stderr
    first, *told = [json.loads(line) for line in run.stdout.splitlines()]
    assert {"records", "catalog"} <= set(first["effects"])
    assert len(told) == first["points"] >= (25 if EVERY else 9)
    assert not [point for point in told if point["fault"]], (first, told, run.stderr[-4000:])

"""Real kills (SIGKILL) at each call of a commit that touches catalog or metadata, then the same again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog

SCRIPT = Path(__file__).with_name("crash_commit.py")
FIRST = [f"dlv_1-{file}-{row}" for file in range(2) for row in range(3)]
SECOND = [f"dlv_2-{file}-{row}" for file in range(2) for row in range(3)]


@pytest.mark.parametrize(
    ("action", "subjects", "deliveries"),
    [
        ("create", SECOND, ["dlv_2"]),
        ("append", FIRST + SECOND, ["dlv_1", "dlv_2"]),
        ("evolve", FIRST + SECOND, ["dlv_1", "dlv_2"]),
        ("withdraw", [], ["dlv_1", None]),
    ],
)
def test_killed_anywhere_and_run_again_each_row_is_there_once(tmp_path, action, subjects, deliveries):
    run = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), action], capture_output=True, text=True, timeout=240, check=False
    )
    assert run.returncode == 0, run.stderr
    steps = [json.loads(line) for line in run.stdout.splitlines()]

    # Every step but the last was a kill, the last ran through, and each second run succeeded.
    assert [s["killed"] for s in steps] == [137] * (len(steps) - 1) + [0], run.stderr
    assert len(steps) > 10
    assert all(s["again"] == 0 for s in steps), run.stderr
    for step in steps:
        home = tmp_path / str(step["step"])
        catalog = SqlCatalog("atoll", uri=f"sqlite:///{home / 'catalog.db'}", warehouse=str(home))
        table = catalog.load_table(("clinic", "vitals"))
        assert sorted(table.scan().to_arrow()["subject"].to_pylist()) == subjects, step
        told = [s.summary.additional_properties.get("atoll.delivery") for s in table.snapshots()]
        assert told == deliveries, step
        catalog.engine.dispose()

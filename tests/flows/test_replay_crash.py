"""A platform killed at its effects in the middle of a replay: what was held enters once."""

from __future__ import annotations

import json
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.flows.test_crash import ended_before, start_again, work
from tests.flows.trial import CONTRACT, LAB, REVIEWER, SUBJECTS, VISITS, add_lab, admit, hand_over, put_in_force

from atoll.flows import receive_delivery
from atoll.flows.replay_delivery import replay
from atoll.settings import Settings
from atoll.wiring import platform


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A home whose one delivery was admitted but for a row, with its replay queued."""
    home = tmp_path_factory.mktemp("template") / "home"
    rooms = platform.build(Settings(home=home, query_workers=0))
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    delivery = hand_over(rooms, {"subjects.csv": SUBJECTS.replace(b"old", b"135"), "visits.csv": VISITS})
    admit(rooms)
    put_in_force(rooms, CONTRACT.replace("max: 120", "max: 140"))
    replay(rooms, REVIEWER, delivery.id)
    platform.close(rooms)
    return home


# Many processes are started; a loaded machine takes its time.
@pytest.mark.timeout(1200)
def test_killed_in_a_replay_and_started_again(template, tmp_path):
    whole = tmp_path / "whole" / "home"
    shutil.copytree(template, whole)
    done = work(whole, 0)
    assert done.returncode == 0, done.stderr
    assert fault_of(whole) == ""
    effects = json.loads(done.stdout)["effects"]
    # Before every second effect, and where an answer of the catalog is lost.
    points = [float(n) for n in range(1, len(effects) + 1, 2)]
    points += [n + 0.5 for n, effect in enumerate(effects, start=1) if effect.startswith("catalog")]
    with ThreadPoolExecutor(2) as both_cores:
        told = list(both_cores.map(lambda at: survives(template, tmp_path / f"killed-{at}", at), points))
    assert not [fault for fault in told if fault], told


def survives(template: Path, place: Path, at: float) -> str:
    """Kill at that point, start again; what is wrong afterwards, or nothing."""
    home = place / "home"
    shutil.copytree(template, home)
    killed = work(home, at)
    if not ended_before(killed, at) and killed.returncode != -signal.SIGKILL:
        return f"at {at}: not killed: {killed.stderr[-500:]}"
    start_again(home)
    fault = fault_of(home)
    return f"at {at}: {fault}" if fault else ""


def fault_of(home: Path) -> str:
    rooms = platform.build(Settings(home=home, query_workers=0))
    try:
        (view,) = receive_delivery.list_deliveries(rooms, LAB).views
        outcome = view.delivery.outcome
        assert outcome is not None
        if (outcome.rows_in, outcome.rows_committed, outcome.rows_quarantined) != (6, 6, 0):
            return f"rows {outcome.rows_in} {outcome.rows_committed} {outcome.rows_quarantined}"
        if len(view.delivery.replays) != 1 or outcome.dataset_version != 2:
            return f"replays {view.delivery.replays}, version {outcome.dataset_version}"
        subjects = rooms.lake.table_state("trial", "subjects").rows
        settled = [e.event for e in rooms.audit.read(0, 1000) if e.event.action == "delivery.admit"]
        flows = rooms.flow_log.of_dataset("trial", 100)
        if (subjects, len(settled), len(flows)) != (3, 2, 2):
            return f"{subjects} subjects, {len(settled)} settlements, {len(flows)} flow events"
        return "" if rooms.audit.verify().intact else "the audit chain is broken"
    finally:
        platform.close(rooms)

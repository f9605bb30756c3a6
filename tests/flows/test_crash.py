"""A platform killed at each of its effects, started again: all or nothing, once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from tests.flows.trial import CONTRACT, SUBJECTS, VISITS, add_lab, hand_over, put_in_force
from tests.services.installed import environment

from atoll.flows import read_lake
from atoll.model.delivery import Delivery
from atoll.model.person import PLATFORM
from atoll.settings import Settings
from atoll.wiring import platform

WORKER = Path(__file__).with_name("killed_worker.py")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A home with a submitted delivery of two tables, nothing of it admitted yet."""
    home = tmp_path_factory.mktemp("template") / "home"
    rooms = platform.build(Settings(home=home, query_workers=0))
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    hand_over(rooms, {"subjects.csv": SUBJECTS, "visits.csv": VISITS})
    platform.close(rooms)
    return home


def work(home: Path, at: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(WORKER), str(home), str(at)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# Many processes are started; a loaded machine takes its time.
@pytest.mark.timeout(1200)
def test_killed_at_each_effect_and_started_again(template, tmp_path):
    whole = tmp_path / "whole" / "home"
    shutil.copytree(template, whole)
    done = work(whole, 0)
    assert done.returncode == 0, done.stderr
    effects = json.loads(done.stdout)["effects"]
    check(whole)
    assert {"records.transact", "catalog.commit_table", "os.replace"} <= set(effects)
    points = [float(number) for number in range(1, len(effects) + 1)]
    # Right after one effect is right before the next, but where the catalog's answer is lost.
    points += [n + 0.5 for n, effect in enumerate(effects, start=1) if effect.startswith("catalog")]
    with ThreadPoolExecutor(2) as both_cores:
        told = list(both_cores.map(lambda at: survives(template, tmp_path / f"killed-{at}", at), points))
    assert not [fault for fault in told if fault], told
    assert len(points) > 30


def survives(template: Path, place: Path, at: float) -> str:
    """Kill at that point, start again; what is wrong afterwards, or nothing."""
    home = place / "home"
    shutil.copytree(template, home)
    killed = work(home, at)
    if not ended_before(killed, at) and killed.returncode != -signal.SIGKILL:
        return f"at {at}: not killed: {killed.stderr[-500:]}"
    try:
        start_again(home)
        check(home)
    except AssertionError as error:
        return f"killed at {at}: {error}"
    shutil.rmtree(place)
    return ""


def ended_before(run: subprocess.CompletedProcess[str], at: float) -> bool:
    """Whether the run was done before the effect came at which it was to be killed.

    How often a lease is renewed is a matter of time: of two runs one may have some effects fewer.
    """
    return run.returncode == 0 and len(json.loads(run.stdout)["effects"]) < at


def start_again(home: Path) -> None:
    """The next platform at this home, until nothing is left to do; in this process, since nobody kills it."""
    rooms = platform.build(Settings(home=home, operation_lease_seconds=0.5, query_workers=0))
    try:
        runner = platform.runner(rooms)
        while rooms.operations.open():
            runner.run_open()
            # Until the dead one's lease is over.
            time.sleep(0.02)
        platform.reconcilers(rooms).run_due()
    finally:
        platform.close(rooms)


def check(home: Path) -> None:
    """Everything once: rows, snapshot, version, audit, flow, money."""
    rooms = platform.build(Settings(home=home, query_workers=0))
    try:
        (version,) = read_lake.versions(rooms, PLATFORM, "trial")
        assert {t.table: t.rows for t in version.tables} == {"subjects": 2, "visits": 3}
        for table in version.tables:
            plan = rooms.lake.plan("trial", table.table, table.snapshot_id)
            assert pl.concat([pl.read_parquet(f.path) for f in plan.files]).height == table.rows
            assert table.files == 1
        (delivery,) = rooms.records.find(Delivery).records
        assert delivery.outcome is not None
        assert (delivery.outcome.rows_in, delivery.outcome.rows_committed) == (6, 5)
        assert len(rooms.quarantine.masked_rows(delivery.id, 100, 0)) == 1
        assert rooms.audit.verify().intact
        actions = [e.event.action for e in rooms.audit.read(0, 1000)]
        assert actions.count("delivery.admit") == 1
        assert actions.count("dataset.commit") == 1
        assert "delivery.fail" not in actions
        assert len([e for e in rooms.flow_log.of_dataset("trial", 100) if e.eventType == "COMPLETE"]) == 1
        report = rooms.usage.report(rooms.clock.now().strftime("%Y-%m"), "dataset")
        assert {line.metric.value: line.records for line in report.lines} == {
            "admission_seconds": 1,
            "stored_byte_days": 1,
        }
        assert not list(home.glob("quarantine/**/*.part"))
        own = f"query-{os.getpid()}-"
        assert not [p for p in home.glob("tmp/*") if not p.name.startswith(own)]
    finally:
        platform.close(rooms)

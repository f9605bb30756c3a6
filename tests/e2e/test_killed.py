"""The platform killed (SIGKILL) in the middle of each operation on real machines: it converges, and leaves nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import httpx
import pytest
from tests.e2e.process import Platform
from tests.machines.inside import ENVIRONMENTS

from atoll.errors import Unavailable
from atoll.flows.surroundings import BareSurroundings
from atoll.flows.sweep_machines import sweep_machines
from atoll.model.workspace import Resource
from atoll.ports.records import every
from atoll.settings import Settings
from atoll.wiring import machines
from atoll.wiring import platform as wiring

PRODUCT = """\
name: tiny
title: A server of some lines
environment: tiny
service: jupyter
sizes: [t3.nano, t3.micro]
needs: [mount, hibernate]
fallback: {hibernate: stop}
home_bytes: 67108864
"""
SECONDS = 45


class Mortal(Platform):
    """A platform with a trap in it."""

    def start_with(self, trap: str) -> None:
        """Start; what is under way may spring the trap before it answers."""
        self.settings["ATOLL_TRAP"] = trap
        try:
            self.start()
        except (AssertionError, Unavailable):
            assert self.process is not None
            assert self.process.poll() == -signal.SIGKILL, self.log.read_text()[-2000:]

    def dies(self) -> None:
        """Wait for the trap."""
        assert self.process is not None
        try:
            assert self.process.wait(SECONDS) == -signal.SIGKILL
        except Exception:
            self.stop(signal.SIGKILL)
            raise AssertionError(f"not killed at {self.settings['ATOLL_TRAP']}") from None
        self.process = None

    def wish(self, act) -> object:
        """Ask for something as ada; the platform may die of it before it answers."""
        with self.as_("ada") as ada, contextlib.suppress(Unavailable, httpx.HTTPError):
            return act(ada)
        return None

    def until(self, workspace: str, state: str) -> dict[str, object]:
        until = time.monotonic() + SECONDS
        with self.as_("ada") as ada:
            while True:
                found = ada.workspaces.show(workspace)
                if found["state"] == state and not found["changing"]:
                    return found
                assert time.monotonic() < until, found
                time.sleep(0.1)


@pytest.fixture
def mortal(tmp_path):
    before = os.umask(0o022)
    made = Mortal(
        tmp_path,
        settings={
            "ATOLL_ENVIRONMENTS_DIR": str(ENVIRONMENTS),
            "ATOLL_OPERATION_LEASE_SECONDS": "0.5",
            "ATOLL_QUERY_WORKERS": "0",
            "ATOLL_MACHINE_PORTS": "0-0",
        },
        program=(sys.executable, str(Path(__file__).with_name("killed_platform.py"))),
    )
    made.start()
    yield made
    os.umask(before)
    made.stop(signal.SIGKILL)
    for file in made.home.glob("machines/*/supervisor.json"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(json.loads(file.read_text())["pid"], signal.SIGTERM)


def launch(ada, name):
    return ada.workspaces.create("tiny", "heart", confirm_eur_per_hour="0.0092", name=name, size="t3.nano")["id"]


def test_killed_in_the_middle_of_each_operation(mortal):
    mortal.person("ada", "scientist")
    with mortal.as_("admin") as admin:
        admin.projects.add("heart", "Heart")
        admin.projects.add_member("heart", "ada")
        admin.products.publish(PRODUCT)
    with mortal.as_("ada") as ada:
        neighbour = launch(ada, "neighbour")
    mortal.until(neighbour, "running")
    keeper = (mortal.home / "machines" / neighbour / "supervisor.json").read_text()
    mortal.stop()

    killed_in(mortal, ["supervisor:before", "supervisor:after"], lambda ada: launch(ada, "mine"))
    with mortal.as_("ada") as ada:
        mine = ada.workspaces.id_of("mine")
    mortal.until(mine, "running")
    (mortal.home / "shares" / "heart" / "kept").write_text("of the project")

    prove_killed(mortal, mine)
    killed_in(mortal, ["freeze:after"], lambda ada: ada.workspaces.hibernate(mine))
    mortal.until(mine, "hibernated")
    killed_in(mortal, ["thaw:before"], lambda ada: ada.workspaces.wake(mine))
    mortal.until(mine, "running")
    killed_in(
        mortal,
        ["limits:after"],
        lambda ada: ada.workspaces.resize(mine, "t3.micro", confirm_eur_per_hour="0.0184"),
    )
    assert mortal.until(mine, "running")["size"] == "t3.micro"
    killed_in(mortal, ["end:before", "stop:after"], lambda ada: ada.workspaces.stop(mine))
    mortal.until(mine, "stopped")
    killed_in(
        mortal,
        ["end:after", "forget_home:before"],
        lambda ada: ada.workspaces.terminate(mine),
    )
    mortal.until(mine, "terminated")

    nothing_is_left(mortal, mine)
    assert (mortal.home / "machines" / neighbour / "supervisor.json").read_text() == keeper
    mortal.until(neighbour, "running")
    assert (mortal.home / "shares" / "heart" / "kept").read_text() == "of the project"
    mortal.wish(lambda ada: ada.workspaces.terminate(neighbour))
    mortal.until(neighbour, "terminated")
    nothing_is_left(mortal, neighbour)
    mortal.stop()
    nothing_is_owed(mortal)


def killed_in(mortal, traps, wish):
    """Wish for something and be killed at each trap in turn; at last a platform without one."""
    for number, trap in enumerate(traps):
        if mortal.process is not None:
            mortal.stop(signal.SIGKILL)
        mortal.start_with(trap)
        if number == 0:
            mortal.wish(wish)
        mortal.dies()
    mortal.start_with("")


def prove_killed(mortal, workspace):
    """A proof goes on after the kill; one in a machine of its own leaves nothing of it."""
    mortal.stop(signal.SIGKILL)
    mortal.start_with("probe:during")
    with mortal.as_("ada") as ada:
        proof = ada.proofs.prove(workspace)["id"]
        mortal.dies()
    mortal.start_with("destroy:after")
    with mortal.as_("ada") as ada:
        proved = ada.proofs.wait(proof)
        assert proved["passed"], [p for p in proved["evidence"]["probes"] if not p["passed"]]
        fresh = ada.proofs.prove_fresh(product="tiny", bombs=True)["id"]
        mortal.dies()
    mortal.start_with("")
    with mortal.as_("ada") as ada:
        proved = ada.proofs.wait(fresh)
    assert proved["passed"], [p for p in proved["evidence"]["probes"] if not p["passed"]]
    assert {p["group"] for p in proved["evidence"]["probes"]} >= {"network", "files", "kernel", "bombs", "neighbours"}
    nothing_is_left(mortal, fresh)


def nothing_is_left(mortal, machine):
    """No process, mount, control group, account, directory or socket names the machine."""
    home = mortal.home
    assert not list(home.rglob(f"{machine}*"))
    accounts = home / "machines" / ".uids"
    if accounts.exists():
        assert machine not in {str(entry.readlink()) for entry in accounts.iterdir()}
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            assert machine.encode() not in words.read_bytes(), words
    assert machine not in Path("/proc/mounts").read_text()
    assert machine not in Path("/proc/net/unix").read_text()
    groups = Path("/sys/fs/cgroup")
    assert not [place for place, names, _ in os.walk(groups) for name in names if machine in name]


def nothing_is_owed(mortal):
    """The ledger holds no machine that may exist, and the audit chain is whole."""
    settings = Settings(home=mortal.home, environments_dir=ENVIRONMENTS, query_workers=0)
    rooms = wiring.build(settings, machines.backends(settings))
    runner = wiring.machine_runner(rooms, BareSurroundings(rooms))
    try:
        # An order that a killed process gave, and whose effect nobody saw, is closed by the sweeper after a grace.
        sweep_machines(rooms, grace_seconds=0)
        while runner.run_open():
            pass
        assert list(every(rooms.records, Resource, {"live": "live"})) == []
        assert rooms.operations.open() == ()
        assert rooms.audit.verify().intact
    finally:
        wiring.close(rooms)

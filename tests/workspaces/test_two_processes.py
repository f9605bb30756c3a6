"""Several processes look after the same workspaces at once, each with its own connections and runner."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta

import pytest
from tests.workspaces.world import World, product, with_parts

from atoll.errors import AtollError
from atoll.flows.converge_workspace import converge_workspaces, stories
from atoll.flows.poll_machines import poll_machines
from atoll.flows.surroundings import BareSurroundings
from atoll.flows.sweep_machines import sweep_machines
from atoll.model.record import utc_now
from atoll.model.workspace import Desired
from atoll.operations import Reconciler, Reconcilers, Runner
from atoll.providers.records import open_record_store
from atoll.providers.simulator import SeededFaults

RATES = {"refused": 0.03, "lost_answer": 0.05, "delay_seconds": 0.1, "unknown": 0.03, "stale_seconds": 0.1}


class FastClock:
    """Real time, twenty times as fast."""

    def __init__(self):
        self._begun = time.monotonic()
        self._from = utc_now()

    def now(self):
        return self._from + timedelta(seconds=20 * (time.monotonic() - self._begun))

    def forward(self, seconds):
        self._from += timedelta(seconds=seconds)


class Process:
    """What one process of the platform runs: workers and duties, in threads."""

    def __init__(self, world, store):
        self.store = store
        rooms = with_parts(world.rooms, records=store)
        self.runner = Runner(rooms.operations, stories(rooms, BareSurroundings(rooms)), workers=2, lease_seconds=60.0)
        self._stop = threading.Event()

        def duties():
            every = (converge_workspaces, poll_machines, lambda r: sweep_machines(r, 60.0))
            housekeeping = Reconcilers([Reconciler(str(n), 0.0, lambda d=d: d(rooms)) for n, d in enumerate(every)])
            while not self._stop.wait(0.05):
                housekeeping.run_due()

        self._thread = threading.Thread(target=duties)

    def __enter__(self):
        self.runner.start()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.runner.stop()
        self.store.close()


def wish(world, id, desired):
    for _ in range(20):
        try:
            world.wish(id, desired)
        except AtollError:
            continue
        return


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_two_processes_at_once(real_rooms, tmp_path, request, engine):
    url = request.getfixturevalue("postgres_url") if engine == "postgresql" else f"sqlite:///{tmp_path / 'records.db'}"
    faults = SeededFaults(7, RATES, longest_seconds=5.0)
    people = open_record_store(url)
    world = World(real_rooms, people, clock=FastClock(), faults=faults)
    chance = random.Random(7)
    with Process(world, open_record_store(url)), Process(world, open_record_store(url)):
        for _ in range(8):
            world.launch()
        end = time.monotonic() + 4
        while time.monotonic() < end:
            wish(world, chance.choice(world.ids), chance.choice((Desired.RUNNING, Desired.HIBERNATED, Desired.STOPPED)))
            time.sleep(0.1)
            # What a worker that lost a race leaves is mended; twins are never made.
            assert not world.backend.doubled
        faults.rates = {}
        for id in world.ids:
            wish(world, id, Desired.TERMINATED)
        give_up = time.monotonic() + 40
        while time.monotonic() < give_up:
            if all(world.get(id).terminated_at for id in world.ids) and not world.backend.machines:
                break
            time.sleep(0.1)
    assert not world.backend.doubled
    world.check_all_gone()
    assert product("jupyter").id == "jupyter@1"
    people.close()

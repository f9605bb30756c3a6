"""A world in virtual time: people who wish, a backend that fails, a platform whose process dies."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from atoll.errors import VersionConflict
from atoll.flows.claim_warm import claim, ready_machine
from atoll.flows.converge_workspace import converge_workspaces, stories
from atoll.flows.keep_warm import keep_warm
from atoll.flows.poll_machines import poll_machines
from atoll.flows.surroundings import BareSurroundings
from atoll.flows.sweep_machines import sweep_machines
from atoll.ledger import AuditTrail
from atoll.model.operation import Operation
from atoll.model.record import new_id
from atoll.model.workspace import (
    Desired,
    MachineState,
    Observed,
    Product,
    ProductState,
    ProductVersion,
    Resource,
    WarmMachine,
    Workspace,
)
from atoll.operations import Operations, Runner
from atoll.operations.live import LiveOperation
from atoll.ports.records import Put
from atoll.providers.simulator import NoFaults, ProcessDied, SeededFaults, SimulatedBackend
from atoll.workspaces.catalog import Catalog
from atoll.workspaces.lifecycle import MEETS, settled

LEASE_SECONDS = 30.0
GRACE_SECONDS = 60.0
RATES = {
    "refused": 0.08,
    "lost_answer": 0.12,
    "delay_seconds": 0.12,
    "again_after_seconds": 0.08,
    "dies_after_seconds": 0.08,
    "vanishes": 0.3,
    "unknown": 0.08,
    "stale_seconds": 0.15,
    "process_dies": 0.02,
}


class MovableClock:
    def __init__(self):
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self):
        return self.time

    def forward(self, seconds):
        self.time += timedelta(seconds=seconds)


class MortalStore:
    """The process dies before or after any of its writes, by chance."""

    def __init__(self, store, chance):
        self._store = store
        self._random = random.Random(0)
        self.rate = 0.0
        self.seed = chance

    def reseed(self, seed, rate):
        self._random = random.Random(seed)
        self.rate = rate

    def transact(self, writes):
        die = self._random.choice(("before", "after")) if self._random.random() < self.rate else ""
        if die == "before":
            raise ProcessDied
        self._store.transact(writes)
        if die == "after":
            raise ProcessDied

    def put(self, record):
        self.transact([Put(record)])
        return record.model_copy(update={"version": record.version + 1})

    def __getattr__(self, name):
        return getattr(self._store, name)


def product(name="jupyter", service="jupyter", fallback=None, warm_pool=None):
    return ProductVersion(
        id=f"{name}@1",
        name=name,
        number=1,
        text="",
        product=Product(
            name=name,
            title=name,
            environment="jupyter",
            service=service,
            sizes=("m5.large",),
            fallback=fallback or {},
            warm_pool=warm_pool or {},
        ),
        published_by="steward",
        published_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def with_parts(rooms, *, clock=None, records=None, backends=None):
    """The same rooms on another clock, store or backends."""
    clock = clock or rooms.clock
    records = records or rooms.records
    return dataclasses.replace(
        rooms,
        clock=clock,
        records=records,
        audit=AuditTrail(records, clock),
        operations=Operations(records, clock),
        catalog=Catalog(records, clock),
        backends=rooms.backends if backends is None else backends,
    )


class World:
    """Rooms, a clock, a simulated backend, and one process that runs the platform."""

    def __init__(self, rooms, store, *, faults=None, clock=None, warm=0, **backend):
        self.clock = clock or MovableClock()
        self.store = MortalStore(store, 0)
        self.backend = SimulatedBackend(self.clock, faults or NoFaults(), **backend)
        self.rooms = with_parts(rooms, clock=self.clock, records=self.store, backends={"simulator": self.backend})
        self.ids = []
        self.wishes = {}
        self.deaths = 0
        #: Of the launches how many took a machine that was ready.
        self.quick = 0
        #: Called while a step waits: what others do meanwhile.
        self.meanwhile = lambda: None
        kept = {"m5.large": warm} if warm else {}
        for version in (
            product(warm_pool=kept),
            product("batch", "batch"),
            product("sleepy", fallback={"hibernate": "stop"}),
        ):
            store.put(version)
        self.new_process()

    def new_process(self):
        """A process that knows nothing but what is on record."""
        self.around = BareSurroundings(self.rooms)
        self.runner = Runner(
            self.rooms.operations, stories(self.rooms, self.around), workers=0, lease_seconds=LEASE_SECONDS
        )

    def launch(self, product="jupyter", desired=Desired.RUNNING, size="m5.large"):
        """As a person does; not the platform's process, so it does not die of it."""
        now = self.clock.now()
        outside = dataclasses.replace(self.rooms, records=self.store._store)
        version = self.store.get(ProductVersion, f"{product}@1")
        ready = ready_machine(outside, version, self.rooms.catalog.size(size), "simulator", {})
        workspace = Workspace(
            id=new_id("wsp") if ready is None else ready.id,
            name="w",
            owner="per_1",
            owner_login="ada",
            project="heart",
            product=f"{product}@1",
            size=size,
            backend="simulator",
            eur_per_hour=Decimal("0.0875"),
            created_at=now,
            expires_at=now + timedelta(days=30),
            desired=desired,
            desired_because="asked by ada",
            observed=Observed(at=now),
        )
        self.store._store.transact([Put(workspace), *(() if ready is None else claim(outside, ready, workspace))])
        self.quick += ready is not None
        assert workspace.id not in self.ids
        self.ids.append(workspace.id)
        self.wishes[workspace.id] = desired
        return workspace.id

    def get(self, id):
        return self.store.get(Workspace, id)

    def wish(self, id, desired, **more):
        """Somebody wants something; not the platform's process, so it does not die of it."""
        while True:
            workspace = self.get(id)
            if workspace.desired is Desired.TERMINATED:
                return
            changed = workspace.but(
                desired=desired, desired_because="asked by ada", generation=workspace.generation + 1, **more
            )
            try:
                self.store._store.put(changed)
            except VersionConflict:
                continue
            self.wishes[id] = desired
            return

    def do(self, duty):
        """One duty of the platform; when the process dies in it, another is started later."""
        try:
            return duty()
        except ProcessDied:
            self.deaths += 1
            self.clock.forward(LEASE_SECONDS + 1)
            self.new_process()
            return 0

    def converge(self):
        return self.do(lambda: converge_workspaces(self.rooms))

    def work(self):
        return self.do(self.runner.run_open)

    def poll(self):
        return self.do(lambda: poll_machines(self.rooms))

    def sweep(self):
        return self.do(lambda: sweep_machines(self.rooms, GRACE_SECONDS))

    def keep_warm(self):
        return self.do(lambda: keep_warm(self.rooms, self.around, grace_seconds=GRACE_SECONDS))

    def waiting(self):
        return self.store.find(WarmMachine, where={"waiting": "waiting"}, limit=1000).records

    def no_more_pools(self):
        """The product is retired, so nothing is kept ready."""
        version = self.store.get(ProductVersion, "jupyter@1")
        self.store._store.put(version.but(state=ProductState.RETIRED))

    def round(self, seconds=2.0):
        self.keep_warm()
        self.poll()
        self.converge()
        self.work()
        self.sweep()
        self.clock.forward(seconds)

    def calm(self):
        """Nothing goes wrong any more."""
        self.store.reseed(0, 0.0)
        if isinstance(self.backend.faults, SeededFaults):
            self.backend.faults.rates = {}

    def rounds_until(self, reached, at_most=400, seconds=2.0):
        for _ in range(at_most):
            if reached():
                return
            self.round(seconds)
        raise AssertionError(f"not reached in {at_most} rounds: {self.story()}")

    # -- what must hold

    def open_operations(self):
        return self.rooms.operations.open()

    def quiet(self):
        """Nothing is under way, and every workspace is as is wanted, or has been given up with its reason."""
        last = self.backend.last_event_at
        return (
            (last is None or last <= self.clock.now())
            and not self.open_operations()
            and all(self._at_rest(self.get(id)) for id in self.ids)
        )

    def _at_rest(self, workspace):
        if workspace.observed.state is not self.backend.truth(workspace.id) and workspace.terminated_at is None:
            return False
        if settled(workspace):
            return True
        if workspace.desired is Desired.TERMINATED or workspace.operation_id is None:
            return False
        operation = self.store.get(Operation, workspace.operation_id)
        return (
            operation.failure is not None
            and operation.params["generation"] == workspace.generation
            and (operation.failure.error_code == "limit_exceeded" or self.failures(workspace) >= 3)
        )

    def failures(self, workspace):
        found = self.rooms.operations.find(subject=f"workspace/{workspace.id}").records
        return sum(
            1
            for o in found
            if o.params["generation"] == workspace.generation
            and o.failure is not None
            and o.failure.error_code != "cancelled"
        )

    def check_always(self):
        subjects = Counter(o.subject for o in self.open_operations())
        assert all(count == 1 for count in subjects.values()), subjects
        assert not self.backend.doubled, self.backend.doubled
        for machine in self.backend.machines.values():
            # On record before the backend was asked: `get` raises otherwise.
            assert self.store.get(Resource, machine.spec.token).workspace == machine.spec.workspace
            assert machine.claims <= 1
            if machine.claims:
                # Given to somebody only after a launch had taken it.
                assert self.store.get(WarmMachine, machine.spec.workspace).claimed_at is not None
        for waiting in self.waiting():
            assert waiting.id not in self.ids, waiting
        for id in self.ids:
            machine = self.backend.machines.get(id)
            if machine is not None and machine.here.anonymous:
                assert self.get(id).observed.state is not MachineState.RUNNING, (
                    "it runs for its owner, without their data"
                )

    def check_agreement(self):
        """Records say what is true, and what is true is what is wanted."""
        self.sweep()
        rows = self.store.find(Resource, where={"live": "live"}, limit=1000).records
        for id in self.ids:
            workspace = self.get(id)
            if workspace.terminated_at is not None:
                # What an order from before may still make waits for its grace: see `check_all_gone`.
                continue
            truth = self.backend.truth(id)
            assert workspace.observed.state is truth, (workspace, truth)
            mine = [row for row in rows if row.workspace == id and row.seen_at is not None]
            assert len(mine) <= 1, mine
            machine = self.backend.machines.get(id)
            if machine is not None:
                assert [row.id for row in mine] == [machine.spec.token]
            if settled(workspace):
                assert truth in MEETS[workspace.desired]
                # Whoever has a machine has their own data in it.
                assert machine is None or not machine.here.anonymous
            if workspace.desired is not self.wishes[id]:
                assert workspace.desired_because not in ("", "asked by ada"), workspace
            self.check_stream(workspace)

    def check_stream(self, workspace):
        """The transitions are a chain from one state to the next, ending at what is seen."""
        entries = [e.body for e in self.store.read(f"workspace/{workspace.id}")]
        before = "absent"
        for entry in entries:
            assert entry["from"] == before, entries
            before = entry["to"]
        if workspace.terminated_at is not None:
            assert before == "terminated"
        elif entries:
            assert before == workspace.observed.state.value

    def check_all_gone(self):
        """After the grace in which orders under way take effect, there is nothing left anywhere."""
        self.no_more_pools()
        for _ in range(4):
            self.round(GRACE_SECONDS)
        assert not self.backend.machines, self.backend.machines
        assert not self.backend.homes, self.backend.homes
        assert not self.store.find(Resource, where={"live": "live"}).records
        assert not self.open_operations()
        assert not self.waiting()
        for id in self.ids:
            workspace = self.get(id)
            assert workspace.terminated_at is not None
            assert workspace.observed_generation == workspace.generation
            self.check_stream(workspace)

    def story(self):
        lines = []
        for id in self.ids:
            w = self.get(id)
            lines.append(f"{id} {w.desired} {w.observed.state} generation {w.generation} met {w.observed_generation}")
            lines.append(f"   gone {w.terminated_at} truth {self.backend.truth(id)}")
            if w.operation_id:
                o = self.store.get(Operation, w.operation_id)
                lines.append(f"   {o.story} {o.state} attempt {o.attempt} failure={o.failure} steps={o.steps}")
        return "\n".join(lines)


def virtual_waits(monkeypatch, world_of):
    """Steps that wait move virtual time, in which others do things."""

    def wait(live, seconds):
        world = world_of()
        world.clock.forward(seconds)
        world.meanwhile()
        live.check()

    monkeypatch.setattr(LiveOperation, "wait", wait)

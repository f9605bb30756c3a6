"""One workspace, one thing that happens to it."""

from __future__ import annotations

import dataclasses

import pytest
from tests.workspaces.world import LEASE_SECONDS, World

from atoll.errors import Unavailable
from atoll.model.operation import Operation, OperationState
from atoll.model.workspace import Desired, HibernateKind, MachineState, Resource
from atoll.providers.simulator import Fault, NoFaults, ProcessDied
from atoll.providers.simulator.backend import CAPABILITIES
from atoll.workspaces.displayed import displayed


class Scripted:
    """Faults as a test says, call by call; then none."""

    def __init__(self, **by_call):
        self.by_call = {call: list(faults) for call, faults in by_call.items()}
        self.calls = []

    def draw(self, call):
        self.calls.append(call)
        waiting = self.by_call.get(call)
        return waiting.pop(0) if waiting else Fault()


def shown(world, id):
    workspace = world.get(id)
    operation = world.store.get(Operation, workspace.operation_id) if workspace.operation_id else None
    return displayed(workspace, operation, world.clock.now())


def brought_to(world, desired, product="jupyter"):
    id = world.launch(product)
    world.rounds_until(world.quiet)
    if desired is not Desired.RUNNING:
        world.wish(id, desired)
        world.rounds_until(world.quiet)
    return id


def live_rows(world):
    return world.store.find(Resource, where={"live": "live"}).records


def test_launch_hibernate_wake_stop_start_terminate(world):
    id = world.launch()
    assert shown(world, id).word == "provisioning"
    world.rounds_until(world.quiet)
    assert shown(world, id).word == "running"
    for desired, word in (
        (Desired.HIBERNATED, "hibernated"),
        (Desired.RUNNING, "running"),
        (Desired.STOPPED, "stopped"),
        (Desired.RUNNING, "running"),
    ):
        world.wish(id, desired)
        world.rounds_until(world.quiet)
        assert shown(world, id).word == word
        world.check_agreement()
    world.wish(id, Desired.TERMINATED)
    world.rounds_until(world.quiet)
    world.check_all_gone()
    states = [e.body["to"] for e in world.store.read(f"workspace/{id}")]
    assert states == [
        "starting", "running", "frozen", "running", "stopped", "starting", "running", "absent", "terminated",
    ]  # fmt: skip
    stories = [o.story for o in world.rooms.operations.find(subject=f"workspace/{id}").records]
    assert sorted(stories) == sorted(
        ["start_workspace", "hibernate_workspace", "wake_workspace", "stop_workspace", "start_workspace",
         "terminate_workspace"]
    )  # fmt: skip


def test_the_ledger_row_stands_before_the_backend_is_asked(new_world):
    world = new_world(faults=Scripted(create=[Fault(process_dies="before")]))
    world.launch()
    world.converge()
    world.work()
    assert world.deaths == 1
    assert not world.backend.machines
    assert [row.seen_at for row in live_rows(world)] == [None]


def test_a_lost_answer_is_looked_at_and_makes_no_second_machine(new_world):
    faults = Scripted(create=[Fault(lost_answer=True)])
    world = new_world(faults=faults)
    world.launch()
    world.rounds_until(world.quiet)
    assert faults.calls.count("create") == 1
    assert len(live_rows(world)) == 1


def test_an_order_that_takes_effect_late_is_given_again_under_the_same_token(new_world):
    world = new_world(faults=Scripted(create=[Fault(lost_answer=True, delay_seconds=20), Fault(delay_seconds=30)]))
    id = world.launch()
    world.rounds_until(world.quiet)
    (row,) = world.store.find(Resource, where={"workspace": id}).records
    assert world.backend.machines[id].spec.token == row.id


def test_an_order_under_way_is_remembered_through_another_wish(new_world):
    """Stopped and wanted again before it took effect: no second token, so no second machine."""
    world = new_world(faults=Scripted(create=[Fault(lost_answer=True, delay_seconds=40)] * 3))
    id = world.launch()
    world.converge()
    world.work()
    for desired in (Desired.STOPPED, Desired.RUNNING):
        world.wish(id, desired)
        world.rounds_until(lambda: not world.get(id).unmet)
    assert world.backend.last_event_at > world.clock.now()
    world.rounds_until(world.quiet)
    world.check_always()
    assert len(world.store.find(Resource, where={"workspace": id}).records) == 1


def test_a_machine_that_comes_and_goes_after_the_end_leaves_no_home(new_world):
    gone_unseen = Fault(lost_answer=True, delay_seconds=40, dies_after_seconds=0.0, vanishes=True)
    world = new_world(faults=Scripted(create=[gone_unseen] * 2))
    id = world.launch()
    world.converge()
    world.work()
    world.wish(id, Desired.TERMINATED)
    world.rounds_until(lambda: world.get(id).terminated_at)
    assert world.backend.last_event_at > world.clock.now()
    world.rounds_until(world.quiet)
    assert world.backend.homes == {id}
    world.check_all_gone()


def test_a_token_that_was_used_up_unseen_is_not_used_for_ever(new_world):
    world = new_world(faults=Scripted(create=[Fault(dies_after_seconds=0.0, vanishes=True)]))
    id = world.launch()
    world.rounds_until(lambda: world.backend.truth(id) is MachineState.RUNNING)
    world.rounds_until(world.quiet)
    assert world.failures(world.get(id)) == 1


@pytest.mark.parametrize("moment", ["queued", "booting", "running", "frozen", "stopped", "unknown", "away", "failed"])
def test_terminate_is_possible_from_every_state(new_world, moment):
    world = new_world(capacity=0 if moment == "failed" else None, boot_seconds=300.0 if moment == "booting" else 3.0)
    id = world.launch()
    if moment == "booting":
        world.converge()
        world.work()
        assert shown(world, id).word == "provisioning"
    elif moment == "failed":
        world.rounds_until(world.quiet)
        assert shown(world, id).word == "failed"
        assert "no room" in shown(world, id).reason
    elif moment != "queued":
        world.rounds_until(world.quiet)
        if moment in ("frozen", "stopped"):
            world.wish(id, Desired.HIBERNATED if moment == "frozen" else Desired.STOPPED)
            world.rounds_until(world.quiet)
    if moment == "unknown":
        world.backend.faults = Scripted(observe=[Fault(unknown=True)] * 20)
    if moment == "away":
        world.backend.faults = Scripted(**{call: [Fault(refused=True)] * 9 for call in ("observe", "destroy")})
    world.wish(id, Desired.TERMINATED)
    assert shown(world, id).word == "terminating"
    world.rounds_until(world.quiet)
    world.check_all_gone()


@pytest.mark.parametrize("then", [Desired.TERMINATED, Desired.STOPPED, Desired.HIBERNATED])
def test_a_newer_wish_stops_what_runs_at_its_next_safe_point(new_world, then):
    world = new_world(boot_seconds=100.0)
    id = world.launch()
    world.meanwhile = lambda: world.wish(id, then) if world.get(id).generation == 1 else None
    world.converge()
    began = world.clock.now()
    world.work()
    # Long before the machine would have answered.
    assert (world.clock.now() - began).total_seconds() < 5
    (first,) = world.rooms.operations.find(subject=f"workspace/{id}").records
    assert first.state is OperationState.CANCELLED
    world.rounds_until(world.quiet)
    if then is Desired.TERMINATED:
        world.check_all_gone()
    else:
        world.check_agreement()
        assert world.get(id).desired is then


def test_a_machine_that_hangs_holds_nobody_up(new_world):
    world = new_world(boot_seconds=10_000.0)
    for _ in range(3):
        world.launch()
    world.converge()
    began = world.clock.now()
    assert world.work() == 3
    # One worker looked after all three, and gave each back.
    assert (world.clock.now() - began).total_seconds() < 15
    assert all(o.lease is None and o.attempt == 0 for o in world.open_operations())
    assert {o.state for o in world.open_operations()} == {OperationState.RUNNING}


def test_many_at_once_wait_for_one_worker_and_none_fails_of_it(new_world):
    """All in all longer than any step may take."""
    world = new_world(boot_seconds=20.0)
    for _ in range(150):
        world.launch()
    world.rounds_until(world.quiet)
    operations = [o for id in world.ids for o in world.rooms.operations.find(subject=f"workspace/{id}").records]
    assert len(operations) == 150
    assert all(o.state is OperationState.SUCCEEDED for o in operations)
    assert (world.clock.now() - operations[0].created_at).total_seconds() > 400


def test_a_start_that_never_answers_fails_and_leaves_nothing(new_world):
    world = new_world(boot_seconds=100_000.0)
    id = world.launch()
    world.rounds_until(lambda: shown(world, id).word == "failed" and world.failures(world.get(id)) == 3, seconds=20.0)
    for _ in range(10):
        world.round(600.0)
    assert shown(world, id).word == "failed"
    assert not world.backend.machines
    assert not live_rows(world)
    assert world.backend.homes == {id}
    assert world.failures(world.get(id)) == 3


def test_memory_lost_at_a_host_restart_is_stopped_with_the_reason_and_can_be_started(world):
    id = brought_to(world, Desired.HIBERNATED)
    world.backend.restart_host()
    world.rounds_until(world.quiet)
    world.round()
    assert shown(world, id).word == "stopped"
    assert "memory was lost" in shown(world, id).reason
    world.wish(id, Desired.RUNNING)
    world.rounds_until(world.quiet)
    assert shown(world, id).word == "running"
    world.check_agreement()


def test_a_running_machine_is_started_again_after_a_host_restart(world):
    id = brought_to(world, Desired.RUNNING)
    world.backend.restart_host()
    world.rounds_until(lambda: world.quiet() and world.backend.truth(id) is MachineState.RUNNING)
    begun = [e.body for e in world.store.read(f"workspace/{id}") if e.body["to"] == "stopped"]
    assert begun[0]["because"] == "The host was restarted."


@pytest.mark.parametrize(("product", "word"), [("sleepy", "stopped"), ("jupyter", "running")])
def test_hibernation_falls_back_as_the_product_says(new_world, product, word):
    world = new_world(capabilities=dataclasses.replace(CAPABILITIES, hibernate=HibernateKind.NONE))
    id = brought_to(world, Desired.HIBERNATED, product)
    assert shown(world, id).word == word
    assert "cannot hibernate" in shown(world, id).reason
    assert any(e.event.action == "workspace.settle" for e in world.rooms.audit.tail())


def test_a_batch_job_runs_once(world):
    id = brought_to(world, Desired.RUNNING, "batch")
    world.rounds_until(lambda: world.get(id).observed.exit_status == 0)
    for _ in range(20):
        world.round()
    assert shown(world, id).word == "stopped"
    assert "exit status 0" in shown(world, id).reason
    assert len(world.store.find(Resource, where={"workspace": id}).records) == 1


def test_resize_live(world):
    id = brought_to(world, Desired.RUNNING)
    world.wish(id, Desired.RUNNING, size="m5.xlarge")
    world.rounds_until(world.quiet)
    assert [row.size for row in live_rows(world)] == ["m5.xlarge"]
    assert world.store.get(Operation, world.get(id).operation_id).story == "resize_workspace"


def test_a_backend_that_does_not_answer_is_unknown_and_nothing_is_done(world):
    id = brought_to(world, Desired.RUNNING)
    world.backend.faults = Scripted(list_machines=[Fault(refused=True)])
    world.poll()
    assert shown(world, id).word == "unknown"
    assert world.converge() == 0
    world.poll()
    assert shown(world, id).word == "running"


def test_one_workspaces_error_stops_no_other(world, monkeypatch):
    """Its product cannot be read."""
    broken, well = world.launch(desired=Desired.HIBERNATED), world.launch()
    stored = world.get(broken)
    world.store.put(stored.but(product="nothing@1"))
    world.rounds_until(lambda: world.backend.truth(well) is MachineState.RUNNING)
    assert world.backend.truth(broken) is MachineState.ABSENT


def test_somebody_who_is_faster_with_one_workspace_delays_no_other(world, monkeypatch):
    first, second = world.launch(), world.launch()
    beneath = world.store.transact
    raced = []

    def transact(writes):
        if not raced:
            raced.append(True)
            world.wish(first, Desired.STOPPED)
        beneath(writes)

    monkeypatch.setattr(world.store, "transact", transact)
    assert world.converge() == 1
    (operation,) = world.open_operations()
    assert operation.subject == f"workspace/{second}"
    assert world.get(first).operation_id is None


def test_a_backend_that_is_not_plugged_in_is_told(world):
    id = world.launch()
    world.store.put(world.get(id).but(backend="elsewhere"))
    world.poll()
    assert shown(world, id).word == "unknown"
    assert "elsewhere" in shown(world, id).reason


def test_an_operation_taken_over_by_another_process_is_left_alone(new_world):
    """A worker that slept past its lease asks the backend for nothing more."""
    world = new_world(boot_seconds=100.0, faults=(faults := Scripted()))
    world.launch()
    world.converge()
    other = World.__new__(World)
    other.__dict__.update(world.__dict__)
    other.new_process()
    taken = []

    def meanwhile():
        if not taken:
            taken.append(True)
            world.clock.forward(LEASE_SECONDS + 1)
            # The other process claims it, and dies at once.
            world.backend.faults = Scripted(observe=[Fault(process_dies="before")])
            with pytest.raises(ProcessDied):
                other.runner.run_open()
            world.backend.faults = faults
            faults.calls.clear()

    world.meanwhile = meanwhile
    world.work()
    assert taken
    assert faults.calls == []


class Dying(NoFaults):
    """The process dies at the n-th call of the backend."""

    def __init__(self, at, when):
        self.left = at
        self.when = when

    def draw(self, call):
        self.left -= 1
        return Fault(process_dies=self.when if self.left == 0 else "")


def through_life(world):
    id = world.launch()
    for desired in (Desired.RUNNING, Desired.HIBERNATED, Desired.RUNNING, Desired.STOPPED, Desired.RUNNING):
        if desired is not world.get(id).desired:
            world.wish(id, desired)
        world.rounds_until(world.quiet)
        world.check_always()
        world.check_agreement()
    world.wish(id, Desired.TERMINATED)
    world.rounds_until(world.quiet)
    world.check_all_gone()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_at_any_call_of_the_backend(new_world, when):
    for at in range(1, 200):
        faults = Dying(at, when)
        world = new_world()
        world.backend.faults = faults
        through_life(world)
        if faults.left > 0:
            break
    assert 20 < at < 199
    assert world.deaths == 0


class DyingStore:
    def __init__(self, store, at, when):
        self._store, self.left, self.when = store, at, when

    def transact(self, writes):
        self.left -= 1
        if self.left == 0 and self.when == "before":
            raise ProcessDied
        self._store.transact(writes)
        if self.left == 0:
            raise ProcessDied

    def __getattr__(self, name):
        return getattr(self._store, name)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_at_any_write(new_world, when):
    for at in range(1, 400):
        world = new_world()
        # People write to the store beneath: only the platform's process dies.
        dying = DyingStore(world.store._store, at, when)
        world.store.transact = dying.transact
        through_life(world)
        if dying.left > 0:
            break
    assert 30 < at < 399
    assert world.deaths == 0


def test_the_scripts_of_these_tests_are_played(new_world):
    faults = Scripted(observe=[Fault(refused=True)])
    world = new_world(faults=faults)
    with pytest.raises(Unavailable):
        world.backend.observe("wsp_1")
    assert faults.calls == ["observe"]

from __future__ import annotations

import threading

import pytest

from atoll.errors import AlreadyExists, Conflict, InvalidInput, Unavailable
from atoll.model.operation import OperationState
from atoll.model.person import PLATFORM
from atoll.operations import Operations, Runner, Story


class Tale:
    """A story of three steps that can be told to fail, counting what is done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.abandoned: list[str] = []
        self.faults: dict[str, list[BaseException]] = {}
        self.abandon_faults: list[BaseException] = []
        self.during = None

    def step(self, name):
        def run(context):
            if self.during is not None:
                self.during(name, context)
            if self.faults.get(name):
                raise self.faults[name].pop(0)
            self.done.append(name)
            return {"by": name}

        return run

    def abandon(self, context, failure):
        if self.abandon_faults:
            raise self.abandon_faults.pop(0)
        self.abandoned.append(failure.error_code)

    def story(self) -> Story:
        return Story("tale", tuple((n, self.step(n)) for n in ("a", "b", "c")), self.abandon)


@pytest.fixture
def tale():
    return Tale()


@pytest.fixture
def runner(operations, tale):
    return Runner(operations, {"tale": tale.story()}, workers=0, lease_seconds=30)


def start(operations: Operations, records, subject="thing/1", **changes):
    operation = operations.plan(
        story="tale", subject=subject, steps=("a", "b", "c"), caller=PLATFORM, deadline_seconds=3600
    ).but(**changes)
    return records.put(operation)


def test_steps_are_done_in_order_and_their_outputs_kept(operations, records, runner, tale):
    operation = start(operations, records)
    assert operation.state is OperationState.QUEUED
    assert runner.run_open() == 1
    ended = operations.get(operation.id)
    assert tale.done == ["a", "b", "c"]
    assert ended.state is OperationState.SUCCEEDED
    assert ended.progress == 1.0
    assert [s.output for s in ended.steps] == [{"by": "a"}, {"by": "b"}, {"by": "c"}]
    assert runner.run_open() == 0


def test_a_transient_error_is_tried_again_from_the_step_that_failed(operations, records, runner, tale, clock):
    tale.faults["b"] = [Unavailable("The disk is away.")]
    operation = start(operations, records)
    runner.run_open()
    waiting = operations.get(operation.id)
    assert waiting.state is OperationState.RETRYING
    assert waiting.failure is not None
    assert waiting.failure.error_code == "unavailable"
    assert runner.run_open() == 0, "not before its time"
    clock.forward(10)
    runner.run_open()
    assert operations.get(operation.id).state is OperationState.SUCCEEDED
    assert operations.get(operation.id).failure is None
    assert tale.done == ["a", "b", "c"], "a was not done twice"


def test_a_permanent_error_fails_cleanly_at_once(operations, records, runner, tale):
    tale.faults["b"] = [InvalidInput("No such column.", where="x")]
    operation = start(operations, records)
    runner.run_open()
    ended = operations.get(operation.id)
    assert ended.state is OperationState.FAILED
    assert ended.failure is not None
    assert ended.failure.step == "b"
    assert tale.abandoned == ["invalid_input"]
    assert tale.done == ["a"]


def test_attempts_run_out(operations, records, runner, tale, clock):
    tale.faults["a"] = [Unavailable("away")] * 20
    operation = start(operations, records, max_attempts=3)
    for _ in range(10):
        runner.run_open()
        clock.forward(600)
    ended = operations.get(operation.id)
    assert ended.state is OperationState.FAILED
    assert ended.attempt == 3
    assert tale.abandoned == ["unavailable"]


def test_the_text_of_an_unexpected_error_is_kept_nowhere(operations, records, runner, tale, caplog):
    tale.faults["a"] = [ValueError("Jane Doe 999-17-5017")]
    operation = start(operations, records)
    runner.run_open()
    held = operations.get(operation.id)
    assert held.failure is not None
    assert held.failure.message == "Unexpected ValueError."
    assert "Jane" not in held.model_dump_json()
    assert all("Jane" not in str(e.body) for e in operations.log(operation.id))


def test_a_lost_worker_is_taken_over_after_its_lease(operations, records, runner, tale, clock):
    operation = start(operations, records)
    from datetime import timedelta

    from atoll.model.operation import Lease

    operations.claim(operation, Lease(owner="dead", until=clock.now() + timedelta(seconds=30)))
    assert runner.run_open() == 0
    clock.forward(31)
    assert runner.run_open() == 1
    assert operations.get(operation.id).state is OperationState.SUCCEEDED


def test_a_worker_that_lost_its_lease_writes_nothing_more(operations, records, runner, tale, clock):
    from datetime import timedelta

    from atoll.model.operation import Lease

    operation = start(operations, records)

    def steal(name, context):
        if name == "b":
            thief = Lease(owner="thief", until=clock.now() + timedelta(seconds=30))
            operations.update(operation.id, lambda o: o.but(lease=thief))

    tale.during = steal
    runner.run_open()
    held = operations.get(operation.id)
    assert held.lease is not None
    assert held.lease.owner == "thief"
    assert [s.done for s in held.steps] == [True, False, False]
    assert tale.abandoned == []


def test_cancel_stops_at_the_next_safe_point_and_cleans_up(operations, records, runner, tale):
    operation = start(operations, records)

    def ask(name, context):
        if name == "a":
            operations.cancel(operation.id)

    tale.during = ask
    runner.run_open()
    assert operations.get(operation.id).state is OperationState.CANCELLED
    assert tale.done == ["a"]
    assert tale.abandoned == ["cancelled"]
    with pytest.raises(Conflict):
        operations.cancel(operation.id)


def test_the_deadline_fails_it(operations, records, runner, tale, clock):
    operation = start(operations, records)
    clock.forward(3601)
    runner.run_open()
    ended = operations.get(operation.id)
    assert ended.state is OperationState.FAILED
    assert ended.failure is not None
    assert ended.failure.error_code == "deadline_passed"


def test_a_failing_clean_up_keeps_it_open_until_it_succeeds(operations, records, runner, tale, clock):
    tale.faults["a"] = [InvalidInput("wrong")]
    tale.abandon_faults = [Unavailable("away"), OSError("away")]
    operation = start(operations, records)
    runner.run_open()
    assert operations.get(operation.id).open
    for _ in range(3):
        clock.forward(60)
        runner.run_open()
    assert operations.get(operation.id).state is OperationState.FAILED
    assert tale.abandoned == ["invalid_input"]
    assert tale.done == []


def test_one_open_operation_for_a_subject(operations, records, runner):
    start(operations, records)
    with pytest.raises(AlreadyExists):
        start(operations, records)
    start(operations, records, subject="thing/2")
    runner.run_open()
    start(operations, records)


def test_a_graceful_stop_costs_no_attempt_and_the_next_runner_goes_on(operations, records, tale):
    operation = start(operations, records)
    first = Runner(operations, {"tale": tale.story()}, workers=1, lease_seconds=30)
    reached = threading.Event()

    def linger(name, context):
        if name == "b" and not reached.is_set():
            reached.set()
            while True:
                context.wait(0.05)

    tale.during = linger
    first.start()
    assert reached.wait(10)
    first.stop()
    held = operations.get(operation.id)
    assert held.lease is None
    assert held.attempt == 0
    second = Runner(operations, {"tale": tale.story()}, workers=0, lease_seconds=30)
    second.run_open()
    assert operations.get(operation.id).state is OperationState.SUCCEEDED
    assert tale.done == ["a", "b", "c"]


def test_a_long_step_keeps_its_lease(records, tale):
    from atoll.providers.clock import SystemClock

    operations = Operations(records, SystemClock())
    operation = start(operations, records)
    seen: list[bool] = []

    def slow(name, context):
        if name == "a":
            other = Runner(operations, {"tale": tale.story()}, workers=0, lease_seconds=0.6)
            for _ in range(15):
                context.wait(0.1)
                seen.append(other.run_open() == 0)

    tale.during = slow
    Runner(operations, {"tale": tale.story()}, workers=0, lease_seconds=0.6).run_open()
    assert all(seen)
    assert operations.get(operation.id).state is OperationState.SUCCEEDED
    assert tale.done == ["a", "b", "c"]


def test_progress_and_log_are_on_record(operations, records, runner, tale, clock):
    operation = start(operations, records)
    halves: list[float] = []

    def tell(name, context):
        clock.forward(2)
        context.progress(0.5)
        halves.append(operations.get(operation.id).progress)
        context.say("Half of it.", step=name)

    tale.during = tell
    runner.run_open()
    assert halves == pytest.approx([0.5 / 3, 1.5 / 3, 2.5 / 3])
    messages = [e.body["message"] for e in operations.log(operation.id)]
    assert messages.count("Half of it.") == 3
    assert messages[-1] == "Done."

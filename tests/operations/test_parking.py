"""A step that waits for something outside gives its worker back."""

from __future__ import annotations

from atoll.model.operation import OperationState
from atoll.model.person import PLATFORM
from atoll.operations import Runner, Story


def plan(operations, records, subject="thing/1"):
    return records.put(
        operations.plan(story="wait", subject=subject, steps=("ask", "done"), caller=PLATFORM, deadline_seconds=60)
    )


def runner_of(operations, ask, abandoned=None):
    def abandon(_, failure):
        (abandoned if abandoned is not None else []).append(failure.error_code)

    story = Story(name="wait", steps=(("ask", ask), ("done", lambda c: dict(c.output("ask")))), abandon=abandon)
    return Runner(operations, {"wait": story}, workers=0, lease_seconds=30.0)


def test_a_parked_step_is_run_again_later_with_its_notes_and_uses_no_attempt(operations, records, clock):
    seen = []

    def ask(context):
        seen.append(dict(context.output("ask")))
        if len(seen) < 20:
            context.park(5.0, {"turn": len(seen)})
        return {"turns": len(seen)}

    made = plan(operations, records)
    runner = runner_of(operations, ask)
    assert runner.run_open() == 1
    parked = operations.get(made.id)
    assert parked.lease is None
    assert parked.attempt == 0
    assert parked.state is OperationState.RUNNING
    assert runner.run_open() == 0
    for _ in range(19):
        clock.forward(3)
        if operations.get(made.id).deadline <= clock.now():
            break
        clock.forward(2)
        runner.run_open()
    ended = operations.get(made.id)
    assert seen[:3] == [{}, {"turn": 1}, {"turn": 2}]
    # The deadline holds for parked work too.
    assert ended.failure is None or ended.failure.error_code == "deadline_passed"
    assert len(seen) == 12


def test_a_parked_operation_ends_when_it_goes_on(operations, records, clock):
    turns = []

    def ask(context):
        turns.append(1)
        if len(turns) == 1:
            context.park(1.0, {"asked": True})
        return {"turns": len(turns)}

    made = plan(operations, records)
    runner = runner_of(operations, ask)
    runner.run_open()
    clock.forward(1)
    runner.run_open()
    ended = operations.get(made.id)
    assert ended.state is OperationState.SUCCEEDED
    assert ended.steps[-1].output == {"turns": 2}


def test_cancelling_a_parked_operation_ends_it_at_its_next_turn(operations, records, clock):
    abandoned = []
    made = plan(operations, records)
    runner = runner_of(operations, lambda c: c.park(1.0, {}), abandoned)
    runner.run_open()
    operations.cancel(made.id)
    clock.forward(1)
    runner.run_open()
    assert operations.get(made.id).state is OperationState.CANCELLED
    assert abandoned == ["cancelled"]


def test_a_parked_operation_makes_room_for_others(operations, records):
    ran = []

    def ask(context):
        ran.append(context.operation.subject)
        context.park(60.0, {})

    for number in range(3):
        plan(operations, records, f"thing/{number}")
    assert runner_of(operations, ask).run_open() == 3
    assert len(set(ran)) == 3

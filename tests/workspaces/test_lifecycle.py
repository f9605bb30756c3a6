from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from atoll.model.operation import Failure, Lease, Operation, Step
from atoll.model.workspace import Desired, HibernateKind, MachineState, Observed, Workspace
from atoll.providers.simulator.backend import CAPABILITIES
from atoll.workspaces.displayed import displayed
from atoll.workspaces.lifecycle import MEETS, Meet, Open, Rest, Settle, Task, decide, settled
from atoll.workspaces.tries import Tries, tries

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_HIBERNATION = dataclasses.replace(CAPABILITIES, hibernate=HibernateKind.NONE)


def workspace(desired=Desired.RUNNING, state=MachineState.ABSENT, *, met=False, detail="", exit_status=None, **more):
    return Workspace(
        **{
            "id": "wsp_1",
            "name": "w",
            "owner": "per_1",
            "owner_login": "ada",
            "project": "heart",
            "product": "jupyter@1",
            "size": "m5.large",
            "backend": "simulator",
            "eur_per_hour": Decimal("0.0875"),
            "created_at": NOW,
            "expires_at": NOW + timedelta(days=30),
            "desired": desired,
            "desired_because": "asked by ada",
            "generation": 2,
            "observed": Observed(state=state, at=NOW, detail=detail, exit_status=exit_status),
            "observed_generation": 2 if met else 1,
            **more,
        }
    )


def decided(w, *, capabilities=CAPABILITIES, fallback=None, tried=None, made_size=None, now=NOW):
    return decide(
        w,
        w.observed,
        now,
        capabilities=capabilities,
        fallback=fallback or {},
        tries=tried or Tries(),
        made_size=made_size,
    )


def operation(story="start_workspace", *, generation=2, error="", finished=True, cancel=False, output=None, at=NOW):
    failure = Failure(error_code=error, transient=False, message=f"{error}.", step="start", at=at) if error else None
    return Operation(
        id="op_1",
        story=story,
        subject="workspace/wsp_1",
        steps=(Step(name="reserve", output=output or {}),),
        asked_by="platform",
        params={"generation": generation, "because": "asked by ada"},
        created_at=at,
        deadline=at + timedelta(minutes=5),
        finished_at=at if finished else None,
        failure=failure,
        cancel_requested=cancel,
    )


@pytest.mark.parametrize(
    ("desired", "state", "action"),
    [
        (Desired.RUNNING, MachineState.ABSENT, Task.START),
        (Desired.RUNNING, MachineState.STARTING, Task.START),
        (Desired.RUNNING, MachineState.STOPPED, Task.START),
        (Desired.RUNNING, MachineState.FROZEN, Task.WAKE),
        (Desired.RUNNING, MachineState.RUNNING, Meet),
        (Desired.RUNNING, MachineState.UNKNOWN, Rest),
        (Desired.HIBERNATED, MachineState.ABSENT, Settle),
        (Desired.HIBERNATED, MachineState.STARTING, Task.HIBERNATE),
        (Desired.HIBERNATED, MachineState.STOPPED, Settle),
        (Desired.HIBERNATED, MachineState.FROZEN, Meet),
        (Desired.HIBERNATED, MachineState.RUNNING, Task.HIBERNATE),
        (Desired.HIBERNATED, MachineState.UNKNOWN, Rest),
        (Desired.STOPPED, MachineState.ABSENT, Meet),
        (Desired.STOPPED, MachineState.STARTING, Task.STOP),
        (Desired.STOPPED, MachineState.STOPPED, Meet),
        (Desired.STOPPED, MachineState.FROZEN, Task.STOP),
        (Desired.STOPPED, MachineState.RUNNING, Task.STOP),
        (Desired.STOPPED, MachineState.UNKNOWN, Rest),
        *((Desired.TERMINATED, state, Task.TERMINATE) for state in MachineState),
    ],
)
def test_what_is_done_for_a_new_wish(desired, state, action):
    done = decided(workspace(desired, state))
    if isinstance(action, Task):
        assert isinstance(done, Open)
        assert done.task is action
    else:
        assert isinstance(done, action)


def test_the_table_above_is_whole_and_a_met_wish_needs_nothing():
    for desired, state in itertools.product(Desired, MachineState):
        met = workspace(desired, state, met=True)
        if state in MEETS[desired]:
            assert settled(met)
            assert decided(met) is None
        else:
            assert not settled(met)
            assert decided(met) is not None


def test_what_is_gone_needs_nothing():
    gone = workspace(Desired.TERMINATED, terminated_at=NOW)
    assert settled(gone)
    assert decided(gone) is None
    assert displayed(gone, None, NOW).word == "terminated"


def test_a_backend_that_cannot_hibernate_falls_back_as_the_product_says():
    running = workspace(Desired.HIBERNATED, MachineState.RUNNING)
    stopped = decided(running, capabilities=NO_HIBERNATION, fallback={"hibernate": "stop"})
    assert isinstance(stopped, Settle)
    assert stopped.desired is Desired.STOPPED
    assert "cannot hibernate" in stopped.because
    assert "asked by ada" in stopped.because
    runs_on = decided(running, capabilities=NO_HIBERNATION)
    assert isinstance(runs_on, Settle)
    assert runs_on.desired is Desired.RUNNING


def test_memory_lost_at_a_host_restart_is_stopped_with_the_reason():
    why = "The host was restarted; memory was lost."
    lost = workspace(Desired.HIBERNATED, MachineState.STOPPED, met=True, detail=why)
    action = decided(lost)
    assert action == Settle(Desired.STOPPED, why)
    after = lost.but(desired=action.desired, desired_because=action.because, generation=3, observed_generation=3)
    assert displayed(after, None, NOW).word == "stopped"
    assert displayed(after, None, NOW).reason == "The host was restarted; memory was lost."


def test_a_machine_that_ended_by_itself_is_started_again_but_not_for_ever():
    ended = workspace(state=MachineState.STOPPED, met=True, detail="It ended by itself.")
    again = decided(ended, tried=Tries(starts=2))
    assert again == Open(Task.START, "It ended by itself.")
    left = decided(ended, tried=Tries(starts=3))
    assert isinstance(left, Settle)
    assert left.desired is Desired.STOPPED
    assert "3 times" in left.because


def test_a_job_that_has_ended_is_not_started_again():
    done = decided(workspace(state=MachineState.STOPPED, met=True, exit_status=3))
    assert done == Settle(Desired.STOPPED, "The job has ended with exit status 3.")
    # A new wish runs it once more.
    assert isinstance(decided(workspace(state=MachineState.STOPPED, exit_status=3)), Open)


def test_a_size_is_changed_live_only_where_the_backend_can():
    other = workspace(state=MachineState.RUNNING, size="m5.xlarge")
    live = decided(other, made_size="m5.large")
    assert isinstance(live, Open)
    assert live.task is Task.RESIZE
    stopped_only = dataclasses.replace(CAPABILITIES, resize="stopped")
    assert isinstance(decided(other, made_size="m5.large", capabilities=stopped_only), Meet)


def test_failures_are_tried_again_later_each_time_and_then_given_up():
    w = workspace()
    failed = Tries(failed=1, last_failed_at=NOW, message="Broken.")
    assert decided(w, tried=failed) == Rest("Broken.", NOW + timedelta(seconds=5))
    assert isinstance(decided(w, tried=failed, now=NOW + timedelta(seconds=5)), Open)
    twice = dataclasses.replace(failed, failed=2)
    assert isinstance(decided(w, tried=twice, now=NOW + timedelta(seconds=9)), Rest)
    given_up = dataclasses.replace(failed, failed=3)
    assert decided(w, tried=given_up, now=NOW + timedelta(days=1)) == Rest("Broken.")
    hopeless = dataclasses.replace(failed, hopeless=True)
    assert decided(w, tried=hopeless, now=NOW + timedelta(days=1)) == Rest("Broken.")


def test_terminate_never_gives_up():
    w = workspace(Desired.TERMINATED, MachineState.RUNNING)
    failed = Tries(failed=50, last_failed_at=NOW, hopeless=True, message="Broken.")
    assert decided(w, tried=failed, now=NOW + timedelta(seconds=300)) == Open(Task.TERMINATE, "asked by ada")


def test_tries_count_failures_of_this_wish_in_a_row():
    history = [
        operation(error="conflict"),
        operation(error="cancelled"),
        operation(error="unavailable"),
        operation(),
        operation(error="conflict"),
        operation(generation=1, error="conflict"),
    ]
    counted = tries(history, 2, NOW)
    assert (counted.failed, counted.starts, counted.hopeless) == (2, 1, False)
    assert tries(history, 3, NOW) == Tries()


def test_giving_way_is_no_failure_but_being_cancelled_by_somebody_is():
    assert tries([operation(error="cancelled")], 2, NOW).failed == 0
    cancelled = tries([operation(error="cancelled", cancel=True)], 2, NOW)
    assert cancelled.failed == 1
    assert cancelled.hopeless


def test_taking_over_a_machine_that_runs_is_no_start():
    assert tries([operation(output={"taken_over": True})], 2, NOW).starts == 0
    assert tries([operation()], 2, NOW + timedelta(hours=2)).starts == 0


@pytest.mark.parametrize(
    ("w", "op", "word"),
    [
        (workspace(observed_generation=0), None, "provisioning"),
        (workspace(observed_generation=0), operation(finished=False), "provisioning"),
        (workspace(state=MachineState.STOPPED), operation(finished=False), "starting"),
        (workspace(state=MachineState.RUNNING, met=True), operation(), "running"),
        (workspace(state=MachineState.FROZEN), None, "waking"),
        (workspace(Desired.HIBERNATED, MachineState.RUNNING), None, "hibernating"),
        (workspace(Desired.HIBERNATED, MachineState.FROZEN, met=True), None, "hibernated"),
        (workspace(Desired.STOPPED, MachineState.RUNNING), operation("stop_workspace", finished=False), "stopping"),
        (workspace(Desired.STOPPED, MachineState.ABSENT, met=True), None, "stopped"),
        (workspace(Desired.TERMINATED, MachineState.UNKNOWN), None, "terminating"),
        (workspace(state=MachineState.UNKNOWN, met=True, detail="No answer."), None, "unknown"),
        (workspace(), operation(error="limit_exceeded"), "failed"),
        (workspace(Desired.HIBERNATED, MachineState.RUNNING), operation(error="conflict"), "running"),
        (workspace(), operation(error="limit_exceeded", generation=1), "starting"),
    ],
)
def test_displayed_words(w, op, word):
    shown = displayed(w, op, NOW)
    assert shown.word == word
    assert shown.reason


def test_what_is_displayed_of_work_has_its_progress_and_why_it_waits():
    running = operation(finished=False).but(lease=Lease(owner="a", until=NOW))
    assert displayed(workspace(), running, NOW).progress == 0.0
    waits = operation(finished=False, error="unavailable").but(retry_at=NOW + timedelta(seconds=3))
    assert displayed(workspace(), waits, NOW).reason == "unavailable."

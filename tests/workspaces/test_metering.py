"""What is paid for random histories of a machine, however often it is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from atoll.model.meter import MeterPoint, Use
from atoll.model.workspace import MachineState
from atoll.workspaces.metering import USES, Transition, advance, settle, total_seconds, use_of

START = datetime(2026, 3, 1, tzinfo=UTC)
PRICE = Decimal("0.36")

steps = st.lists(
    st.tuples(st.integers(0, 10_000_000), st.sampled_from(list(Use)), st.sampled_from([PRICE, Decimal("0.72")])),
    max_size=12,
)
passes = st.lists(st.integers(0, 60_000_000), max_size=10)


def history(steps):
    at = START
    for microseconds, use, price in steps:
        at += timedelta(microseconds=microseconds)
        yield Transition(at, use, price)


def paid(transitions, asked=()):
    """Every stretch, when settled at the times asked too."""
    point = MeterPoint(since=START, begun=START, eur_per_hour=PRICE)
    found, waiting = [], sorted(asked)
    for transition in transitions:
        while waiting and waiting[0] <= transition.at:
            point, stretch = settle(point, waiting.pop(0), point.eur_per_hour)
            found.append(stretch)
        point, stretch = advance(point, transition)
        found.append(stretch)
    return point, [stretch for stretch in found if stretch]


@given(steps, passes)
def test_it_costs_the_same_however_often_it_is_settled(steps, passes):
    transitions = list(history(steps))
    asked = [START + timedelta(microseconds=at) for at in passes]
    once_point, once = paid(transitions)
    often_point, often = paid(transitions, asked)
    for use in (Use.RUNNING, Use.KEPT):
        settled = sum((s.seconds for s in often if s.use is use), Decimal(0))
        assert settled == total_seconds(once, use)
    assert sum(s.seconds * s.eur_per_hour for s in once) == sum(s.seconds * s.eur_per_hour for s in often)
    assert (once_point.use, once_point.begun) == (often_point.use, often_point.begun)


@given(steps, passes)
def test_no_time_is_paid_twice_or_before_it_was(steps, passes):
    _, found = paid(history(steps), [START + timedelta(microseconds=at) for at in passes])
    end = START
    for stretch in found:
        assert end <= stretch.since < stretch.until
        end = stretch.until


@given(steps)
def test_without_unknown_every_second_of_running_is_paid(steps):
    transitions = [t for t in history(steps) if t.use is not Use.UNKNOWN]
    _, found = paid(transitions)
    ran, use, since = timedelta(), Use.GONE, START
    for transition in transitions:
        ran += transition.at - since if use is Use.RUNNING else timedelta()
        use, since = transition.use, transition.at
    assert float(total_seconds(found, Use.RUNNING)) == ran.total_seconds()


def run(*words):
    """A second for each state."""
    return paid(Transition(START + timedelta(seconds=n), Use(word), PRICE) for n, word in enumerate(words))[1]


def test_what_was_unknown_is_running_only_between_running_and_running():
    assert total_seconds(run("running", "unknown", "unknown", "running"), Use.RUNNING) == 3
    stopped = run("running", "unknown", "kept", "gone")
    assert (total_seconds(stopped, Use.RUNNING), total_seconds(stopped, Use.KEPT)) == (1, 2)
    vanished = run("running", "unknown", "gone", "gone")
    assert (total_seconds(vanished, Use.RUNNING), total_seconds(vanished, Use.KEPT)) == (1, 0)
    assert total_seconds(run("kept", "unknown", "running"), Use.KEPT) == 2


def test_what_is_unknown_now_waits():
    point, found = paid([Transition(START, Use.RUNNING, PRICE), Transition(START, Use.UNKNOWN, PRICE)])
    assert found == []
    assert settle(point, START + timedelta(hours=1), PRICE) == (point, None)


def test_a_late_entry_takes_nothing_back():
    point, _ = paid([Transition(START, Use.RUNNING, PRICE)])
    point, paid_for = settle(point, START + timedelta(seconds=60), PRICE)
    point, stretch = advance(point, Transition(START + timedelta(seconds=50), Use.KEPT, PRICE))
    assert (paid_for.seconds, stretch, point.since) == (60, None, START + timedelta(seconds=60))


def test_every_state_of_backends_is_known():
    assert {state.value for state in MachineState} <= set(USES)
    assert use_of("of a later release") is Use.UNKNOWN

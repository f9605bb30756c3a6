"""When a machine counts as idle, and that the sentence says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.model.workspace import IdleRule
from atoll.workspaces.idle import OPEN_PAGE, Facts, Kernel, judge

NOW = datetime(2026, 3, 2, 18, tzinfo=UTC)
RULE = IdleRule(after_minutes=60)


def ago(minutes):
    return NOW - timedelta(minutes=minutes)


moments = st.integers(0, 3000).map(ago)
kernels = st.builds(
    Kernel, name=st.sampled_from(["a.ipynb", "kernel ir"]), busy=st.booleans(), last_activity=st.none() | moments
)
facts = st.builds(
    Facts,
    running_since=moments,
    kernels=st.lists(kernels, max_size=3).map(tuple),
    terminal_activity=st.lists(moments, max_size=2).map(tuple),
    cpu=st.none() | st.floats(0, 4),
    cpu_busy_at=st.none() | moments,
    connections=st.integers(0, 2),
    jobs=st.integers(0, 2),
    last_request=st.none() | moments,
    silent=st.sampled_from([(), ("its kernels",)]),
)
rules = st.builds(
    IdleRule,
    after_minutes=st.integers(1, 2000),
    action=st.sampled_from(["hibernate", "stop", "none"]),
    busy_cpu=st.floats(0.01, 1),
)


@given(facts, rules)
def test_a_running_cell_or_job_is_never_touched(facts, rule):
    verdict = judge(facts, rule, NOW)
    if any(kernel.busy for kernel in facts.kernels) or facts.jobs or facts.silent or rule.action == "none":
        assert not verdict.act


@given(facts, rules)
def test_nothing_is_put_to_rest_before_its_time(facts, rule):
    signs = [facts.running_since, facts.cpu_busy_at, facts.last_request, *facts.terminal_activity]
    signs += [kernel.last_activity for kernel in facts.kernels]
    last = max(sign for sign in signs if sign)
    if NOW - last < timedelta(minutes=rule.after_minutes):
        assert not judge(facts, rule, NOW).act


@given(facts, rules)
def test_what_is_idle_stays_idle(facts, rule):
    if judge(facts, rule, NOW).act:
        assert judge(facts, rule, NOW + timedelta(hours=1)).act


@given(facts, rules)
def test_with_less_use_it_is_no_less_idle(facts, rule):
    quiet = replace(facts, kernels=(), jobs=0, connections=0, cpu=None, silent=(), terminal_activity=())
    if judge(facts, rule, NOW).act:
        assert judge(quiet, rule, NOW).act


@given(facts, rules)
def test_in_the_end_everything_unused_is_put_to_rest(facts, rule):
    quiet = replace(facts, kernels=tuple(replace(k, busy=False) for k in facts.kernels), jobs=0, cpu=0.0, silent=())
    later = NOW + timedelta(minutes=rule.after_minutes) + OPEN_PAGE
    assert judge(quiet, rule, later).act is (rule.action != "none")


@given(facts, rules)
def test_the_sentence_always_explains(facts, rule):
    verdict = judge(facts, rule, NOW)
    begins = {"hibernate": "hibernated because ", "stop": "stopped because "}.get(rule.action, "?")
    assert verdict.sentence.startswith(begins if verdict.act else "kept alive because ")


QUIET = Facts(running_since=ago(500))


@pytest.mark.parametrize(
    ("facts", "act", "sentence"),
    [
        (QUIET, True, "hibernated because nothing runs and it came up 500 min ago, 60 min or more"),
        (replace(QUIET, running_since=ago(59)), False, "kept alive because it came up 59 min ago, less than 60 min"),
        (
            replace(QUIET, kernels=(Kernel("fit.ipynb", True, ago(400)), Kernel("b.ipynb", True), Kernel("c", False))),
            False,
            "kept alive because a cell runs in fit.ipynb and b.ipynb",
        ),
        (
            replace(QUIET, kernels=(Kernel("fit.ipynb", False, ago(10)),)),
            False,
            "kept alive because fit.ipynb last did something 10 min ago, less than 60 min",
        ),
        (replace(QUIET, cpu=0.5), False, "kept alive because it uses 50% of a core, 10% or more"),
        (replace(QUIET, cpu=0.05), True, None),
        (replace(QUIET, cpu_busy_at=ago(30)), False,
         "kept alive because it last computed 30 min ago, less than 60 min"),
        (replace(QUIET, connections=2), False, "kept alive because 2 pages are open to it"),
        (replace(QUIET, running_since=ago(800), connections=2), True, None),
        (replace(QUIET, jobs=1), False, "kept alive because its job runs"),
        (replace(QUIET, silent=("its kernels", "its terminals")), False,
         "kept alive because its kernels and its terminals could not be asked"),
        (replace(QUIET, terminal_activity=(ago(90), ago(70))), True,
         "hibernated because nothing runs and its terminal was last used 70 min ago, 60 min or more"),
    ],
)  # fmt: skip
def test_sentences(facts, act, sentence):
    verdict = judge(facts, RULE, NOW)
    assert verdict.act is act
    assert sentence in (None, verdict.sentence)

"""Is a machine idle? Pure: from what is known of it to a decision and the sentence that explains it.

The rule is cautious: what cannot be told counts as use, and a running cell keeps its
machine alive always, whatever else is so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from atoll.model.workspace import IdleRule

#: A page that is merely open counts as somebody's presence no longer than this after the last sign of life.
OPEN_PAGE = timedelta(hours=12)
_DONE = {"hibernate": "hibernated", "stop": "stopped", "none": "left running"}


@dataclass(frozen=True)
class Kernel:
    """A kernel of a notebook server: whether it runs a cell, and when it last did something."""

    name: str
    busy: bool
    last_activity: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a running machine.

    Attributes:
        running_since: when it came up, was woken or started.
        kernels: of its notebook server.
        terminal_activity: when something was last typed or printed in a terminal, for each.
        cpu: use of one core over the last minute, 1 is one whole core; None when not known.
        cpu_busy_at: when its CPU was last seen busy.
        connections: pages that are open to it now.
        jobs: batch jobs that run.
        last_request: when somebody last asked something of it.
        silent: what could not be asked, in words.
    """

    running_since: datetime
    kernels: tuple[Kernel, ...] = ()
    terminal_activity: tuple[datetime, ...] = ()
    cpu: float | None = None
    cpu_busy_at: datetime | None = None
    connections: int = 0
    jobs: int = 0
    last_request: datetime | None = None
    silent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether to act, and the sentence that says why or why not.

    `last_sign_at` is the last sign of use; `in_use` says that it is used now, however old that is.
    """

    act: bool
    sentence: str
    last_sign_at: datetime
    in_use: bool = False


def judge(facts: Facts, rule: IdleRule, now: datetime) -> Verdict:
    """Act, or keep alive, under the rule."""
    reason = next(_uses(facts, rule, now), None)
    what, last = _last_sign(facts)
    if reason is not None:
        return Verdict(False, f"kept alive because {reason}", last, in_use=True)
    idle = max(now - last, timedelta())
    minutes = int(idle.total_seconds() // 60)
    limit = rule.after_minutes
    if idle < timedelta(minutes=limit):
        return Verdict(False, f"kept alive because {what} {minutes} min ago, less than {limit} min", last)
    sentence = f"{_DONE[rule.action]} because nothing runs and {what} {minutes} min ago, {limit} min or more"
    return Verdict(True, sentence, last)


def _uses(facts: Facts, rule: IdleRule, now: datetime) -> Iterator[str]:
    """What keeps it alive, however long ago its last sign of life was; the strongest first."""
    if busy := [kernel.name for kernel in facts.kernels if kernel.busy]:
        yield f"a cell runs in {_list(busy)}"
    if facts.jobs:
        yield "its job runs" if facts.jobs == 1 else f"{facts.jobs} jobs run"
    if rule.action == "none":
        yield "no idle rule holds for it"
    if facts.silent:
        yield f"{_list(facts.silent)} could not be asked"
    if facts.cpu is not None and facts.cpu >= rule.busy_cpu:
        yield f"it uses {facts.cpu:.0%} of a core, {rule.busy_cpu:.0%} or more"
    if facts.connections and now - _last_sign(facts)[1] < OPEN_PAGE:
        yield "a page is open to it" if facts.connections == 1 else f"{facts.connections} pages are open to it"


def _last_sign(facts: Facts) -> tuple[str, datetime]:
    return max(_signs(facts), key=lambda sign: sign[1])


def _signs(facts: Facts) -> Iterator[tuple[str, datetime]]:
    yield "it came up", facts.running_since
    for kernel in facts.kernels:
        if kernel.last_activity is not None:
            yield f"{kernel.name} last did something", kernel.last_activity
    for at in facts.terminal_activity:
        yield "its terminal was last used", at
    if facts.cpu_busy_at is not None:
        yield "it last computed", facts.cpu_busy_at
    if facts.last_request is not None:
        yield "it was last asked something", facts.last_request


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

"""Is a machine idle? Pure: from what is known of it to a decision and the sentence that explains it.

The rule is cautious: what cannot be told counts as use, and a running cell keeps its
machine alive always, whatever else is so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from atoll.model.workspace import IdleRule
from atoll.workspaces.reasons import IDLE

#: A page that is merely open counts as somebody's presence no longer than this after the last sign of life.
OPEN_PAGE = timedelta(hours=12)
_DONE = {"hibernate": "hibernated", "stop": "stopped"}


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
    use = next(_uses(facts, rule, now), None)
    sign = _last_sign(facts)
    if use is not None:
        return Verdict(False, use, sign.at, in_use=True)
    idle = max(now - sign.at, timedelta())
    act = idle >= timedelta(minutes=rule.after_minutes)
    code = f"{_DONE[rule.action] if act else 'recent'}_{sign.code}"
    minutes = int(idle.total_seconds() // 60)
    return Verdict(act, IDLE.say(code, name=sign.name, minutes=minutes, limit=rule.after_minutes), sign.at)


def _uses(facts: Facts, rule: IdleRule, now: datetime) -> Iterator[str]:
    """The sentence of what keeps it alive, however long ago its last sign of life was; the strongest first."""
    if busy := [kernel.name for kernel in facts.kernels if kernel.busy]:
        yield IDLE.say("kernel", names=_list(busy))
    if facts.jobs:
        yield IDLE.say("job" if facts.jobs == 1 else "jobs", number=facts.jobs)
    if rule.action == "none":
        yield IDLE.say("no_rule")
    if facts.silent:
        yield IDLE.say("silent", what=_list(facts.silent))
    if facts.cpu is not None and facts.cpu >= rule.busy_cpu:
        yield IDLE.say("cpu", use=f"{facts.cpu:.0%}", limit=f"{rule.busy_cpu:.0%}")
    if facts.connections and now - _last_sign(facts).at < OPEN_PAGE:
        yield IDLE.say("page" if facts.connections == 1 else "pages", number=facts.connections)


class _Sign(NamedTuple):
    """The last of a kind; `name` is of the kernel that gave it."""

    code: str
    at: datetime
    name: str = ""


def _last_sign(facts: Facts) -> _Sign:
    return max(_signs(facts), key=lambda sign: sign.at)


def _signs(facts: Facts) -> Iterator[_Sign]:
    yield _Sign("came_up", facts.running_since)
    for kernel in facts.kernels:
        if kernel.last_activity is not None:
            yield _Sign("kernel", kernel.last_activity, kernel.name)
    for at in facts.terminal_activity:
        yield _Sign("terminal", at)
    if facts.cpu_busy_at is not None:
        yield _Sign("computed", facts.cpu_busy_at)
    if facts.last_request is not None:
        yield _Sign("asked", facts.last_request)


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

"""How much may run at once: by person, by project, and on this host. Pure but for reading the host."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atoll.errors import LimitExceeded
from atoll.model.workspace import Desired, HibernateKind, MachineState, Size, Workspace

_GIB = 2**30
_AT_WORK = (MachineState.STARTING, MachineState.RUNNING, MachineState.UNKNOWN)


@dataclass(frozen=True)
class Amount:
    """Processors and memory, together."""

    vcpu: float = 0.0
    memory_bytes: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.vcpu + other.vcpu, self.memory_bytes + other.memory_bytes)

    @classmethod
    def of(cls, size: Size) -> Amount:
        """What a machine of the size takes."""
        return cls(size.vcpu, size.memory_bytes)


@dataclass(frozen=True)
class Quota:
    """A limit and what is taken of it.

    Attributes:
        whose: in words, e.g. `the project heart`.
        limit: the most that may be taken at once.
        taken: what is taken now.
        todo: what to do when it is full.
    """

    whose: str
    limit: Amount
    taken: Amount
    todo: str


def check(asked: Amount, quotas: Sequence[Quota]) -> None:
    """Raise `LimitExceeded` for the first quota that `asked` does not fit in, with its figures."""
    for quota in quotas:
        after = quota.taken + asked
        # A thousandth of a vCPU is below every size; sums of fractions need not be exact.
        if after.vcpu > quota.limit.vcpu + 0.001:
            raise _full(quota, "vCPU", _count(quota.limit.vcpu), _count(quota.taken.vcpu), _count(asked.vcpu))
        if after.memory_bytes > quota.limit.memory_bytes:
            limit, taken, more = (_gib(a.memory_bytes) for a in (quota.limit, quota.taken, asked))
            raise _full(quota, "memory", limit, taken, more)


def fits(taken: Amount, limit: Amount) -> bool:
    """Whether what is taken is within the limit; a thousandth of a vCPU is below every size."""
    return taken.vcpu <= limit.vcpu + 0.001 and taken.memory_bytes <= limit.memory_bytes


def taken(workspaces: Iterable[tuple[Workspace, Size, HibernateKind]]) -> Amount:
    """What these workspaces take together, each with its size and its backend's way to hibernate."""
    total = Amount()
    for workspace, size, hibernate in workspaces:
        total += amount_of(workspace, size, hibernate)
    return total


def amount_of(workspace: Workspace, size: Size, hibernate: HibernateKind) -> Amount:
    """What one workspace takes: all while it runs or may run, its memory while that holds its state.

    What is wanted counts as well as what is seen: a machine that is about to run has
    its place, and one that is about to end has it until it is seen to have ended.
    """
    if workspace.terminated_at is not None or workspace.queued:
        return Amount()
    if workspace.desired is Desired.RUNNING or workspace.observed.state in _AT_WORK:
        return Amount.of(size)
    frozen = workspace.desired is Desired.HIBERNATED or workspace.observed.state is MachineState.FROZEN
    if frozen and hibernate is not HibernateKind.DISK:
        return Amount(0.0, size.memory_bytes)
    return Amount()


def host_capacity(vcpu: float | None, memory_bytes: int | None, vcpu_per_processor: float) -> Amount:
    """What the machines of this host may take together; what is None is read from the host.

    Machines wait for people most of their time, so more vCPU are lent than there are
    processors; memory is lent once.
    """
    processors = len(os.sched_getaffinity(0))
    return Amount(
        processors * vcpu_per_processor if vcpu is None else vcpu,
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if memory_bytes is None else memory_bytes,
    )


def _full(quota: Quota, what: str, limit: str, taken: str, asked: str) -> LimitExceeded:
    return LimitExceeded(
        f"The quota of {quota.whose} is {limit} {what}; {taken} are taken and this needs {asked}.",
        where=quota.whose,
        todo=quota.todo,
    )


def _count(number: float) -> str:
    return f"{number:g}"


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / _GIB:g} GiB"

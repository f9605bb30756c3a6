"""Ending a machine so that nothing of it runs on."""

from __future__ import annotations

import signal

from atoll.errors import Unavailable
from atoll.providers.sandbox.limits import Limiter
from atoll.providers.sandbox.machine import Machine

_KILL_SECONDS = 5.0


def end_machine(machine: Machine, token: str, limiter: Limiter, *, grace_seconds: float) -> None:
    """End every process of a machine; those that do not end in time are killed.

    Its supervisor asks and then kills, also when this process dies meanwhile. What is
    still there after that is killed by control group. Raises `Unavailable` when even
    then a process stays (one that waits for a device, for example).
    """
    keeper = machine.supervisor(token)
    if keeper is not None and keeper.alive:
        limiter.thaw(machine.workspace)
        keeper.signal(signal.SIGTERM)
        if not keeper.wait(grace_seconds + 1):
            limiter.kill(machine.workspace)
            if not keeper.wait(_KILL_SECONDS):
                keeper.signal(signal.SIGKILL)
                keeper.wait(_KILL_SECONDS)
    first = machine.first_process(token)
    if first is not None and first.alive:
        first.signal(signal.SIGKILL)
    limiter.kill(machine.workspace)
    limiter.thaw(machine.workspace)
    if first is not None and not first.wait(_KILL_SECONDS):
        raise Unavailable("A process of the machine does not end.", where=machine.workspace, todo="Try again.")

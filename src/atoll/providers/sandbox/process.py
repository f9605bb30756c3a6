"""A process named so that it cannot be mistaken for another: pid, start time and boot."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path


def boot_id() -> str:
    """Id of this start of the host."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot (proc(5), field 22); None when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[19])


@dataclass(frozen=True)
class Process:
    """One process of this host, over its whole life."""

    pid: int
    started: int
    boot: str

    @property
    def alive(self) -> bool:
        """Whether it still runs (a zombie does not)."""
        return self.boot == boot_id() and start_time(self.pid) == self.started

    def signal(self, number: signal.Signals) -> bool:
        """Send it a signal; False when it is gone. Another process that got its pid is never hit."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            if not self.alive:
                return False
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
            return True
        finally:
            os.close(descriptor)

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, at most so long. Returns whether it has."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return True
        try:
            if not self.alive:
                return True
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        finally:
            os.close(descriptor)

"""Reading and writing the files of a control group."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from pathlib import Path

from atoll.errors import Unavailable

#: The kernel's period of a CPU quota.
CPU_PERIOD_MICROSECONDS = 100_000
_REMOVE_SECONDS = 5.0


def number(path: Path) -> int:
    """The number in a file, 0 when there is no such file."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def field(path: Path, name: str) -> int:
    """The number beside a word in a file of `word number` lines, 0 when there is none."""
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            word, _, value = line.partition(" ")
            if word == name:
                return int(value)
    return 0


def cpu_quota(vcpu: float) -> int:
    """Microseconds of CPU in a period; the kernel takes no less than 1 ms."""
    return max(1000, int(vcpu * CPU_PERIOD_MICROSECONDS))


def write(path: Path, text: str) -> None:
    """Set a file. Raises `Unavailable` when the kernel refuses."""
    try:
        path.write_text(text)
    except OSError as error:
        raise Unavailable(
            f"The control group refuses {path.name}: {os.strerror(error.errno or 0)}.", where=path.parent.name
        ) from None


def kill_members(group: Path) -> None:
    """Send SIGKILL to every process in a group, once."""
    with contextlib.suppress(OSError):
        for line in (group / "cgroup.procs").read_text().split():
            # A pid may be given to another process between reading and sending: hold it, and look again.
            with contextlib.suppress(OSError):
                held = os.pidfd_open(int(line))
                try:
                    if line in (group / "cgroup.procs").read_text().split():
                        signal.pidfd_send_signal(held, signal.SIGKILL)
                finally:
                    os.close(held)


def make_group(group: Path) -> None:
    """Make a group; the group of all machines is made anew when its last machine has just gone."""
    for _ in range(100):
        with contextlib.suppress(FileNotFoundError):
            group.mkdir(parents=True, exist_ok=True)
            return
    raise Unavailable("The control group cannot be made.", where=group.name)


def remove_group(group: Path) -> None:
    """Remove a group once its processes have ended, and those of all machines with the last.

    Raises `Unavailable` when they do not end in five seconds.
    """
    until = time.monotonic() + _REMOVE_SECONDS
    while True:
        try:
            group.rmdir()
            with contextlib.suppress(OSError):  # others have machines there
                group.parent.rmdir()
                group.parent.parent.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > until:
                raise Unavailable(
                    f"The control group cannot be removed: {os.strerror(error.errno or 0)}.", where=group.name
                ) from None
            time.sleep(0.01)

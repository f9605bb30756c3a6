"""Starting the supervisor of a machine, one at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atoll.errors import Unavailable
from atoll.providers.sandbox.machine import Machine

SUPERVISOR = Path(__file__).with_name("supervisor.py")
_START_SECONDS = 20.0
#: What systemd-run needs to find the user's own manager.
_PASSED_ON = ("PATH", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


@contextmanager
def only_supervisor(machine: Machine) -> Iterator[int | None]:
    """Hold the lock that a supervisor keeps while it lives; None when one does.

    The lock belongs to the open file, which the supervisor inherits: there is no
    moment between holding and handing over.
    """
    machine.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(machine.path / "alone", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def supervised(machine: Machine) -> bool:
    """Whether a supervisor of the machine lives, known to its files or not."""
    with only_supervisor(machine) as alone:
        return alone is None


def start_supervisor(machine: Machine, alone: int) -> None:
    """Start the supervisor by the machine's `launch.json`; it hands back when it can be found again.

    Raises `Unavailable` when it does not.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(SUPERVISOR), str(machine.path / "launch.json"), str(alone)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=_START_SECONDS,
            check=False,
            pass_fds=(alone,),
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        )
    except (OSError, subprocess.TimeoutExpired):
        raise Unavailable("The machine's supervisor does not start.", where=machine.workspace) from None
    if done.returncode != 0:
        raise Unavailable(
            "The machine's supervisor does not start.", where=machine.workspace, todo="See `atoll doctor`."
        )


def wait_for_supervisor(machine: Machine, token: str) -> None:
    """Wait until a supervisor that is starting has said who it is. Raises `Unavailable`."""
    until = time.monotonic() + _START_SECONDS
    while machine.supervisor(token) is None:
        if time.monotonic() > until:
            raise Unavailable("Another start of the machine is under way.", where=machine.workspace, todo="Try again.")
        time.sleep(0.01)

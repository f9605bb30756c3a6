"""What the platform's side writes down and hands over to start a hypervisor."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from atoll.errors import LimitExceeded, Unavailable
from atoll.ports.keys import MasterKey
from atoll.providers.sandbox.answering import connect_machine
from atoll.providers.sandbox.limits import Limiter, Limits
from atoll.providers.sandbox.machine import Machine
from atoll.providers.sandbox.orders import ORDERS
from atoll.providers.vm.hypervisor import Plan
from atoll.providers.vm.sealing import derived

#: What QEMU takes beside the machine's own memory: translated code, buffers, its libraries.
OVERHEAD_BYTES = 640 * 2**20
#: Processes and threads of QEMU and of the gateway's connections.
PIDS = 512
_MOST_ANSWER = 2**21


class Refused(Exception):
    """The hypervisor could not do what it was asked to; the text says why, `errno` of which kind."""

    def __init__(self, why: str, errno: int | None = None) -> None:
        super().__init__(why)
        self.errno = errno


def ask(machine: Machine, do: str, limit: float, /, **told: object) -> dict[str, Any]:
    """Have the hypervisor do something. Raises `Refused`, or `Unavailable` when it does not answer."""
    until = time.monotonic() + limit
    line = b""
    try:
        with connect_machine(machine.path / ORDERS, min(5.0, limit)) as connection:
            connection.sendall(json.dumps({"do": do, **told}).encode() + b"\n")
            while not line.endswith(b"\n") and len(line) < _MOST_ANSWER:
                connection.settimeout(max(0.01, until - time.monotonic()))
                block = connection.recv(65_536)
                if not block:
                    break
                line += block
        answer = json.loads(line)
    except (OSError, ValueError):
        raise Unavailable(
            "The machine's hypervisor does not answer.", where=machine.workspace, todo="Try again."
        ) from None
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        errno = answer.get("errno") if isinstance(answer, dict) else None
        raise Refused(str(answer.get("error", ""))[:500] if isinstance(answer, dict) else "", errno)
    return answer


def hand_over(machine: Machine, plan: Plan) -> None:
    """Give a hypervisor that has just been started its plan, by a socket that only it holds. Raises `Unavailable`."""
    ask(machine, "begin", 30.0, plan=asdict(plan))


def keys_of(machine: Machine, master: MasterKey) -> tuple[bytes, bytes]:
    """Keys of the home and of the memory, the machine's own, sealed by the master key beside them.

    Raises `IntegrityBroken` when the sealed key is not as it was written.
    """
    path = machine.path / "key"
    context = f"machine {machine.workspace}"
    if not path.exists():
        machine.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        sealed = master.seal(secrets.token_bytes(32), context=context)
        draft = machine.path / ".key.part"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    key = master.open(path.read_bytes(), context=context)
    return derived(key, "machine home"), derived(key, "machine memory")


def check_memory(machine: str, wanted_bytes: int, taken_bytes: int, overcommit: float) -> None:
    """Raises `LimitExceeded` when the host has no room for one more machine of that memory."""
    host = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    room = int(host * overcommit) - taken_bytes
    if wanted_bytes > room:
        gib = 2**30
        raise LimitExceeded(
            f"The machine wants {wanted_bytes / gib:.1f} GiB of memory; of {host * overcommit / gib:.1f} GiB that the "
            f"host gives to virtual machines, {taken_bytes / gib:.1f} GiB are taken.",
            where=machine,
            todo="Choose a smaller size, or wait until others are stopped or hibernated.",
        )


def limits_of(vcpu: float, memory_bytes: int) -> Limits:
    """What the host's kernel holds QEMU to."""
    return Limits(vcpu, memory_bytes + OVERHEAD_BYTES, PIDS)


def launch_file(
    machine: Machine, token: str, command: list[str], sources: dict[str, str], limiter: Limiter, limits: Limits, *,
    uid: int | None, groups: list[int], home_bytes: int, grace_seconds: float, log_bytes: int,
) -> dict[str, Any]:  # fmt: skip
    """What the supervisor is told (see `sandbox/supervisor.py`). It holds no key."""
    largest = max(home_bytes * 2, limits.memory_bytes * 2)
    rlimits = {"RLIMIT_CORE": 0, "RLIMIT_NOFILE": 65_536, "RLIMIT_FSIZE": largest}
    return {
        "token": token,
        "command": [*limiter.wrap(machine.workspace, limits), *command],
        "sources": sources,
        "uid": uid,
        "groups": groups,
        "slots": [],
        "join": [str(path) for path in limiter.prepare(machine.workspace, limits)],
        "rlimits": rlimits,
        "cpus": None if limiter.strong else sorted(os.sched_getaffinity(0))[: max(1, round(limits.vcpu))],
        "grace_seconds": grace_seconds,
        "log_bytes": log_bytes,
        "disk_paths": [str(machine.home)],
        # The quota is the size of the home's disk.
        "disk_bytes": 2**62,
        "shares": [],
    }


def listening(machine: Machine) -> bool:
    """Whether a hypervisor takes connections."""
    with contextlib.suppress(OSError), connect_machine(machine.path / ORDERS, 1.0) as connection:
        return connection.family == socket.AF_UNIX
    return False


def places(machine: Machine) -> dict[str, Path]:
    """Directories of the machine that its hypervisor sees."""
    return {"data": machine.path / "data", "kept": machine.path / "kept", "home": machine.home, "run": machine.run}

"""Talking to the tiny server inside a machine."""

from __future__ import annotations

import http.client
import textwrap
import time
from pathlib import Path

from atoll.model.workspace import MachineState
from atoll.ports.backend import MachineSpec
from atoll.providers.sandbox.answering import connect_machine

ENVIRONMENTS = Path(__file__).parent / "environments"
MIB = 2**20


def spec(workspace: str = "ws-1", token: str = "token-1", **changed) -> MachineSpec:
    """A small machine of the tiny environment."""
    wanted = {
        "environment": "tiny",
        "service": "jupyter",
        "base_url": f"/w/{workspace}/",
        "vcpu": 1,
        "memory_bytes": 256 * MIB,
        "home_bytes": 256 * MIB,
        "pids": 64,
    }
    return MachineSpec(workspace=workspace, token=token, **{**wanted, **changed})


def wait_for(backend, workspace, *states: MachineState, seconds: float = 20):
    """Observe until the machine is in one of the states; fails with what was seen."""
    until = time.monotonic() + seconds
    while (seen := backend.observe(workspace)).state not in states:
        assert time.monotonic() < until, f"{seen}\n{backend.log(workspace)}"
        time.sleep(0.02)
    return seen


def launch(backend, wanted: MachineSpec):
    """Create a machine and wait until it runs."""
    backend.create(wanted)
    return wait_for(backend, wanted.workspace, MachineState.RUNNING)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=90)
        self.path = path

    def connect(self) -> None:
        self.sock = connect_machine(self.path, 90)


def python_inside(seen, code: str) -> tuple[int, str]:
    """Run Python inside; returns its exit status and what it printed."""
    connection = _Connection(seen.socket)
    connection.request("POST", f"/w/{seen.workspace}/run", textwrap.dedent(code))
    status, _, printed = connection.getresponse().read().decode().partition("\n")
    connection.close()
    return int(status), printed

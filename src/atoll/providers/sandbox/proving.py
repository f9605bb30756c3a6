"""Trying to break out of a machine, from inside, by `probes.py`."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from atoll.errors import Unavailable
from atoll.model.workspace import MachineState
from atoll.ports.backend import Observation, Probe, ProbeFacts
from atoll.providers.sandbox.command import PROBES
from atoll.providers.sandbox.environment import base_python
from atoll.providers.sandbox.machine import Machine
from atoll.providers.sandbox.orders import run_inside

_SECONDS = 120.0
#: Within which a machine over its quota is ended; longer than `probes.py` waits for it.
_FILL_SECONDS = 60.0


def probe_machine(
    machine: Machine, spec: dict[str, Any], facts: ProbeFacts, observe: Callable[[str], Observation]
) -> tuple[Probe, ...]:
    """Make every attempt in a machine that runs. `spec` is what it is to be. Raises `Unavailable`."""
    told = {
        "addresses": facts.addresses,
        "paths": facts.paths,
        "others": facts.others,
        "host_pid": os.getpid(),
        "host_name": socket.gethostname(),
        "bombs": facts.bombs,
        **{name: spec[name] for name in ("pids", "memory_bytes", "home_bytes")},
    }
    probes = _attempts(machine, told)
    return (*probes, _fill(machine, told, observe)) if facts.fill else probes


def _attempts(machine: Machine, told: dict[str, Any]) -> tuple[Probe, ...]:
    python = str(base_python() / "bin" / "python3")
    status, printed = run_inside(machine, [python, "-I", "-S", PROBES, json.dumps(told)], _SECONDS)
    try:
        probes = tuple(Probe(p["group"], p["what"], p["held"], p["detail"]) for p in json.loads(printed))
    except (ValueError, KeyError, TypeError):
        raise Unavailable(
            f"The attempts in the machine were not made; they ended with status {status}.",
            where=machine.workspace,
            todo="Try again.",
        ) from None
    # Nobody must take a part for the whole.
    if status != min(100, sum(not probe.held for probe in probes)):
        raise Unavailable("The attempts in the machine were not told whole.", where=machine.workspace)
    return probes


def _fill(machine: Machine, told: dict[str, Any], observe: Callable[[str], Observation]) -> Probe:
    """The machine is to be ended for it: then it cannot tell, and the host does."""
    what = "fill the disk past the quota with many files"
    try:
        return _attempts(machine, {**told, "fill": True})[0]
    except Unavailable:
        until = time.monotonic() + _FILL_SECONDS
        while (seen := observe(machine.workspace)).state is not MachineState.STOPPED and time.monotonic() < until:
            time.sleep(0.2)
        held = seen.state is MachineState.STOPPED and "quota" in seen.detail
        return Probe("bombs", what, held, seen.detail or f"The machine is {seen.state.value}.")

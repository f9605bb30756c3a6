"""Trying to break out of a virtual machine, as root inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from atoll.errors import Unavailable
from atoll.ports.backend import Probe, ProbeFacts
from atoll.providers.sandbox.machine import Machine
from atoll.providers.vm.launching import Refused, ask

_PROBES = Path(__file__).with_name("guest") / "probes.py"
_SECONDS = 100.0


def probe_machine(machine: Machine, spec: dict[str, Any], facts: ProbeFacts) -> tuple[Probe, ...]:
    """Make every attempt in a machine that runs. Raises `Unavailable`."""
    told = {
        "addresses": facts.addresses,
        "paths": facts.paths,
        "others": facts.others,
        "bombs": facts.bombs,
        "fill": facts.fill,
        "memory_bytes": spec["memory_bytes"],
        "home_bytes": spec["home_bytes"],
    }
    command = ["/usr/bin/python3", "-I", "-S", "-c", _PROBES.read_text(encoding="utf-8"), json.dumps(told)]
    try:
        answer = ask(machine, "run", _SECONDS + 15, command=command, seconds=_SECONDS, root=True)
        said = json.loads(answer["printed"].strip().splitlines()[-1])
        return tuple(Probe(one["group"], one["what"], bool(one["held"]), str(one["detail"])) for one in said)
    except Refused as why:
        raise Unavailable(f"The attempts in the machine were not made: {why}", where=machine.workspace) from None
    except (ValueError, KeyError, TypeError, IndexError):
        raise Unavailable(
            "The attempts in the machine were not told whole.", where=machine.workspace, todo="Try again."
        ) from None

"""What virtual machines cost: a start from the template, a hibernation, a waking, and what lies on disk.

    python benchmarks/vm.py [--rounds 3] [--environments DIRECTORY]

One machine of `jupyter-vm` at a time (t3.small, 1 vCPU and 2 GiB, and one of 1 GiB), by
the backend alone. Told are medians of the rounds in seconds, and bytes:

- launch: from the order to an answer of JupyterLab, started from the template;
- hibernate: from the order until the memory is on disk;
- wake: from the order to an answer of the kernel's server;
- state: bytes of the kept memory, and in parts of the machine's memory.

Targets: launch under 3 s, hibernate under 2 s, wake under 4 s. Exits 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from atoll.model.workspace import MachineState
from atoll.ports.backend import MachineSpec
from atoll.providers.clock import SystemClock
from atoll.providers.master_key import HexMasterKey
from atoll.providers.vm import build_virtual_machine
from atoll.providers.vm.backend import VmBackend
from atoll.providers.vm.template import make_template

RESULTS = Path(__file__).parent / "results" / "vm.json"
TARGETS = {"launch": 3.0, "hibernate": 2.0, "wake": 4.0}
GIB = 2**30


def wait(backend: VmBackend, workspace: str, state: MachineState) -> None:
    """Until it is so, ten minutes at most."""
    until = time.monotonic() + 600
    while (seen := backend.observe(workspace)).state is not state:
        if time.monotonic() > until or seen.state is MachineState.STOPPED:
            raise SystemExit(f"{seen}\n{backend.log(workspace)[-2000:]}")
        time.sleep(0.01)


def timed(act, *after) -> float:
    began = time.monotonic()
    act()
    for one in after:
        one()
    return time.monotonic() - began


def one_round(backend: VmBackend, number: int, memory: int) -> dict[str, float]:
    """A machine's life."""
    name = f"bench-{number}"
    spec = MachineSpec(
        workspace=name, token=f"token-{number}", environment="jupyter-vm", service="jupyter", base_url=f"/w/{name}/",
        vcpu=1, memory_bytes=memory, home_bytes=10 * GIB,
    )  # fmt: skip
    up, frozen = (
        lambda state=state: wait(backend, name, state) for state in (MachineState.RUNNING, MachineState.FROZEN)
    )
    found = {"launch": timed(lambda: backend.create(spec), up)}
    found["hibernate"] = timed(lambda: backend.freeze(name), frozen)
    found["state_bytes"] = float((backend._directory / name / "kept" / "memory").stat().st_size)
    found["wake"] = timed(lambda: backend.thaw(name), up)
    backend.destroy(name)
    backend.forget_home(name)
    return found


def main() -> None:
    """Measure, tell, write."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--environments", type=Path)
    given = options.parse_args()
    told = []
    with tempfile.TemporaryDirectory(prefix="atoll-vm-") as place:
        environments = given.environments or Path(place, "environments")
        image = build_virtual_machine("jupyter-vm", environments)
        backend = VmBackend(Path(place, "m"), environments, SystemClock(), HexMasterKey("5a" * 32))
        for number, memory in enumerate((GIB, 2 * GIB)):
            make_template(image, 1, memory)
            rounds = [one_round(backend, number * 100 + at, memory) for at in range(given.rounds)]
            medians = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
            told.append({"memory_bytes": memory, "state_part": medians["state_bytes"] / memory, **medians})
        runs = backend.capabilities.isolation
    table = Table("memory, GiB", "launch, s", "hibernate, s", "wake, s", "state, MB", "of the memory", title=runs)
    for row in told:
        table.add_row(
            f"{row['memory_bytes'] / GIB:.0f}", f"{row['launch']:.2f}", f"{row['hibernate']:.2f}", f"{row['wake']:.2f}",
            f"{row['state_bytes'] / 1e6:.0f}", f"{row['state_part']:.0%}",
        )  # fmt: skip
    Console().print(table)
    missed = [f"{name} {row[name]:.2f} s" for row in told for name in TARGETS if row[name] > TARGETS[name]]
    about = {"processors": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()[0], "runs": runs}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"about": about, "machines": told, "missed": missed}, indent=1) + "\n")
    if missed:
        sys.exit(f"Missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()

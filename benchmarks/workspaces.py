"""What it costs to look after 2,000 workspaces on which nothing happens, and when much happens.

    python benchmarks/workspaces.py [--workspaces 2000] [--rounds 5]

Workspaces on the simulated backend, records in SQLite in a temporary directory. CPU
seconds of this process are told, medians of the rounds:

- quiet: one pass of reconcile (every standing workspace) and poll (one listing);
- wishes: the frequent reconcile that looks at new wishes only;
- sweep: ledger and backend compared both ways;
- mass stop: a host restart is seen on all of them at once (one pass of poll and reconcile).

Target: a quiet pass under 1 s of CPU. Exits 1 when it is missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from atoll.flows.converge_workspace import converge_workspaces
from atoll.flows.poll_machines import poll_machines
from atoll.flows.rooms import Rooms
from atoll.flows.sweep_machines import sweep_machines
from atoll.model.record import new_id
from atoll.model.workspace import MachineState, Observed, Resource, Workspace
from atoll.ports.backend import MachineSpec
from atoll.ports.records import Put
from atoll.providers.simulator import SimulatedBackend
from atoll.settings import Settings
from atoll.wiring import platform as wiring

RESULTS = Path(__file__).parent / "results" / "workspaces.json"
TARGET_SECONDS = 1.0


def fill(rooms: Rooms, backend: SimulatedBackend, count: int) -> None:
    """Workspaces that run, as launched, with their ledger rows and machines."""
    writes: list[Put] = []
    now = rooms.clock.now()
    for number in range(count):
        workspace, token = new_id("wsp"), new_id("res")
        writes.append(
            Put(
                Workspace(
                    id=workspace,
                    name=f"notebook-{number}",
                    owner=f"per_{number % 300}",
                    owner_login=f"person{number % 300}",
                    project=f"project-{number % 40}",
                    product="jupyter@1",
                    size="m5.large",
                    backend=backend.name,
                    eur_per_hour=Decimal("0.0875"),
                    created_at=now,
                    expires_at=now + timedelta(days=30),
                    desired_because=f"asked by person{number % 300}",
                    observed=Observed(state=MachineState.RUNNING, at=now),
                    observed_generation=1,
                )
            )
        )
        writes.append(
            Put(
                Resource(
                    id=token,
                    workspace=workspace,
                    operation="op_bench",
                    backend=backend.name,
                    size="m5.large",
                    made_at=now,
                    seen_at=now,
                )
            )
        )
        backend.create(
            MachineSpec(
                workspace=workspace,
                token=token,
                environment="jupyter",
                service="jupyter",
                base_url=f"/w/{workspace}/",
                vcpu=2,
                memory_bytes=2**33,
                home_bytes=2**33,
            )
        )
    for start in range(0, len(writes), 50):
        rooms.records.transact(writes[start : start + 50])


def measured(duty: Callable[[], int], rounds: int) -> tuple[float, float]:
    """Median CPU and wall seconds."""
    cpu, wall = [], []
    for _ in range(rounds):
        began, began_wall = time.process_time(), time.perf_counter()
        duty()
        cpu.append(time.process_time() - began)
        wall.append(time.perf_counter() - began_wall)
    return statistics.median(cpu), statistics.median(wall)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspaces", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as home:
        rooms = wiring.build(Settings(home=Path(home), query_workers=0))
        backend = SimulatedBackend(rooms.clock, boot_seconds=0.0)
        rooms = dataclasses.replace(rooms, backends={backend.name: backend})
        fill(rooms, backend, given.workspaces)
        figures = {
            "quiet": measured(lambda: poll_machines(rooms) + converge_workspaces(rooms), given.rounds),
            "wishes": measured(lambda: converge_workspaces(rooms, unmet_only=True), given.rounds),
            "sweep": measured(lambda: sweep_machines(rooms), given.rounds),
        }
        backend.restart_host()
        figures["mass stop"] = measured(lambda: poll_machines(rooms) + converge_workspaces(rooms), 1)
        opened = len(rooms.operations.open())
        wiring.close(rooms)
    table = Table(title=f"{given.workspaces} workspaces")
    for column in ("duty", "CPU s", "wall s"):
        table.add_column(column)
    for name, (cpu, wall) in figures.items():
        table.add_row(name, f"{cpu:.3f}", f"{wall:.3f}")
    Console().print(table)
    met = figures["quiet"][0] < TARGET_SECONDS and opened == given.workspaces
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps(
            {
                "workspaces": given.workspaces,
                "seconds": {name: {"cpu": round(c, 4), "wall": round(w, 4)} for name, (c, w) in figures.items()},
                "target_cpu_seconds": TARGET_SECONDS,
                "met": met,
                "operations_opened_in_mass_stop": opened,
                "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
            },
            indent=1,
        )
        + "\n"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

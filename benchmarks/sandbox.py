"""Sandboxes on this host: launch, wake, and many at once.

    python benchmarks/sandbox.py [--rounds 5] [--machines 50] [--directory DIR]

    bare       the same command as a machine runs, started by hand on a unix socket in a
               directory of its own, until its `/api` answers
    launch     create to the first `running` observed, the same environment
    wake       thaw of a hibernated machine until its `/api` answers
    many       machines of a tiny environment, created one after the other and alive at once

Bare and launch take turns; figures are medians of wall seconds. They are written to
benchmarks/results/sandbox.json. Targets: launch at most 1.3 times bare, wake under 0.5 s,
every one of the many runs, answers and leaves nothing. Exits 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from atoll.model.workspace import MachineState
from atoll.ports.backend import MachineSpec
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend, build_environment
from atoll.providers.sandbox.answering import answers
from atoll.providers.sandbox.environment import read_environment

HERE = Path(__file__).resolve().parent
TINY = HERE.parent / "tests" / "machines" / "environments"
RESULTS = HERE / "results" / "sandbox.json"
MOST_TO_BARE, WAKE_SECONDS, LOOK_SECONDS, PATIENCE_SECONDS = 1.3, 0.5, 0.01, 120
GIB = 2**30


def spec(workspace: str, environment: str, memory_bytes: int) -> MachineSpec:
    return MachineSpec(
        workspace=workspace,
        token=f"{workspace}-token",
        environment=environment,
        service="jupyter",
        base_url=f"/w/{workspace}/",
        vcpu=os.cpu_count() or 1,
        memory_bytes=memory_bytes,
        home_bytes=GIB,
    )


def until(true, what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > end:
            sys.exit(f"{what} did not come in {PATIENCE_SECONDS} s")
        time.sleep(LOOK_SECONDS)


def bare(environments: Path, place: Path) -> float:
    """Start the environment's own command without a sandbox; seconds to the first answer."""
    place.mkdir()
    socket = place / "jup.sock"
    command = read_environment(environments / "jupyter").command("jupyter", {}, socket=str(socket), base_url="/w/bare/")
    inside, outside = "/opt/environment", str(environments / "jupyter")
    words = [word.replace(inside, outside).replace("/home/user", str(place)) for word in command]
    variables = {"HOME": str(place), "PATH": os.environ["PATH"], "JUPYTER_PATH": f"{outside}/venv/share/jupyter"}
    began = time.perf_counter()
    log = (place / "log").open("w")
    with subprocess.Popen([*words, "--allow-root"], env=variables, cwd=place, stdout=log, stderr=log) as process:
        until(lambda: answers(socket, "/w/bare/"), "the bare server's answer")
        took = time.perf_counter() - began
        process.send_signal(signal.SIGTERM)
    shutil.rmtree(place)
    return took


def launch_and_wake(backend: SandboxBackend, workspace: str) -> tuple[float, float]:
    """Seconds from create to running, and from thaw to an answer."""
    began = time.perf_counter()
    backend.create(spec(workspace, "jupyter", 2 * GIB))
    until(lambda: backend.observe(workspace).state is MachineState.RUNNING, "the machine")
    launched = time.perf_counter() - began
    backend.freeze(workspace)
    time.sleep(0.5)
    began = time.perf_counter()
    backend.thaw(workspace)
    until(lambda: backend.observe(workspace).socket is not None, "the woken machine")
    woken = time.perf_counter() - began
    backend.destroy(workspace)
    backend.forget_home(workspace)
    return launched, woken


def many(directory: Path, count: int) -> dict[str, float]:
    """Run so many machines at once; seconds for all to run, for one listing and for all to be gone."""
    backend = SandboxBackend(directory, TINY, SystemClock())
    names = [f"ws-{number:03}" for number in range(count)]
    began = time.perf_counter()
    for name in names:
        backend.create(spec(name, "tiny", GIB // 8))
    until(lambda: all(seen.state is MachineState.RUNNING for seen in backend.list_machines()), "every machine")
    running = time.perf_counter() - began
    began = time.perf_counter()
    seen = backend.list_machines()
    listed = time.perf_counter() - began
    memory = sum(backend.figures(name).memory_bytes for name in names)
    began = time.perf_counter()
    for name in names:
        backend.destroy(name)
        backend.forget_home(name)
    gone = time.perf_counter() - began
    left = len(backend.list_machines()) + sum(not entry.name.startswith(".") for entry in directory.iterdir())
    return {
        "machines": count,
        "ran": sum(one.state is MachineState.RUNNING and one.socket is not None for one in seen),
        "left": left,
        "all_running_seconds": running,
        "listing_seconds": listed,
        "all_gone_seconds": gone,
        "memory_bytes": memory,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--directory", type=Path, help="where the environment is built and kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        environments = (asked.directory or place / "environments").absolute()
        build_environment("jupyter", environments)
        backend = SandboxBackend(place / "m", environments, SystemClock())
        # The first of each warms the host's page cache and is not counted.
        rounds = [
            (bare(environments, place / f"bare-{number}"), *launch_and_wake(backend, f"lab-{number}"))
            for number in range(asked.rounds + 1)
        ][1:]
        limits = backend.capabilities.limits
        crowd = many(place / "many", asked.machines)
    bares, launches, wakes = zip(*rounds, strict=True)
    result = {
        "host": {"cpus": os.cpu_count(), "kernel": platform.release(), "limits": limits},
        "rounds": asked.rounds,
        "bare_seconds": statistics.median(bares),
        "launch_seconds": statistics.median(launches),
        "launch_to_bare": statistics.median(launches) / statistics.median(bares),
        "wake_seconds": statistics.median(wakes),
        "many": crowd,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    met = (
        result["launch_to_bare"] <= MOST_TO_BARE
        and result["wake_seconds"] < WAKE_SECONDS
        and crowd["ran"] == crowd["machines"]
        and crowd["left"] == 0
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

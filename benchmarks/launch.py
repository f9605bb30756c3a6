"""From the request for JupyterLab to its first answer: this platform, bare, and JupyterHub.

    python benchmarks/launch.py [--rounds 5] [--directory DIR]

    bare    the environment's own command, started by hand on a unix socket
    hub     JupyterHub with SimpleLocalProcessSpawner and configurable-http-proxy, the same JupyterLab
            from the same directory: POST of the server until `/user/<name>/api` answers
    cold    `atoll up` in a process of its own: POST of the workspace until `/w/<id>/api` answers, in a
            sandbox with its gateway, the project's share and the client mounted
    warm    the same of a product that keeps one machine ready

They take turns, warm last (its pool is filled between rounds); figures are medians of wall
seconds. Hub and platform are asked over HTTP on the loopback. They are written to
benchmarks/results/launch.json. Targets: cold at most 1.3 times bare and not slower than
the hub, warm under 1 s. Exits 1 when one is missed.
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
from decimal import Decimal
from importlib import resources
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from tests.e2e.process import Platform  # noqa: E402

from _jupyterhub import Hub, install  # noqa: E402 - beside this file
from atoll.client import AtollClient  # noqa: E402
from atoll.providers.sandbox import build_environment  # noqa: E402
from atoll.providers.sandbox.answering import answers  # noqa: E402
from sandbox import bare  # noqa: E402

RESULTS = HERE / "results" / "launch.json"
MOST_TO_BARE, MOST_TO_HUB, WARM_SECONDS = 1.3, 1.0, 1.0
LOOK_SECONDS, PATIENCE_SECONDS = 0.01, 120
SIZE = "m5.large"


def until(true, what: str, log: Path, pause: float = LOOK_SECONDS) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > end:
            sys.exit(f"{what} did not come in {PATIENCE_SECONDS} s:\n{log.read_text()[-3000:]}")
        time.sleep(pause)


class Atoll:
    """A platform with a person who may launch."""

    def __init__(self, place: Path, environments: Path) -> None:
        place.mkdir()
        room = {"ATOLL_HOST_VCPU": "64", "ATOLL_HOST_MEMORY_BYTES": str(2**38), "ATOLL_PERSON_VCPU": "64"}
        self.platform = Platform(place, {"ATOLL_ENVIRONMENTS_DIR": str(environments), **room})
        self.platform.start()
        self.admin = AtollClient(self.platform.url, self.platform.tokens["admin"])
        self.admin.people.add("ada", "Ada", ["scientist"], "correct horse battery staple")
        self.admin.projects.add("bench", "Launches")
        self.admin.projects.add_member("bench", "ada")
        self.admin.people.add("olga", "Olga", ["admin", "steward"], "correct horse battery staple")
        self.ada = self._signed_in("ada")
        self.operator = self._signed_in("olga")
        self.price = next(size["eur_per_hour"] for size in self.ada.products.sizes() if size["name"] == SIZE)

    def _signed_in(self, login: str) -> AtollClient:
        with AtollClient(self.platform.url) as nobody:
            token = nobody.accounts.sign_in(login, "correct horse battery staple")["token"]
        return AtollClient(self.platform.url, token)

    def keep_ready(self) -> None:
        """Publish the shipped product with a pool of one."""
        text = (resources.files("atoll.workspaces") / "products" / "jupyter.yaml").read_text()
        self.operator.products.publish(text + f"warm_pool: {{{SIZE}: 1}}\n")

    def waiting(self) -> list[Path]:
        """Machines that answer and are nobody's."""
        directory = self.platform.home / "machines"
        known = {workspace["id"] for workspace in self.ada.workspaces.list(ended=True)}
        return [
            entry
            for entry in directory.glob("wsp_*")
            if entry.name not in known and answers(entry / "run" / "jup.sock", f"/w/{entry.name}/")
        ]

    def launch(self) -> float:
        """Seconds to the first answer of the service that its person has."""
        began = time.perf_counter()
        made = self.ada.workspaces.create("jupyter", "bench", size=SIZE, confirm_eur_per_hour=Decimal(str(self.price)))
        workspace = made.get("workspace", made)["id"]
        machine = self.platform.home / "machines" / workspace

        def theirs() -> bool:
            waited = 'anonymous": true' in read(machine / "machine.json")
            given = not waited or (machine / "claimed.json").exists()
            return given and answers(machine / "run" / "jup.sock", f"/w/{workspace}/")

        until(theirs, "the workspace's answer", self.platform.log)
        took = time.perf_counter() - began
        self.ada.workspaces.terminate(workspace)
        until(lambda: not machine.exists(), "the workspace's end", self.platform.log, 0.2)
        return took


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def measure(place: Path, environments: Path, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"bare": [], "hub": [], "cold": [], "warm": []}
    environment = environments / "jupyter"
    atoll = Atoll(place / "atoll", environments)
    try:
        with Hub(install(environments / ".jupyterhub", environment), environment, place / "hub") as hub:
            for number in range(rounds + 1):
                found["bare"].append(bare(environments, place / f"bare-{number}"))
                found["hub"].append(hub.launch(f"ada{number}"))
                found["cold"].append(atoll.launch())
        atoll.keep_ready()
        for _ in range(rounds + 1):
            until(lambda: bool(atoll.waiting()), "a machine that is ready", atoll.platform.log, 0.2)
            # It is seen to be ready within one pass of the platform.
            time.sleep(6)
            found["warm"].append(atoll.launch())
    finally:
        atoll.platform.stop()
    return {name: seconds[1:] for name, seconds in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--directory", type=Path, help="where environment and hub are installed and kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        environments = (asked.directory or place / "environments").absolute()
        build_environment("jupyter", environments)
        found = measure(place, environments, asked.rounds)
    seconds = {name: statistics.median(values) for name, values in found.items()}
    result = {
        "host": {"cpus": os.cpu_count(), "kernel": platform.release()},
        "rounds": asked.rounds,
        **{f"{name}_seconds": value for name, value in seconds.items()},
        "cold_to_bare": seconds["cold"] / seconds["bare"],
        "cold_to_hub": seconds["cold"] / seconds["hub"],
        "warm_to_hub": seconds["warm"] / seconds["hub"],
        "all": found,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    met = (
        result["cold_to_bare"] <= MOST_TO_BARE
        and result["cold_to_hub"] <= MOST_TO_HUB
        and seconds["warm"] < WARM_SECONDS
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

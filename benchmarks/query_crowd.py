"""Sixteen people querying at once.

    python benchmarks/query_crowd.py [--seconds 20]

Each asks small queries of their own, one after the other with a thinking pause, through the
whole story (see `query.py`); one of them asks something large all the time. Target on two
cores: no failure, p99 of the small queries below 1 s, and the memory of all query
processes together below what the settings allow. Exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console

from atoll.errors import AtollError
from atoll.flows.rooms import Rooms
from atoll.model.person import Caller
from atoll.query.process import MEMORY_SLACK_BYTES
from atoll.settings import Settings
from atoll.wiring import platform as wiring
from query import OBSERVATIONS, QUERIES, SUBJECTS, commit, grant, observations, subjects, timed_governed

RESULTS = Path(__file__).parent / "results" / "query_crowd.json"
PEOPLE = 16
P99_MS = 1000.0
THINK_SECONDS = 1.0
SMALL = ("count", "point")


class Crowd:
    """People who ask until the time is over."""

    def __init__(self, rooms: Rooms, caller: Caller, seconds: float) -> None:
        self._rooms = rooms
        self._caller = caller
        self._end = time.monotonic() + seconds
        self.small_ms: list[float] = []
        self.large_ms: list[float] = []
        self.failures: list[str] = []
        self.most_bytes = 0

    def ask(self, number: int) -> None:
        chance = random.Random(number)
        while time.monotonic() < self._end:
            large = number == 0
            name = "join" if large else chance.choice(SMALL)
            sql = QUERIES[name].format(observations="bench.observations", subjects="bench.subjects")
            try:
                (self.large_ms if large else self.small_ms).append(timed_governed(self._rooms, self._caller, sql)[0])
            except AtollError as error:
                self.failures.append(str(error))
            time.sleep(chance.uniform(0, 2 * THINK_SECONDS))

    def watch(self) -> None:
        """Resident memory of all query processes: pages that copies share count for each."""
        me = psutil.Process()
        while time.monotonic() < self._end:
            used = 0
            for child in me.children(recursive=True):
                try:
                    used += child.memory_info().rss
                except psutil.Error:
                    continue
            self.most_bytes = max(self.most_bytes, used)
            time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="how long they ask")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as home:
        settings = Settings(home=Path(home))
        rooms = wiring.build(settings)
        try:
            tables = (
                commit(rooms.lake, OBSERVATIONS, [observations(250_000, seed) for seed in range(4)]),
                commit(rooms.lake, SUBJECTS, [subjects()]),
            )
            caller = grant(rooms, tables)
            rooms.engine.wait_ready(60)
            crowd = Crowd(rooms, caller, options.seconds)
            watcher = threading.Thread(target=crowd.watch)
            watcher.start()
            with ThreadPoolExecutor(PEOPLE) as pool:
                list(pool.map(crowd.ask, range(PEOPLE)))
            watcher.join()
        finally:
            wiring.close(rooms)
    small = sorted(crowd.small_ms)
    allowed = settings.query_concurrency * (settings.query_memory_bytes + MEMORY_SLACK_BYTES)
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "people": PEOPLE,
        "small_queries": len(small),
        "large_queries": len(crowd.large_ms),
        "failures": len(crowd.failures),
        "p50_ms": round(small[len(small) // 2], 1),
        "p99_ms": round(small[int(len(small) * 0.99)], 1),
        "most_bytes": crowd.most_bytes,
        "allowed_bytes": allowed,
        "target": f"no failure, p99 of small queries below {P99_MS:g} ms, memory below the setting",
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    Console().print_json(data=report)
    met = not crowd.failures and report["p99_ms"] < P99_MS and crowd.most_bytes < allowed
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

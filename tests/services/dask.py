"""A Dask scheduler and workers, each a process of its own on this host."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_START_SECONDS = 60


@dataclass
class Cluster:
    """Processes by their place; the scheduler's address is in `address` once it started."""

    directory: Path
    #: Further options of both commands, such as those of TLS.
    options: Sequence[str] = ()
    #: Before the command of each worker, such as `taskset -c 0`.
    before: Sequence[Sequence[str]] = ()
    address: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _scheduler: subprocess.Popen[bytes] | None = None

    def start(self, workers: int) -> None:
        """Start the scheduler, and that many workers of one thread; wait until it answers."""
        said = self.directory / "scheduler.json"
        self._scheduler = self._run(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(said)
        )
        deadline = time.monotonic() + _START_SECONDS
        while not (said.exists() and said.stat().st_size):
            assert self._scheduler.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        self.address = str(json.loads(said.read_text())["address"]).rpartition("/")[2]
        for number in range(workers):
            before = self.before[number] if self.before else ()
            self.workers.append(
                self._run(
                    "dask_worker",
                    *("--scheduler-file", str(said), "--nthreads", "1", "--no-nanny", "--no-dashboard"),
                    *("--name", str(number), "--local-directory", str(self.directory)),
                    before=before,
                )
            )

    def stop(self) -> None:
        """End all that still run."""
        for process in (*self.workers, self._scheduler):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()

    def log(self) -> str:
        """What all processes said."""
        return "".join(path.read_text() for path in sorted(self.directory.glob("*.log")))

    def _run(self, command: str, *arguments: str, before: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        number = len(list(self.directory.glob("*.log")))
        with (self.directory / f"{command}-{number}.log").open("wb") as log:
            return subprocess.Popen(
                [*before, sys.executable, "-m", f"distributed.cli.{command}", *arguments, *self.options],
                stdout=log,
                stderr=log,
                env={**os.environ, "POLARS_MAX_THREADS": "1"},
            )

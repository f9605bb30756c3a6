"""The parent's side of one query process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
from io import BufferedReader
from pathlib import Path

from atoll.errors import AtollError, Conflict, LimitExceeded, Unavailable
from atoll.query.birth import Nursery, readable
from atoll.query.job import PROGRESS, READY, Job

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
#: Resident memory beyond the engine's limit at which a process is killed: interpreter,
#: libraries and Arrow buffers take about 150 MB.
MEMORY_SLACK_BYTES = 384 * 2**20
_WATCH_SECONDS = 0.05
_KILL_SECONDS = 10.0
_PIPE_BYTES = 2**20


def remove_stale(temp_dir: Path) -> None:
    """Remove the directories of query processes whose platform was killed."""
    for home in temp_dir.glob("query-*-*"):
        pid = home.name.split("-")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(home, ignore_errors=True)


class QueryProcess:
    """A started process that waits for its job, in a private directory of its own.

    It is born by a nursery, and dies with it.
    """

    def __init__(self, temp_dir: Path, nursery: Nursery) -> None:
        temp_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._home = tempfile.mkdtemp(prefix=f"query-{os.getpid()}-", dir=temp_dir)
        self._verdict: AtollError | None = None
        self._over = threading.Event()
        self._ready = False
        try:
            self._process = nursery.bear(Path(self._home))
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise
        # A batch should pass in few turns; where the system allows no more, less will do.
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    @property
    def output(self) -> BufferedReader:
        """What the process answers."""
        return self._process.stdout

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.wait(0) is None

    def wait_ready(self, seconds: float) -> bool:
        """Whether it says within the time that it waits for a job."""
        # A byte that was peeked at before is in the buffer, where `select` does not see it.
        self._ready = self._ready or readable(self.output.fileno(), seconds)
        return self._ready and self.output.peek(1)[:1] == READY

    def send(self, job: Job) -> None:
        """Give it its job and start to watch its time and memory."""
        watch = threading.Thread(
            target=self._watch, args=(job.limits.seconds, job.limits.memory_bytes), name="query-watch", daemon=True
        )
        watch.start()
        stdin = self._process.stdin
        # When it has died the answer says so; the write need not.
        with contextlib.suppress(OSError):
            stdin.write(job.model_dump_json().encode() + b"\n")
            stdin.close()
        if self.output.peek(1)[:1] == READY:
            self.output.read(1)

    def progress(self) -> float | None:
        """How far its query is, 0 to 1, where the engine can tell."""
        try:
            return min(max(float(Path(self._home, PROGRESS).read_bytes()[:20]), 0.0), 1.0)
        except (OSError, ValueError):
            return None

    def cancel(self) -> None:
        """Kill it; who reads its answer is told `Conflict`."""
        self._end(Conflict("The query was cancelled."))

    def verdict(self) -> AtollError:
        """Why it ended without a status."""
        code = self._reap()
        if self._verdict is not None:
            return self._verdict
        if code == -9:
            return _over_memory()
        return Unavailable(
            "The query's process ended unexpectedly.",
            where=f"exit {code}",
            todo="Other queries are not touched. If it happens again, send the statement to the operators.",
        )

    def kill(self) -> None:
        """Kill it if it runs; `close` tidies up. Idempotent."""
        self._over.set()
        self._process.kill()

    def close(self) -> None:
        """Kill it if it runs, and remove its directory. Idempotent."""
        self._over.set()
        self._reap()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _reap(self) -> int:
        # An answer that breaks off means that it is ending; its own exit code tells why.
        code = self._process.wait(0.5 if not self._over.is_set() else 0)
        if code is None:
            self._process.kill()
            code = self._process.wait(_KILL_SECONDS)
        return -9 if code is None else code

    def _end(self, verdict: AtollError) -> None:
        self._verdict = self._verdict or verdict
        self._process.kill()

    def _watch(self, seconds: float, memory_bytes: int) -> None:
        waited = 0.0
        while not self._over.wait(_WATCH_SECONDS):
            waited += _WATCH_SECONDS
            if waited >= seconds:
                self._end(LimitExceeded(f"The query took longer than {seconds:g} s.", todo="Read less, or aggregate."))
                return
            if _resident_bytes(self.pid) > memory_bytes + MEMORY_SLACK_BYTES:
                self._end(_over_memory())
                return


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0


def _over_memory() -> LimitExceeded:
    return LimitExceeded(
        "The query needs more memory than it may use.", todo="Read fewer columns or rows, or aggregate earlier."
    )

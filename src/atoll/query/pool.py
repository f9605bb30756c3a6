"""Query processes kept warm, so that a small query does not wait for one to be born."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from atoll.errors import Unavailable
from atoll.query.birth import Nursery
from atoll.query.process import QueryProcess, remove_stale

#: While queries run, a spare is born only after this time: it takes a core for a twentieth of a second.
_REFILL_SECONDS = 0.2


class ProcessPool:
    """Spare query processes, each good for one query.

    All come from one nursery, which one thread starts that lives as long as the pool:
    the kernel ties a process to the thread that started it.
    """

    def __init__(self, size: int, temp_dir: Path) -> None:
        self._size = size
        self._temp_dir = temp_dir
        remove_stale(temp_dir)
        self._change = threading.Condition()
        self._spares: list[QueryProcess] = []
        self._taken: set[QueryProcess] = set()
        #: Killed, and still to be tidied up after.
        self._ended: list[QueryProcess] = []
        self._wanted = 0
        self._last_taken = 0.0
        self._nursery = Nursery()
        self._closed = False
        self._failure = ""
        self._keeper = threading.Thread(target=self._keep, name="query-keeper", daemon=True)
        self._keeper.start()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def take(self) -> QueryProcess:
        """A process for one query: a spare, or one started now. Give it back with `release`."""
        with self._change:
            self._wanted += 1
            self._change.notify_all()
            try:
                while True:
                    while self._spares:
                        process = self._spares.pop(0)
                        if process.alive():
                            self._taken.add(process)
                            self._last_taken = time.monotonic()
                            return process
                        process.close()
                    if self._closed or self._failure:
                        raise Unavailable(
                            "No query process can be started." if self._failure else "The query engine is closed.",
                            where=self._failure,
                        )
                    self._change.wait()
            finally:
                self._wanted -= 1

    def release(self, process: QueryProcess) -> None:
        """End a taken process, whatever it does; who gave it back does not wait until it is gone."""
        process.kill()
        with self._change:
            self._taken.discard(process)
            closed = self._closed
            if not closed:
                self._ended.append(process)
            self._change.notify_all()
        if closed:
            process.close()

    def wait_ready(self, seconds: float) -> bool:
        """Whether all spares wait for a job within the time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self._change:
                spares = [spare for spare in self._spares if spare.alive()]
                if len(spares) >= self._size and all(spare.wait_ready(0) for spare in spares):
                    return True
            time.sleep(0.01)
        return False

    def close(self) -> None:
        """End every process and the keeper. Idempotent."""
        with self._change:
            self._closed = True
            processes = [*self._spares, *self._taken, *self._ended]
            self._spares.clear()
            self._ended.clear()
            self._change.notify_all()
        for process in processes:
            process.close()
        self._keeper.join(timeout=10)
        self._nursery.close()

    def _keep(self) -> None:
        while True:
            with self._change:
                while not self._closed and not self._ended and not self._lacking():
                    self._change.wait(_REFILL_SECONDS)
                if self._closed:
                    return
                ended, self._ended = self._ended, []
                lacking = self._lacking()
            for process in ended:
                process.close()
            if not lacking:
                continue
            started, failure = self._start()
            with self._change:
                self._failure = failure
                if started and self._closed:
                    started.close()
                elif started:
                    self._spares.append(started)
                self._change.notify_all()
            if failure:
                time.sleep(_REFILL_SECONDS)

    def _lacking(self) -> bool:
        if len(self._spares) < self._wanted:
            return True
        quiet = not self._taken or time.monotonic() - self._last_taken > _REFILL_SECONDS
        return quiet and len(self._spares) < self._size

    def _start(self) -> tuple[QueryProcess | None, str]:
        try:
            return QueryProcess(self._temp_dir, self._nursery), ""
        except OSError as error:
            return None, error.strerror or "the operating system refused"

"""The platform's side of the nursery: it is started, asked for processes, and ended."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from io import BufferedReader, BufferedWriter
from pathlib import Path

from atoll.query.nursery import ANSWER, EXIT_CODE

#: Exit code of a process whose nursery was lost; no worker ends with it by itself.
_LOST = 255
_PROGRAM = ("-I", "-m", "atoll.query.nursery")
#: No secret; and no thread that an import would start (linear algebra's, the allocator's of Arrow), so that a copy
#: of the nursery is whole.
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
#: So long after a process's end its nursery has to tell the exit code.
_WORD_SECONDS = 1.0
#: A nursery that answers nothing for so long (an interpreter starts in it) counts as lost.
_ANSWER_SECONDS = 60.0


class Refused(OSError):
    """The system has no room for one more process; the nursery and those it bore are well."""


class Born:
    """A process that the nursery bore: its pipes, and a handle that never means another process."""

    def __init__(self, pid: int, handle: int, stdin: int, stdout: int, status: int) -> None:
        self.pid = pid
        self._handle = handle
        self._status = status
        self._lock = threading.Lock()
        self._code: int | None = None
        self.stdin: BufferedWriter = os.fdopen(stdin, "wb")
        self.stdout: BufferedReader = os.fdopen(stdout, "rb")

    def wait(self, seconds: float) -> int | None:
        """Its exit code, negative for a signal, once it has ended; None when it has not within the time."""
        with self._lock:
            if self._code is None and readable(self._handle, seconds):
                told = os.read(self._status, EXIT_CODE.size) if readable(self._status, _WORD_SECONDS) else b""
                # An end without a word: the nursery is lost, and the kernel killed what it bore; or it is stuck.
                self._code = EXIT_CODE.unpack(told)[0] if len(told) == EXIT_CODE.size else _LOST
                os.close(self._status)
                os.close(self._handle)
            return self._code

    def kill(self) -> None:
        """Kill it if it runs. Idempotent."""
        with self._lock:
            if self._code is None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._handle, signal.SIGKILL)


class Nursery:
    """Starts the nursery when it is first needed, and again when it was lost. For one thread that lives as long."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._calls: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it is there."""
        return self._process.pid if self._process else None

    def bear(self, home: Path) -> Born:
        """A new process with `home` as its directory. Raises `OSError`."""
        try:
            return self._ask(home)
        except Refused:
            raise
        except OSError:
            # Lost since the last time, or never there.
            self.close()
            self._start()
            return self._ask(home)

    def close(self) -> None:
        """End it, and with it every process that it bore. Idempotent."""
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_ANSWER_SECONDS)
        self._calls = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *_PROGRAM, str(os.getpid()), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # What the engine or a crash prints may hold values: it is not kept.
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )

    def _ask(self, home: Path) -> Born:
        if self._calls is None:
            raise OSError("the nursery is not there")
        pipes = [os.pipe() for _ in range(3)]
        (given, stdin), (stdout, taken), (status, told) = pipes
        try:
            socket.send_fds(self._calls, [os.fsencode(home)], [given, taken, told])
            return Born(*_answered(self._calls), stdin, stdout, status)
        except BaseException:
            for end in (stdin, stdout, status):
                os.close(end)
            raise
        finally:
            for end in (given, taken, told):
                os.close(end)


def readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read, or an end, within the time (`select` knows no descriptor past 1023)."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _answered(calls: socket.socket) -> tuple[int, int]:
    """Process id and handle. Raises `Refused`, and `OSError` when the nursery is lost."""
    answer, handles, _, _ = socket.recv_fds(calls, ANSWER.size, 1)
    if len(answer) != ANSWER.size:
        raise OSError("the nursery is lost")
    pid, code = ANSWER.unpack(answer)
    if code:
        raise Refused(code, os.strerror(code))
    if not handles:
        raise OSError("this process may open no more files")
    return pid, handles[0]

"""`python -m atoll.query.nursery PLATFORM_PID SOCKET`: bears query processes by forking itself.

To start an interpreter and load the engine takes a core for half a second; this process
has done it once, and every query process is a copy that runs one job and ends (see
`worker.py`). It opens no engine, reads no data, gets no secret, and runs in one thread,
which it checks before each birth: a lock that another thread holds would stay shut in
the copy for ever (`man 2 fork`). Copies share what it holds, which is program text.

Over the socket come the directory of a new process with its input, output and status
pipes; the answer is its process id with a handle on it, or why the system refused. When
one ends, its exit code goes to its status pipe. When the platform goes, so does the
socket, then this, then, by the kernel, every process that it bore.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import resource
import select
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from atoll.query import worker
from atoll.query.functions import allowed_functions

#: Exit code in a status pipe: negative for a signal, as `subprocess` has it.
EXIT_CODE = struct.Struct("<i")
#: An answer: a process id, or 0 and why there is none (errno).
ANSWER = struct.Struct("<ii")
_MAX_PATH_BYTES = 4096
#: When the system runs out of memory, queries go before the platform.
_OOM_SCORE = b"500"


@dataclass(frozen=True)
class _Child:
    pid: int
    handle: int
    status: int


def main() -> None:
    """Bear processes until the platform goes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_bytes(_OOM_SCORE)
    worker.watch_parent(int(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    allowed_functions()
    # What is loaded stays: a copy need not look through it, which would copy its pages.
    gc.freeze()
    calls = socket.socket(fileno=int(sys.argv[2]))
    poll = select.poll()
    poll.register(calls, select.POLLIN)
    children: dict[int, _Child] = {}
    while True:
        for ready, _ in poll.poll():
            if ready in children:
                poll.unregister(ready)
                _bury(children.pop(ready))
                continue
            home, descriptors, _, _ = socket.recv_fds(calls, _MAX_PATH_BYTES, 3)
            if not home:
                return
            child = _bear(calls, home, descriptors)
            if child is not None:
                children[child.handle] = child
                poll.register(child.handle, select.POLLIN)


def _bear(calls: socket.socket, home: bytes, descriptors: list[int]) -> _Child | None:
    """A process for the call, told to who asked; None, and told why, when the system has no room for it."""
    try:
        child = _fork(home, *descriptors)
    except (OSError, TypeError) as error:
        # Fewer descriptors than were sent: this process may open no more.
        code = error.errno if isinstance(error, OSError) and error.errno else errno.EMFILE
        for descriptor in descriptors:
            os.close(descriptor)
        calls.send(ANSWER.pack(0, code))
        return None
    for descriptor in descriptors[:2]:
        os.close(descriptor)
    socket.send_fds(calls, [ANSWER.pack(child.pid, 0)], [child.handle])
    return child


def _fork(home: bytes, given: int, taken: int, status: int) -> _Child:
    me = os.getpid()
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        # Somebody's import started a thread: no copy of this is safe, and a new start would do the same.
        raise OSError(errno.EDEADLK, os.strerror(errno.EDEADLK))
    pid = os.fork()
    if pid == 0:
        _become(me, home, given, taken)
    try:
        return _Child(pid, os.pidfd_open(pid), status)
    except OSError:
        # Unreaped, so the id is still its own; without its pipes it ends by itself soon.
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        raise


def _become(parent: int, home: bytes, given: int, taken: int) -> NoReturn:
    """Run one job with its pipes as standard input and output, and nothing else open."""
    code = 1
    try:
        os.setsid()
        os.dup2(given, 0)
        os.dup2(taken, 1)
        os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), 65_536))
        os.chdir(home)
        os.environ.update(HOME=os.fsdecode(home), TMPDIR=os.fsdecode(home))
        worker.main(parent)
        code = 0
    finally:
        # Whatever was raised: a copy must never come back into the loop that bore it.
        os._exit(code)


def _bury(child: _Child) -> None:
    _, status = os.waitpid(child.pid, 0)
    # Who does not read it any more has let the process go.
    with contextlib.suppress(OSError):
        os.write(child.status, EXIT_CODE.pack(os.waitstatus_to_exitcode(status)))
    os.close(child.status)
    os.close(child.handle)


if __name__ == "__main__":
    main()

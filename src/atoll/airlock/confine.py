"""What a checking process gives up before it reads a file that may be hostile."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
#: The same numbers on every architecture (Linux Landlock, since 5.13).
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION = 1
_FILES = (1 << 13) - 1
_TCP = 0b11
#: Libraries and stacks of threads take address space that is no memory.
_SLACK_BYTES = 6 * 2**30


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64)]


def confine(parent: int, memory_bytes: int, seconds: float) -> None:
    """Write no file, start no program, open no connection, take so much memory and time; die with the parent.

    What is read is the interpreter's own modules only: the file comes by a pipe.
    Where the kernel has no Landlock the limits and the pipe remain.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_PDEATHSIG, signal.SIGKILL), (_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_DUMPABLE, 0)):
        libc.prctl(option, value, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    most = memory_bytes + _SLACK_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return
    # Modules are imported later than this, so reading stays; everything else of files is handled and so denied.
    written = _FILES & ~(1 << 2) & ~(1 << 3)
    rules = _Ruleset(written, _TCP if version >= 4 else 0)
    size = 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if ruleset < 0 or libc.syscall(_RESTRICT_SELF, ruleset, 0) < 0:
        os._exit(1)
    os.close(ruleset)

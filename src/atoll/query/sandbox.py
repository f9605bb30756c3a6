"""What the kernel takes from a query process before it reads anything (Linux Landlock).

Were guard and engine both broken through, the process still could not write a file
outside its own directory, run a program, open a TCP connection or signal another
process. See https://docs.kernel.org/userspace-api/landlock.html; kernels without it
(before 5.13, or not enabled) leave the other layers.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from atoll.errors import Unavailable

_PR_SET_NO_NEW_PRIVS = 38
#: The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE = 1 << 0
#: Write, remove and make files and directories of every kind (rights 1 and 4 to 12).
_WRITE = 1 << 1 | sum(1 << right for right in range(4, 13))
_REFER = 1 << 13  # since version 2
_TRUNCATE = 1 << 14  # since version 3
_BIND_AND_CONNECT_TCP = 0b11  # since version 4
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11  # since version 6


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def restrict(home: Path) -> int:
    """Let this thread, and those it starts from now on, write below `home` only; for good.

    Returns the kernel's version of Landlock, 0 where there is none. Raises
    `Unavailable` when a kernel that has it does not apply it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION)
    if version < 1:
        return 0
    written = _WRITE | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    rules = _Ruleset(
        _EXECUTE | written,
        _BIND_AND_CONNECT_TCP if version >= 4 else 0,
        _ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0,
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _checked(libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0))
    directory = os.open(home, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        beneath = _PathBeneath(written, directory)
        _checked(libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(beneath), 0))
        _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(directory)
        os.close(ruleset)
    return int(version)


def _checked(result: int) -> int:
    if result < 0:
        raise Unavailable("The query process cannot confine itself.", where=f"errno {ctypes.get_errno()}")
    return result

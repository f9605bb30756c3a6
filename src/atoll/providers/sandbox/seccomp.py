"""The system calls that a machine may not make, as a filter that bubblewrap loads.

Everything that a workspace's programs need stays open; closed is what changes the
system, looks into other processes, reaches hardware or has often been a way out of
containers. Sources: the lists of Docker (moby/profiles/seccomp), Flatpak
(flatpak-run.c) and systemd's `@default` groups.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from tempfile import TemporaryFile

from atoll.errors import Unavailable

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97
_NE, _EQ, _GE, _MASKED_EQ = 1, 4, 5, 7

_REFUSED = [
    "acct",
    "add_key",
    "bpf",
    "chroot",
    "clock_adjtime",
    "clock_adjtime64",
    "clock_settime",
    "clock_settime64",
    "create_module",
    "delete_module",
    "fanotify_init",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "get_kernel_syms",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "migrate_pages",
    "modify_ldt",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "open_tree_attr",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "query_module",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "stime",
    "swapoff",
    "swapon",
    "syslog",
    "sysfs",
    "_sysctl",
    "umount",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "vhangup",
    "vm86",
    "vm86old",
    "vserver",
]
#: Numbers of calls that a libseccomp may be too old to name; the same on every architecture.
_NUMBERS = {"pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443, "open_tree_attr": 467}
#: Namespaces that `clone` could make (CLONE_NEW*: time, mount, cgroup, uts, ipc, user, pid, net).
_NEW_NAMESPACES = (0x80, 0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
#: Push characters into a terminal as if typed there; the second is of the Linux console.
_TERMINAL_TRICKS = (0x5412, 0x541C)
#: unix, inet, inet6, netlink (which lists interfaces). Others reach past the network namespace, as vsock does.
_FAMILIES = (1, 2, 10, 16)


class _Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


@cache
def machine_filter() -> bytes:
    """The filter as a BPF program for this architecture.

    Raises `Unavailable` when libseccomp is missing or refuses a rule.
    """
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        raise Unavailable("libseccomp is missing.", todo="Install the package libseccomp2.") from None
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    try:
        for name in _REFUSED:
            _add(library, context, name, _EPERM)
        # Its flags lie in memory where no filter sees them; programs fall back to `clone`.
        _add(library, context, "clone3", _ENOSYS)
        for flag in _NEW_NAMESPACES:
            _add(library, context, "clone", _EPERM, _Comparison(0, _MASKED_EQ, flag, flag))
        for request in _TERMINAL_TRICKS:
            _add(library, context, "ioctl", _EPERM, _Comparison(1, _MASKED_EQ, 0xFFFFFFFF, request))
        for family in range(max(_FAMILIES)):
            if family not in _FAMILIES:
                _add(library, context, "socket", _EAFNOSUPPORT, _Comparison(0, _MASKED_EQ, 0xFFFFFFFF, family))
        _add(library, context, "socket", _EAFNOSUPPORT, _Comparison(0, _GE, max(_FAMILIES) + 1, 0))
        with TemporaryFile() as file:
            _checked(library.seccomp_export_bpf(context, file.fileno()), "export")
            file.seek(0)
            return file.read()
    finally:
        library.seccomp_release(context)


def _add(library: ctypes.CDLL, context: ctypes.c_void_p, name: str, errno: int, *only: _Comparison) -> None:
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number == -1:
        if name not in _NUMBERS:
            return
        number = _NUMBERS[name]
    if number < -1:
        return  # a call that this architecture does not have
    rules = (_Comparison * len(only))(*only)
    _checked(library.seccomp_rule_add_array(context, ctypes.c_uint32(_ERRNO | errno), number, len(only), rules), name)


def _checked(result: int, what: str) -> None:
    if result < 0:
        raise Unavailable("The filter of system calls cannot be built.", where=f"{what}: {os.strerror(-result)}")

"""Attempts to break out of a machine, made from inside. A program of its own, standard library only.

Run as `python -I -S probes.py [FACTS]`, FACTS in JSON: `addresses` [[host, port], ...]
that must not be reached, `paths` that must not be seen, `mounts` that must not be
written, `host_pid` and `host_name` of the host. Prints a JSON list of
`{"what", "held", "detail"}`; the exit status is the number of attempts that came through.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

_SECONDS = 3.0
_LIBC = ctypes.CDLL(None, use_errno=True)
_NAMESPACES = {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "pid": 0x20000000, "cgroup": 0x2000000}
#: Numbers by machine, for calls that the C library has no name for.
_CALLS = {
    "x86_64": {
        "keyctl": 250, "bpf": 321, "userfaultfd": 323, "perf_event_open": 298, "io_uring_setup": 425, "ptrace": 101,
        "process_vm_readv": 310, "mount": 165, "pivot_root": 155, "fsopen": 430, "move_mount": 429, "open_tree": 428,
        "kexec_load": 246, "init_module": 175, "open_by_handle_at": 304, "add_key": 248, "setns": 308, "chroot": 161,
        "reboot": 169, "swapon": 167, "sethostname": 170, "pidfd_getfd": 438, "mount_setattr": 442,
    },
    "aarch64": {
        "keyctl": 219, "bpf": 280, "userfaultfd": 282, "perf_event_open": 241, "io_uring_setup": 425, "ptrace": 117,
        "process_vm_readv": 270, "mount": 40, "pivot_root": 41, "fsopen": 430, "move_mount": 429, "open_tree": 428,
        "kexec_load": 104, "init_module": 105, "open_by_handle_at": 265, "add_key": 217, "setns": 268, "chroot": 51,
        "reboot": 142, "swapon": 224, "sethostname": 161, "pidfd_getfd": 438, "mount_setattr": 442,
    },
}  # fmt: skip

_TUNNELS = ("tunl", "sit", "ip6tnl", "gre", "erspan", "ip_vti", "ip6_vti", "ip6gre")

#: An attempt: its name, and a function that returns when it came through and raises when it was held.
Attempt = tuple[str, Callable[[], object]]


def main(facts: dict[str, Any]) -> int:
    """Make every attempt, print what came of each; returns how many came through."""
    if os.getuid() == 0 or b"/opt/inside.py" not in Path("/proc/1/cmdline").read_bytes().split(b"\0"):
        sys.exit("These attempts do harm where they come through; they run inside a machine only.")
    results = []
    for what, attempt in attempts(facts):
        try:
            came = attempt()
            results.append({"what": what, "held": False, "detail": str(came)})
        except Exception as error:
            results.append({"what": what, "held": True, "detail": f"{type(error).__name__}: {error}"})
    print(json.dumps(results, indent=1))
    return sum(not result["held"] for result in results)


def attempts(facts: dict[str, Any]) -> Iterator[Attempt]:
    """Every attempt in turn."""
    yield from network(facts)
    yield from files(facts)
    yield from processes(facts)
    yield from kernel()


def network(facts: dict[str, Any]) -> Iterator[Attempt]:
    """Ways to other machines."""
    yield "resolve a name", lambda: socket.getaddrinfo("example.com", 443)
    public = [("1.1.1.1", 53), ("8.8.8.8", 443), ("2606:4700:4700::1111", 443)]
    metadata = [("169.254.169.254", 80), ("169.254.170.2", 80), ("fd00:ec2::254", 80), ("100.100.100.200", 80)]
    for address in (*public, *metadata, *[tuple(pair) for pair in facts.get("addresses", [])]):
        yield f"connect to {address[0]} port {address[1]}", partial(_connect, address)
    yield "send a datagram to a name server", lambda: _datagram(("1.1.1.1", 53))
    yield "open a raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    yield "open a packet socket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    yield "open a vsock to the hypervisor", lambda: socket.socket(40, socket.SOCK_STREAM)
    yield "use the kernel's cryptography by socket", lambda: socket.socket(38, socket.SOCK_SEQPACKET)
    yield "see a network card", _network_card


def files(facts: dict[str, Any]) -> Iterator[Attempt]:
    """Ways to files of others and to the system's own."""
    secrets = [
        "/etc/shadow",
        "/etc/machine-id",
        str(Path("/root", ".ssh")),
        "/var/lib",
        "/var/run/docker.sock",
        "/run/dbus",
        "/sys",
    ]
    for path in (*secrets, *facts.get("paths", [])):
        yield f"see {path}", partial(os.stat, path)
    for path in ("/", "/usr", "/etc", "/opt", "/dev", "/run/gw", "/home", *facts.get("mounts", [])):
        yield f"write in {path}", partial(_write_in, path)
    for path in ("/etc/passwd", "/opt/probes.py", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"):
        yield f"write to {path}", partial(_append, path)
    for path in (
        "/dev/mem",
        "/dev/kmsg",
        "/dev/sda",
        "/dev/vda",
        "/dev/kvm",
        "/dev/fuse",
        "/dev/net/tun",
        "/dev/loop0",
    ):
        yield f"open {path}", partial(os.open, path, os.O_RDONLY)
    yield "make a device", lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0))  # noqa: S108
    yield "read the kernel's memory", partial(_read_some, "/proc/kcore")
    yield "leave by the first process's root", _other_root


def processes(facts: dict[str, Any]) -> Iterator[Attempt]:
    """Ways to processes outside and to what they have."""
    yield "see a process of the host", _foreign_process
    yield "signal the platform", lambda: _signal(facts.get("host_pid", 4_000_000))
    yield "become root", lambda: os.setuid(0)
    yield "gain a capability", _capability
    yield "run a setuid program as root", _setuid_program
    yield "raise the limit of open files", lambda: _raise(resource.RLIMIT_NOFILE)
    yield "raise the limit of file size", lambda: _raise(resource.RLIMIT_FSIZE)
    yield "take a higher priority", lambda: os.nice(-5)
    yield "see the host's name", lambda: _same(socket.gethostname(), facts.get("host_name", "?"))
    yield "type into a terminal (TIOCSTI)", lambda: _type_into_terminal(0)
    yield "type into a terminal with a wide request", lambda: _type_into_terminal(1 << 32)
    yield "write to a control group", _control_group


def kernel() -> Iterator[Attempt]:
    """Namespaces and system calls that have been ways out."""
    for name, flag in _NAMESPACES.items():
        yield f"make a {name} namespace", partial(_unshare, flag)
    yield "make a user namespace by a program", lambda: _program("unshare", "-Ur", "true")
    yield "make a sandbox inside", lambda: _program("bwrap", "--ro-bind", "/", "/", "true")
    for name, number in _CALLS.get(os.uname().machine, {}).items():
        yield f"call {name}", partial(_forbidden, number)


def _connect(address: tuple[str, int]) -> None:
    socket.create_connection(address, _SECONDS).close()


def _datagram(address: tuple[str, int]) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        return sending.sendto(b"x", address)


def _network_card() -> list[str]:
    cards = [name for _, name in socket.if_nameindex() if name != "lo"]
    # Tunnels without an end are made by the kernel itself in every network namespace.
    cards = [name for name in cards if not name.startswith(_TUNNELS)]
    return cards or _held("only the loopback")


def _write_in(path: str) -> None:
    (Path(path) / "probe").write_text("x")


def _append(path: str) -> None:
    with Path(path).open("a") as file:
        file.write("x")


def _read_some(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(64)


def _other_root() -> list[str]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            names = [seen.name for seen in (entry / "root").iterdir()] if os.access(entry / "root", os.R_OK) else []
            if {"var", "boot"} & set(names):
                return names
    return _held("every root is the machine's own")


def _foreign_process() -> list[str]:
    names = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                status = (entry / "status").read_text()
                if "\nUid:\t1000\t" not in status:
                    names.append(status.splitlines()[0])
    return names or _held("every process seen is the machine's own")


def _signal(pid: int) -> None:
    os.kill(pid, 0)


def _capability() -> str:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":\t")
        if name in {"CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"} and int(value, 16):
            return line
    return _held("none")


def _setuid_program() -> str:
    done = subprocess.run(["su", "-c", "id -u"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout if done.stdout.strip() == "0" else _held(done.stderr.strip())


def _raise(kind: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY:
        return
    resource.setrlimit(kind, (hard + 1, hard + 1))


def _same(one: str, other: str) -> str:
    return one if one == other else _held("another name")


def _type_into_terminal(high: int) -> str:
    main_end, terminal = os.openpty()
    try:
        result = _LIBC.ioctl(terminal, ctypes.c_ulong(termios.TIOCSTI | high), ctypes.c_char_p(b"x"))
        return str(_call_result(result))
    finally:
        os.close(main_end)
        os.close(terminal)


def _control_group() -> str:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind in {"cgroup", "cgroup2"} and not options.startswith("ro"):
            return place
    return _held("none is mounted")


def _program(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        _held(done.stderr.strip())


def _forbidden(number: int) -> str:
    """Make a call without arguments that is refused before it looks at them; a child makes it."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        ctypes.set_errno(0)
        result = _LIBC.syscall(number, 0, 0, 0, 0, 0, 0)
        os._exit(0 if result >= 0 else ctypes.get_errno())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status in (errno.EPERM, errno.ENOSYS, -signal.SIGSYS):
        raise PermissionError(status, "refused")
    return f"status {status}"


def _unshare(flag: int) -> None:
    _call_result(_LIBC.unshare(flag))


def _call_result(result: int) -> int:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _held(why: str) -> NoReturn:
    raise PermissionError(why)


if __name__ == "__main__":
    sys.exit(min(100, main(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})))

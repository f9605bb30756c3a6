"""Attempts to break out of a machine, made from inside. A program of its own, standard library only.

Run as `python -I -S probes.py [FACTS]`, FACTS in JSON: `addresses` [[host, port], ...]
that must not be reached, `paths` that must not be seen, `others` that are of other
workspaces, `mounts` that must not be written, `host_pid` and `host_name` of the host.
With `bombs` it also tries to use up processes and memory past the machine's limits
(`pids`, `memory_bytes`, `home_bytes`), and with `fill` only to fill the disk past its
quota, at which the machine is ended. Prints a JSON list of `{"group", "what", "held",
"detail"}`; the exit status is the number of attempts that came through.
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
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

_SECONDS = 3.0
#: Within which a machine that is over its quota must have been ended.
_FILL_SECONDS = 30.0
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
    for group, tried in groups(facts):
        for what, attempt in tried:
            try:
                held, detail = False, str(attempt())
            except Exception as error:
                held, detail = True, f"{type(error).__name__}: {error}"
            results.append({"group": group, "what": what, "held": held, "detail": detail[:200]})
    print(json.dumps(results, indent=1))
    return sum(not result["held"] for result in results)


def groups(facts: dict[str, Any]) -> Iterator[tuple[str, Iterator[Attempt]]]:
    """Every attempt, by what it is after."""
    if facts.get("fill"):
        yield "bombs", iter([("fill the disk past the quota with many files", lambda: _fill(facts["home_bytes"]))])
        return
    yield "network", network(facts)
    yield "files", files(facts)
    yield "processes", processes(facts)
    yield "kernel", kernel()
    if facts.get("bombs"):
        yield "bombs", bombs(facts)


def bombs(facts: dict[str, Any]) -> Iterator[Attempt]:
    """Using up what is everybody's. What they make is gone after them."""
    yield "start processes without end", partial(_fork_bomb, facts["pids"])
    for place in ("", "/tmp/.probe", "/dev/shm/.probe"):  # noqa: S108 - the machine's own
        yield (
            f"use memory without end{' in ' + place if place else ''}",
            partial(_memory_bomb, facts["memory_bytes"], place),
        )
    yield "grow a file past the quota", partial(_large_file, facts["home_bytes"])


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
    for number, path in enumerate(facts.get("others", []), start=1):
        yield f"reach the service of another workspace ({number})", partial(_connect_socket, path)


def files(facts: dict[str, Any]) -> Iterator[Attempt]:
    """Ways to files of others and to the system's own."""
    secrets = [
        "/etc/shadow",
        str(Path("/root", ".ssh")),
        "/var/lib",
        "/var/run/docker.sock",
        "/run/dbus",
        "/sys",
    ]
    for path in (*secrets, *facts.get("paths", [])):
        yield f"see {path}", partial(os.stat, path)
    for number, path in enumerate(facts.get("others", []), start=1):
        yield f"see files of another workspace ({number})", partial(os.stat, path)
    yield "see the home of another", _other_homes
    places = ["/", "/usr", "/etc", "/opt", "/dev", "/run/gw", "/home", "/data", "/mnt", "/srv"]
    for path in dict.fromkeys((*places, *_read_only_mounts(), *facts.get("mounts", []))):
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
    yield "leave by a directory that the sandbox left open", _open_directory
    yield "write over the program of the first process", partial(_append, "/proc/1/exe")
    yield "write to the memory of the first process", partial(_append, "/proc/1/mem")


def processes(facts: dict[str, Any]) -> Iterator[Attempt]:
    """Ways to processes outside and to what they have."""
    yield "see a process of the host", _foreign_process
    yield "signal the platform", lambda: _signal(facts.get("host_pid", 4_000_000))
    yield "become root", lambda: os.setuid(0)
    yield "gain a capability", _capability
    yield "run a setuid program as root", _setuid_program
    yield "raise the limit of open files", lambda: _raise(resource.RLIMIT_NOFILE)
    yield "raise the limit of file size", lambda: _raise(resource.RLIMIT_FSIZE)
    yield "raise the limit of core files", lambda: _raise(resource.RLIMIT_CORE)
    yield "raise the limit of locked memory", lambda: _raise(resource.RLIMIT_MEMLOCK)
    yield "take a higher priority", lambda: os.nice(-5)
    yield "take real-time priority", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    yield "be spared when memory is short", lambda: _append("/proc/self/oom_score_adj", "-1000")
    yield "see the host's name", lambda: _same(socket.gethostname(), facts.get("host_name", "?"))
    yield "type into a terminal (TIOCSTI)", lambda: _type_into_terminal(0)
    yield "type into a terminal with a wide request", lambda: _type_into_terminal(1 << 32)
    yield "open the terminal of whoever started it", lambda: os.open("/dev/tty", os.O_RDWR)
    yield "open the console", lambda: os.open("/dev/console", os.O_RDWR)
    yield "write to a control group", _control_group
    yield "see shared memory of the host", _shared_memory


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


def _connect_socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(path)


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


def _append(path: str, text: str = "x") -> None:
    # Not made when it is not there: what is tried is to write to what is.
    opened = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(opened, text.encode())
    finally:
        os.close(opened)


def _other_homes() -> list[str]:
    return [path.name for path in Path("/home").iterdir() if path.name != "user"] or _held("only its own")


def _read_only_mounts() -> list[str]:
    """What is mounted from outside to be read (proc_pid_mountinfo(5), fields 5 and 6)."""
    seen = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return [words[4] for words in seen if "ro" in words[5].split(",") and words[4].startswith(("/data/", "/opt/"))]


def _open_directory() -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            # Those that walk through /proc are our own.
            if entry.is_dir() and not str(entry.readlink()).startswith(("/proc", str(Path.home()))):
                found.append(str(entry.readlink()))
    return found or _held("none is open")


def _shared_memory() -> str:
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return f"{len(lines)} segments" if lines else _held("there is none")


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


def _fork_bomb(most: int) -> str:
    children: list[int] = []
    try:
        while len(children) <= most:
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
        return f"{len(children)} processes"
    except OSError as error:
        return _held(f"{error.strerror} after {len(children)} processes")
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)


def _memory_bomb(limit_bytes: int, place: str) -> str:
    """A child uses a quarter more than the limit. It is the one to be ended, should memory be short."""
    child = os.fork()
    if child == 0:
        _append("/proc/self/oom_score_adj", "1000")
        os._exit(_use_memory(limit_bytes + limit_bytes // 4, place))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if place:
        Path(place).unlink(missing_ok=True)
    return f"{limit_bytes} bytes and more" if status == 0 else _held(f"ended with status {status}")


def _use_memory(most_bytes: int, place: str) -> int:
    kept: list[bytearray] = []
    try:
        with open(place, "wb") if place else contextlib.nullcontext() as file:  # noqa: PTH123 - ends before it could matter
            for _ in range(0, most_bytes, 2**24):
                block = bytearray(b"x" * 2**24)
                if file is None:
                    kept.append(block)
                else:
                    file.write(block)
                    file.flush()
    except (MemoryError, OSError):
        return 1
    return 0


def _large_file(quota_bytes: int) -> str:
    path = Path.home() / ".probe"
    try:
        with path.open("wb") as file:
            file.truncate(quota_bytes + 1)
        return f"{quota_bytes + 1} bytes"
    finally:
        path.unlink(missing_ok=True)


def _fill(quota_bytes: int) -> str:
    """Half as much again as the quota, in parts, and wait to be ended for it."""
    parts = [Path.home() / f".probe-{number}" for number in range(12)]
    try:
        for path in parts:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, quota_bytes // 8)
        time.sleep(_FILL_SECONDS)
        return f"{quota_bytes // 8 * len(parts)} bytes"
    finally:
        for path in parts:
            path.unlink(missing_ok=True)


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

"""Starts one machine, keeps it, and writes down how it ended. A program of its own.

Run as `python -I -S supervisor.py LAUNCH ALONE` by the sandbox backend; knows the standard
library only. It leaves its starter at once (own session, adopted by init), so that the
platform may die and find the machine again by the files beside LAUNCH:

    supervisor.json   pid and start time of this process and of the machine's first one
    exit.json         how the machine ended: exit status, and the reason when it was ended
    disk.json         bytes and files of the home, measured now and then
    orders.sock       where the machine's first process takes orders of the platform
    claimed.json      that a machine which was made ready for nobody is a person's
    log, log.1        what the machine printed, at most twice `log_bytes`

The machine lives exactly as long as this process: bubblewrap's `--die-with-parent` is
tied to the thread that started it, and this process has one thread only.
SIGTERM here ends the machine: SIGTERM to its first process, SIGKILL after the grace.
SIGUSR1 has claim.json taken, see `claim`.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import resource
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

_CLONE_NEWNS = 0x20000
_MS_BIND, _MS_REC, _MS_SLAVE, _MS_NOSUID, _MS_NODEV = 4096, 16384, 1 << 19, 2, 4
_MOUNT_POINT = "/tmp"  # noqa: S108 - a place every system has, covered in a mount namespace of our own
_DISK_SECONDS = 2.0
#: What systemd-run needs; bubblewrap passes nothing of it inside.
_PASSED_ON = {name: os.environ[name] for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS") if name in os.environ}
#: One part in so many of the time goes into measuring the home.
_DISK_SHARE = 20


def main(launch_path: str, alone: int) -> None:
    """Fork away from the starter, which returns when the machine's files name its supervisor.

    `alone` is a locked file, kept open as long as this process lives: no second
    supervisor of the machine can start meanwhile.
    """
    os.set_inheritable(alone, False)
    launch = json.loads(Path(launch_path).read_text())
    directory = Path(launch_path).parent
    told, tell = os.pipe()
    if os.fork():
        os.close(tell)
        os._exit(0 if os.read(told, 1) == b"." else 1)
    os.close(told)
    os.setsid()
    Supervisor(directory, launch).run(tell)


class Supervisor:
    """One machine and its files."""

    def __init__(self, directory: Path, launch: dict[str, Any]) -> None:
        self.directory = directory
        self.launch = launch
        self.inner: int | None = None
        self.reason = ""
        self.kill_at: float | None = None
        self.asked = False
        self.disk_at = 0.0
        self.disk: subprocess.Popen[bytes] | None = None
        self.disk_from = 0.0
        self.shares: dict[str, int] = {}
        self.claim_wanted = False
        #: What the waiting service reads and answers, while the machine is nobody's.
        self.claim_in: int | None = None
        self.claimed_out: int | None = None
        self.claim_fds: dict[str, int] = {}

    def run(self, tell: int) -> None:
        """Start the machine and stay until it has ended."""
        wake_out, wake_in = os.pipe()
        os.set_blocking(wake_in, False)
        signal.set_wakeup_fd(wake_in)
        signal.signal(signal.SIGTERM, lambda *_: self.end("asked to stop"))
        signal.signal(signal.SIGCHLD, lambda *_: None)
        info_out, info_in = os.pipe()
        log_out, log_in = os.pipe()
        orders = self.listen_for_orders()
        signal.signal(signal.SIGUSR1, self.want_claim)
        self.prepare_claim()
        self.write_state()
        os.write(tell, b".")
        os.close(tell)
        child = os.fork()
        if child == 0:
            self.become_machine(info_in, log_in, orders)
        os.close(info_in)
        os.close(log_in)
        os.close(orders)
        for descriptor in self.claim_fds.values():
            os.close(descriptor)
        status = self.watch(child, info_out, log_out, wake_out)
        self.write("exit.json", {"status": status, "reason": self.reason, "at": time.time()})

    def watch(self, child: int, info: int, log: int, wake: int) -> int:
        """Pass the log on, measure the home, end the machine when told; returns its exit status."""
        poll = select.poll()
        for descriptor in (info, log, wake, *(() if self.claimed_out is None else (self.claimed_out,))):
            os.set_blocking(descriptor, False)
            poll.register(descriptor, select.POLLIN)
        told = b""
        while True:
            self.ask_to_end()
            self.claim()
            for descriptor, _ in poll.poll(500 if self.asked or self.kill_at is None else 20):
                block = _read(descriptor)
                if descriptor == log and block:
                    self.append_log(block)
                elif descriptor == info and block:
                    told += block
                    self.learn_inner(told)
                elif descriptor == self.claimed_out and block:
                    self.claimed()
                if not block:
                    poll.unregister(descriptor)
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                while block := _read(log):
                    self.append_log(block)
                return os.waitstatus_to_exitcode(status)
            if self.kill_at is not None and time.monotonic() >= self.kill_at:
                self.signal_inner(signal.SIGKILL)
                os.kill(child, signal.SIGKILL)
            self.look_at_disk()

    def learn_inner(self, told: bytes) -> None:
        """Read the pid of the machine's first process from what bubblewrap tells."""
        with contextlib.suppress(ValueError, KeyError):
            self.inner = int(json.loads(told)["child-pid"])
            self.write_state()

    def end(self, reason: str) -> None:
        """Ask the machine to end, and see that it does."""
        if self.kill_at is None:
            self.reason = self.reason or reason
            self.kill_at = time.monotonic() + float(self.launch["grace_seconds"])

    def ask_to_end(self) -> None:
        """Send SIGTERM once, as soon as the first process minds it: the kernel drops it before."""
        if self.kill_at is not None and not self.asked and self.inner is not None and _minds_sigterm(self.inner):
            self.asked = True
            self.signal_inner(signal.SIGTERM)

    def signal_inner(self, number: int) -> None:
        """Signal the first process inside; it is a child of our child, so its pid cannot be another's."""
        if self.inner is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.inner, number)

    # -- a person comes ----------------------------------------------------------

    def want_claim(self, *_: object) -> None:
        """SIGUSR1: there is a claim.json."""
        self.claim_wanted = True

    def prepare_claim(self) -> None:
        """For a machine that is nobody's yet: slots for mounts, and pipes to the service that waits."""
        if not self.launch.get("slots"):
            return
        _late_mounts().open_slots(self.directory / "slots", self.launch["slots"])
        claim_out, self.claim_in = os.pipe()
        self.claimed_out, claimed_in = os.pipe()
        self.claim_fds = {"CLAIM_FD": claim_out, "CLAIMED_FD": claimed_in}

    def claim(self) -> None:
        """Mount what its person brings and hand the variables in; what cannot be done ends the machine."""
        if not self.claim_wanted or self.claim_in is None:
            return
        self.claim_wanted = False
        order = json.loads((self.directory / "claim.json").read_text())
        if order["token"] != self.launch["token"]:
            return
        self.launch["shares"] = order["shares"]
        descriptor, self.claim_in = self.claim_in, None
        try:
            for mount in order["mounts"]:
                _late_mounts().bind_late(
                    self.directory / "slots",
                    mount["source"],
                    mount["target"],
                    writable=mount["writable"],
                    groups=tuple(mount["groups"]) if mount["groups"] else None,
                )
            os.write(descriptor, json.dumps({"variables": order["variables"]}).encode() + b"\n")
        except OSError as error:
            self.end(f"it could not be given to its person: {error.strerror}")
        finally:
            os.close(descriptor)

    def claimed(self) -> None:
        """The service has taken what came."""
        self.write("claimed.json", {})

    # -- files -----------------------------------------------------------------

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Replace a file as a whole, with the token of this start in it."""
        path = self.directory / f".{name}.new"
        with path.open("w") as file:
            json.dump({"token": self.launch["token"], **content}, file)
            file.flush()
            os.fsync(file.fileno())
        path.rename(self.directory / name)

    def write_state(self) -> None:
        """Say who supervises, and what the machine's first process is."""
        self.write(
            "supervisor.json",
            {
                "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
                "pid": os.getpid(),
                "started": _start_time(os.getpid()),
                "inner_pid": self.inner,
                "inner_started": _start_time(self.inner) if self.inner else None,
            },
        )

    def listen_for_orders(self) -> int:
        """A listening socket beside the machine's files, for its first process only; nothing inside can reach it."""
        (self.directory / "orders.sock").unlink(missing_ok=True)
        held = os.open(self.directory, os.O_PATH)
        try:
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            # By the open directory, since a path may be longer than the 108 bytes of unix(7).
            listening.bind(f"/proc/self/fd/{held}/orders.sock")
            listening.listen(4)
            return listening.detach()
        finally:
            os.close(held)

    def append_log(self, block: bytes) -> None:
        """Add to the log; the older half goes when it is full."""
        path = self.directory / "log"
        with contextlib.suppress(OSError), path.open("ab") as file:
            file.write(block)
            if file.tell() > self.launch["log_bytes"]:
                path.replace(self.directory / "log.1")

    def look_at_disk(self) -> None:
        """Measure the home from time to time; end a machine that is over its quota."""
        if self.disk is None:
            if time.monotonic() >= self.disk_at:
                self.disk_from = time.monotonic()
                self.disk = subprocess.Popen(
                    ["nice", "-n", "19", "du", "-sxB1", "--", *self.launch["disk_paths"], *self.share_quotas()],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                )
            return
        if self.disk.poll() is None:
            return
        took = time.monotonic() - self.disk_from
        self.disk_at = time.monotonic() + max(_DISK_SECONDS, took * _DISK_SHARE)
        lines = self.disk.communicate()[0].splitlines()
        self.disk = None
        sizes = {os.fsdecode(path): int(size) for size, _, path in (line.partition(b"\t") for line in lines)}
        used = sum(sizes.get(path, 0) for path in self.launch["disk_paths"])
        quota = int(self.launch["disk_bytes"])
        self.write("disk.json", {"bytes": used, "at": time.time()})
        if used > quota:
            self.end(f"its home holds {used} bytes, its quota is {quota}; it was stopped to protect its neighbours")
        self.look_at_shares(sizes)

    def share_quotas(self) -> dict[str, int]:
        """Quota in bytes of each directory that it writes together with others."""
        return dict(self.launch["shares"])

    def look_at_shares(self, sizes: dict[str, int]) -> None:
        """End the machine when a share grows past its quota; one that was over at the start may be cleaned."""
        for path, quota in self.share_quotas().items():
            if path in sizes:
                before = self.shares.setdefault(path, sizes[path])
                if sizes[path] > max(quota, before):
                    self.end(
                        f"its project's share holds {sizes[path]} bytes, its quota is {quota}; "
                        "those that write there were stopped to protect others"
                    )

    # -- the machine ------------------------------------------------------------

    def become_machine(self, info: int, log: int, orders: int) -> None:
        """In the child: limits, mounts and uid, then bubblewrap. Never returns."""
        try:
            filter_fd = os.open(self.directory / "seccomp.bpf", os.O_RDONLY)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1):
                signal.signal(number, signal.SIG_DFL)
            for file in self.launch["join"]:
                Path(file).write_text("0")
            sources: dict[str, str] = self.launch["sources"]
            if self.launch["uid"] is not None:
                sources = _bind_aside(sources)
                os.setgroups(self.launch["groups"])
                os.setresgid(*[self.launch["uid"]] * 3)
                os.setresuid(*[self.launch["uid"]] * 3)
            for name, value in self.launch["rlimits"].items():
                kind = getattr(resource, name)
                hard = resource.getrlimit(kind)[1]
                bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
                resource.setrlimit(kind, (bound, bound))
            if self.launch["cpus"]:
                os.sched_setaffinity(0, self.launch["cpus"])
            opened = {"INFO_FD": info, "SECCOMP_FD": filter_fd, "ORDERS_FD": orders, **self.claim_fds}
            for descriptor in opened.values():
                os.set_inheritable(descriptor, True)
            named = {**sources, **{name: str(descriptor) for name, descriptor in opened.items()}}
            command = [named.get(word[1:], word) if word.startswith("@") else word for word in self.launch["command"]]
            os.execve(command[0], command, {**_PASSED_ON, "PATH": "/usr/bin:/bin"})  # noqa: S606 - no shell is wanted
        except BaseException as error:
            os.write(2, f"The sandbox could not be started: {error}\n".encode())
        finally:
            os._exit(125)


def _late_mounts() -> ModuleType:
    """The program beside this one, which only machines that are made ready for nobody need."""
    if str(Path(__file__).parent) not in sys.path:
        sys.path.append(str(Path(__file__).parent))
    return importlib.import_module("late_mounts")


def _bind_aside(sources: dict[str, str]) -> dict[str, str]:
    """Bind each source below a place of our own mount namespace, and say where.

    So an unprivileged uid reaches them, though directories above may be closed to it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(_CLONE_NEWNS))
    _mount(libc, "none", "/", None, _MS_REC | _MS_SLAVE)
    opened = {name: os.open(source, os.O_PATH) for name, source in sources.items()}
    _mount(libc, "tmpfs", _MOUNT_POINT, "tmpfs", _MS_NOSUID | _MS_NODEV)
    Path(_MOUNT_POINT).chmod(0o755)
    for name, descriptor in opened.items():
        place = Path(_MOUNT_POINT, name)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            place.mkdir()
        else:
            place.touch()
        _mount(libc, f"/proc/self/fd/{descriptor}", str(place), None, _MS_BIND | _MS_REC)
        os.close(descriptor)
    return {name: str(Path(_MOUNT_POINT, name)) for name in sources}


def _mount(libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int) -> None:
    _checked(libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, None))


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except BlockingIOError:
        return b""


def _minds_sigterm(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM (proc(5), SigCgt)."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
    return False


def _start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot (proc(5), field 22); None when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError):
        return None


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""The first process of a virtual machine's system. A program of its own, standard library only.

It speaks JSON, one object a line, with its host over a virtio-serial port. The host asks
`{"id", "do", ...}` and is answered `{"id", "ok": true, ...}` or `{"id", "error"}`; unasked
come `{"event": "phase", "name", "seconds"}` and `{"event": "ended", "status"}`.

    warm       start the service with the base URL of nobody, and answer when it answers
    become     be somebody's machine: clock, seed, names, disks, files, variables, service
    attach     mount a disk that has come; detach takes one away
    give       variables for what the service starts from then on
    run        carry out a command, as the person or as root
    time       set the clock;  seed: mix in fresh randomness
    figures    what is used
    grow       let the home have all of its disk
    settle     write everything to the disks
    off        end the service, let go of the disks, power off

The host trusts nothing that comes from here: all of it may be the doing of root inside.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, "/opt/atoll")

from ways import SERVICE_SOCKET, asked, forward_all

HOME = "/home/user"
PORT_NAME = "atoll.agent"
UID = GID = 1000
_RNDADDENTROPY, _RNDRESEEDCRNG = 0x40085203, 0x5207
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 1, 2, 4, 32
_MOST_OUTPUT = 512 * 1024
_LIBC = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    """mount(2). Raises `OSError`."""
    Path(target).mkdir(parents=True, exist_ok=True)
    if _LIBC.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"{target}: {os.strerror(ctypes.get_errno())}")


class Agent:
    """All that happens inside on behalf of the platform."""

    def __init__(self) -> None:
        self.port = self.open_port()
        self.telling = threading.Lock()
        self.service: int | None = None
        self.claim: socket.socket | None = None
        self.waiting: dict[int, list[Any]] = {}
        self.ready = threading.Condition()
        self.variables: dict[str, str] = {}
        self.mounted: list[str] = []

    def open_port(self) -> int:
        """The virtio-serial port of the platform."""
        for name in Path("/sys/class/virtio-ports").glob("*/name"):
            if name.read_text().strip() == PORT_NAME:
                return os.open(f"/dev/{name.parent.name}", os.O_RDWR | os.O_CLOEXEC)
        raise OSError("there is no port to the platform")

    def tell(self, **said: object) -> None:
        """One line to the host."""
        line = json.dumps(said).encode() + b"\n"
        with self.telling:
            while line:
                line = line[os.write(self.port, line) :]

    def phase(self, name: str) -> None:
        """Tell how far the start has come."""
        self.tell(event="phase", name=name, seconds=float(Path("/proc/uptime").read_text().split()[0]))

    def listen(self) -> None:
        """Take orders, for as long as the machine lives."""
        gathered = b""
        while True:
            block = os.read(self.port, 65_536)
            if not block:
                time.sleep(0.05)  # nobody holds the other end now
                continue
            gathered += block
            *lines, gathered = gathered.split(b"\n")
            for line in lines:
                threading.Thread(target=self.obey, args=(line,), daemon=True).start()

    def obey(self, line: bytes) -> None:
        """Carry out one order and answer it."""
        order: dict[str, Any] = {}
        try:
            order = json.loads(line)
            answer = getattr(self, "do_" + order["do"])(order) or {}
            self.tell(id=order["id"], ok=True, **answer)
        except Exception as error:
            self.tell(id=order.get("id"), error=f"{type(error).__name__}: {error}"[:500])

    # -- the service ---------------------------------------------------------------

    def start_service(self, command: list[str], variables: dict[str, str], waits: socket.socket | None = None) -> None:
        """Run it as the person, in a session of its own."""
        self.variables = variables
        with self.ready:
            keep = () if waits is None else (waits.fileno(),)
            self.service = self.spawn(command, variables, keep=keep)

    def spawn(
        self,
        command: list[str],
        variables: dict[str, str],
        *,
        root: bool = False,
        out: int | None = None,
        keep: tuple[int, ...] = (),
    ) -> int:
        """Start a process in a session of its own; its pid. Called with `ready` held. Raises `OSError`."""
        person: dict[str, Any] = {} if root else {"user": UID, "group": GID, "extra_groups": []}
        process: subprocess.Popen[bytes] = subprocess.Popen(
            command, env=variables, cwd="/" if root else HOME, start_new_session=True, umask=0o022, pass_fds=keep,
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, **person,
        )  # fmt: skip
        # It is waited for by `reap` alone.
        process.returncode = 0
        return process.pid

    def end_service(self) -> None:
        """End it and everything else of the person."""
        child, self.service = self.service, None
        for number in (signal.SIGTERM, signal.SIGKILL):
            if child is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, number)
            until = time.monotonic() + 1.5
            while number == signal.SIGTERM and time.monotonic() < until and self.of_person():
                time.sleep(0.05)
        for pid in self.of_person():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def of_person(self) -> list[int]:
        """Processes that are the person's."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and entry.stat().st_uid == UID:
                    found.append(int(entry.name))
        return found

    def reap(self) -> None:
        """Wait for every child, as process 1 must; tell when the service has ended."""
        while True:
            try:
                gone, status = os.wait()
            except ChildProcessError:
                time.sleep(0.05)
                continue
            code = os.waitstatus_to_exitcode(status)
            with self.ready:
                if gone == self.service:
                    self.service = None
                    os.sync()
                    self.tell(event="ended", status=code if code >= 0 else 128 - code)
                if gone in self.waiting:
                    self.waiting[gone].append(code)
                    self.ready.notify_all()

    # -- orders --------------------------------------------------------------------

    def do_warm(self, order: dict[str, Any]) -> None:
        """Start the service for nobody and wait until it answers; then let it look at what people will look at."""
        near, far = socket.socketpair()
        self.claim = near
        command = [str(far.fileno()) if word == "@FD" else word for word in order["command"]]
        self.start_service(command, order["variables"], far)
        far.close()
        until = time.monotonic() + float(order["seconds"])
        for path in order["paths"]:
            while not asked(path):
                if time.monotonic() > until or self.service is None:
                    raise OSError(f"the service does not answer for {path}")
                time.sleep(0.2)
        self.phase("service")

    def do_become(self, order: dict[str, Any]) -> None:
        """Be the machine of a workspace."""
        self.do_time(order)
        self.do_seed(order)
        socket.sethostname(order["hostname"])
        Path("/etc/hostname").write_text(order["hostname"] + "\n")
        Path("/etc/machine-id").write_text(order["machine_id"] + "\n")
        for disk in order["disks"]:
            self.do_attach(disk)
        for name in ("links", "files", "system_files"):
            prepare(name, order[name])
        own_config = [p for p in Path(HOME, ".jupyter").glob("*config*") if p.is_file()]
        if self.service is not None and order["command"] is None and not own_config:
            self.late({"base_url": order["base_url"], "seed": os.urandom(32).hex(), "variables": order["variables"]})
            self.variables = order["variables"]
        else:
            if self.service is not None:
                self.end_service()
                with contextlib.suppress(OSError):
                    Path(SERVICE_SOCKET).unlink()
            self.start_service(order["cold_command"], order["variables"])
        self.phase("become")

    def late(self, told: dict[str, Any]) -> None:
        """Hand the service that waits what has come with its person. Raises `OSError`."""
        if self.claim is None:
            raise OSError("the service does not wait for anybody")
        self.claim.settimeout(30)
        self.claim.sendall(json.dumps(told).encode() + b"\n")
        heard = self.claim.recv(1)
        if heard != b".":
            raise OSError("the service did not take what came")

    def do_give(self, order: dict[str, Any]) -> None:
        """Variables of the person, for a service that was made ready for nobody."""
        prepare("system_files", order["system_files"])
        self.variables = {**self.variables, **order["variables"]}
        if self.claim is not None:
            self.late({"variables": order["variables"]})

    def do_attach(self, order: dict[str, Any]) -> None:
        """Mount a disk: the home, or data that nobody changes."""
        kind, target = order["kind"], order["target"]
        device = wait_for_disk(int(order["scsi_id"]))
        if kind == "home":
            mount(device, HOME, "ext4", _MS_NOSUID | _MS_NODEV)
            if smaller_than_its_disk(device):
                self.carry_out(["resize2fs", device], 300, as_root=True)
            if Path(HOME).stat().st_uid != UID:
                os.chown(HOME, UID, GID)
                Path(HOME).chmod(0o700)
                with contextlib.suppress(OSError):
                    Path(HOME, "lost+found").rmdir()
        elif order.get("file"):
            # A single file travels alone in its disk, and is seen where it is wanted.
            inside = f"/run/data/{order['scsi_id']}"
            mount(device, inside, "squashfs", _MS_RDONLY | _MS_NOSUID | _MS_NODEV)
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(target).touch()
            if _LIBC.mount(f"{inside}/{order['file']}".encode(), target.encode(), None, 4096, None) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        else:
            mount(device, target, "squashfs", _MS_RDONLY | _MS_NOSUID | _MS_NODEV)
        self.mounted.append(target)

    def do_detach(self, order: dict[str, Any]) -> None:
        """Take a mount away; what is in use goes once nobody uses it any more."""
        if _LIBC.umount2(order["target"].encode(), 2) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def do_run(self, order: dict[str, Any]) -> dict[str, Any]:
        """A command and what it printed."""
        status, said = self.carry_out(order["command"], float(order["seconds"]), as_root=bool(order.get("root")))
        return {"status": status, "printed": said}

    def carry_out(self, command: list[str], seconds: float, *, as_root: bool) -> tuple[int, str]:
        """Run it; its status (negative: by a signal) and the end of its output."""
        out, into = os.pipe()
        variables = self.variables or {"PATH": "/usr/bin:/bin:/usr/sbin"}
        if as_root:
            variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        try:
            with self.ready:
                child = self.spawn(command, variables, root=as_root, out=into)
                codes = self.waiting[child] = []
        except OSError as error:
            os.close(into)
            os.close(out)
            return 125, f"{command[0]}: {error.strerror}"
        os.close(into)
        said = bytearray()
        reading = threading.Thread(target=gather, args=(out, said), daemon=True)
        reading.start()
        with self.ready:
            if not self.ready.wait_for(lambda: codes, timeout=seconds):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
                self.ready.wait_for(lambda: codes, timeout=5)
            del self.waiting[child]
        reading.join(0.5)
        return (codes[0] if codes else -9), bytes(said[-_MOST_OUTPUT:]).decode(errors="replace")

    def do_time(self, order: dict[str, Any]) -> None:
        """Set the clock, given in seconds since 1970."""
        time.clock_settime(time.CLOCK_REALTIME, float(order["time"]))

    def do_seed(self, order: dict[str, Any]) -> None:
        """Mix in randomness from the host and have the kernel use it at once (random(4))."""
        fresh = bytes.fromhex(order["seed"])
        with Path("/dev/urandom").open("wb", buffering=0) as file:
            fcntl.ioctl(file, _RNDADDENTROPY, struct.pack("ii", len(fresh) * 8, len(fresh)) + fresh)
            fcntl.ioctl(file, _RNDRESEEDCRNG)

    def do_figures(self, _: dict[str, Any]) -> dict[str, Any]:
        """CPU seconds that were worked, bytes of memory and home in use, processes of the person."""
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        worked = sum(ticks) - ticks[3] - ticks[4]
        memory = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        total, free = (int(memory[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
        home = os.statvfs(HOME)
        return {
            "cpu_seconds": worked / os.sysconf("SC_CLK_TCK"),
            "memory_bytes": total - free,
            "processes": len(self.of_person()),
            "home_bytes": (home.f_blocks - home.f_bfree) * home.f_frsize,
        }

    def do_settle(self, _: dict[str, Any]) -> None:
        """Everything that was written is on the disks."""
        os.sync()

    def do_off(self, _: dict[str, Any]) -> None:
        """Power off, once the home is whole."""
        self.end_service()
        os.sync()
        for target in reversed([*self.mounted]):
            _LIBC.umount2(target.encode(), 2)
        os.sync()
        _LIBC.reboot(0x4321FEDC)


def gather(source: int, into: bytearray) -> None:
    """Read until the end, keeping the last part."""
    with contextlib.suppress(OSError):
        while block := os.read(source, 65_536):
            into += block
            del into[: -2 * _MOST_OUTPUT]
    os.close(source)


def prepare(kind: str, wanted: dict[str, str]) -> None:
    """Links and files of the home where absent, as its person; files of the system as they are told."""
    for path, content in wanted.items():
        place = Path(path)
        missing = [p for p in (place.parent, *place.parent.parents) if not p.exists()]
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind != "system_files":
            for parent in missing:
                os.chown(parent, UID, GID)
            if os.path.lexists(path):
                continue
        if kind == "links":
            place.symlink_to(content)
        else:
            place.write_text(content)
            place.chmod(0o755 if content.startswith("#!") else 0o644)
        if kind != "system_files":
            os.chown(path, UID, GID, follow_symlinks=False)


def smaller_than_its_disk(device: str) -> bool:
    """Whether an ext4 leaves room at the end of its disk: its superblock tells its size (ext4(5))."""
    with Path(device).open("rb") as disk:
        disk.seek(1024)
        block = disk.read(64)
        size = disk.seek(0, os.SEEK_END)
    count, log = struct.unpack_from("<I", block, 4)[0], struct.unpack_from("<I", block, 24)[0]
    return int(size) - int(count) * (1024 << int(log)) >= 2**20


def wait_for_disk(scsi_id: int) -> str:
    """The device of a disk by its number on the bus. Raises `OSError` when it does not come."""
    until = time.monotonic() + 15
    asked_again = time.monotonic() + 0.5
    while time.monotonic() < until:
        for place in Path("/sys/class/scsi_device").glob(f"*:0:{scsi_id}:0/device/block/*"):
            if Path("/dev", place.name).exists():
                return f"/dev/{place.name}"
        if time.monotonic() > asked_again:
            asked_again += 2
            for host in Path("/sys/class/scsi_host").glob("host*/scan"):
                host.write_text("- - -")
        time.sleep(0.01)
    raise OSError(f"disk {scsi_id} does not come")


def main() -> None:
    """Make the system ready, then take orders."""
    for source, target, kind, data in (
        ("pts", "/dev/pts", "devpts", "mode=0620,ptmxmode=0666"),
        ("shm", "/dev/shm", "tmpfs", "size=50%,mode=1777"),  # noqa: S108 - the machine's own
        ("tmp", "/tmp", "tmpfs", "size=50%,mode=1777"),  # noqa: S108
        ("run", "/run", "tmpfs", "size=25%,mode=0755"),
    ):
        mount(source, target, kind, _MS_NOSUID | _MS_NODEV, data)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        if not os.path.lexists(f"/dev/{name}"):
            Path("/dev", name).symlink_to(target)
    for place in (HOME, "/run/m", "/run/user"):
        Path(place).mkdir(parents=True, exist_ok=True)
        os.chown(place, UID, GID)
    Path("/etc/passwd").write_text(
        f"root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000:user:{HOME}:/bin/bash\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )
    Path("/etc/group").write_text("root:x:0:\ntty:x:5:\nuser:x:1000:\nnogroup:x:65534:\n")
    Path("/etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    Path("/etc/resolv.conf").write_text("")
    for place in ("/root", "/mnt", "/srv", "/data", "/project"):
        Path(place).mkdir(exist_ok=True)
    os.environ["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    forward_all()
    agent = Agent()
    agent.phase("agent")
    threading.Thread(target=agent.listen, daemon=True).start()
    agent.reap()


if __name__ == "__main__":
    main()

"""The words that start bubblewrap for one machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from atoll.errors import InvalidInput
from atoll.model.workspace import STREAMED
from atoll.ports.backend import MachineSpec, Mount
from atoll.providers.sandbox import environment as environments
from atoll.providers.sandbox.environment import Environment
from atoll.providers.sandbox.machine import SOCKET, Machine

BUBBLEWRAP = "/usr/bin/bwrap"
HOME = "/home/user"
GATEWAY_PORT = 3141
#: Where a machine finds the attempts to break out of it.
PROBES = "/opt/probes.py"
#: Where a machine has the program that shows a screen.
DESKTOP = "/opt/desktop"
#: Where a machine that was made ready for nobody has the program that waits for its person.
WAITING = "/opt/waiting.py"
#: What of the host's /etc programs need; nothing there is particular to a person.
_ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "dbus-1", "fonts", "gtk-3.0", "java", "ld.so.cache",
    "ld.so.conf", "ld.so.conf.d", "localtime", "magic", "matplotlibrc", "mime.types", "R", "ssl/certs",
    "ssl/openssl.cnf", "terminfo", "X11", "xdg/menus", "xdg/Thunar", "xdg/xfce4",
)  # fmt: skip
_OWN_ETC = {
    "passwd": f"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nuser:x:1000:1000:user:{HOME}:/bin/bash\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "resolv.conf": "",
}
#: Places of an anonymous machine into which mounts come when it is claimed.
SLOTS = ("mnt", "data", "srv", "project")
#: Targets below which data may be mounted.
_MOUNT_PLACES = ("/mnt", "/data", "/srv", "/opt/data", "/project")


@dataclass(frozen=True)
class Command:
    """Words for bubblewrap; `@name` stands for a source the supervisor fills in, or its descriptors."""

    words: list[str]
    sources: dict[str, str]


def write_etc(machine: Machine) -> None:
    """Write the machine's own files of /etc, readable by its user whatever the platform's umask."""
    machine.etc.mkdir(exist_ok=True)
    # What tells one machine from another to programs inside; nothing of the host's.
    machine_id = hashlib.sha256(f"machine {machine.workspace}".encode()).hexdigest()[:32]
    for name, text in {
        **_OWN_ETC,
        "hostname": _hostname(machine.workspace) + "\n",
        "machine-id": machine_id + "\n",
    }.items():
        path = machine.etc / name
        path.write_text(text)
        path.chmod(0o644)


def build_command(
    machine: Machine, spec: MachineSpec, built: Path, declared: Environment, nproc: int | None
) -> Command:
    """The command of a machine. Raises `InvalidInput` when the spec cannot be met."""
    sources: dict[str, str] = {}

    def source(name: str, path: Path) -> str:
        sources[name] = str(path)
        return f"@{name}"

    words = [*walls(_hostname(spec.workspace)), *system_words(source, _ETC)]
    for name in (*_OWN_ETC, "hostname", "machine-id"):
        words += ["--ro-bind", source(f"etc-{name}", machine.etc / name), f"/etc/{name}"]
    scratch = str(max(2**20, spec.memory_bytes // 2))
    words += ["--proc", "/proc", "--dev", "/dev"]
    for place in ("/dev/shm", "/tmp", "/run"):  # noqa: S108 - the machine's own
        words += ["--size", scratch, "--perms", "1777" if place != "/run" else "0755", "--tmpfs", place]
    words += ["--dir", "/run/user", "--remount-ro", "/dev"]
    words += ["--bind", source("home", machine.home), HOME, "--bind", source("run", machine.run), "/run/m"]
    if spec.gateway is not None:
        words += ["--ro-bind", source("gateway", spec.gateway), "/run/gw"]
    words += ["--ro-bind", source("environment", built), environments.INSIDE]
    words += ["--ro-bind", source("inside", Path(__file__).with_name("inside.py")), "/opt/inside.py"]
    words += ["--ro-bind", source("probes", Path(__file__).with_name("probes.py")), PROBES]
    if spec.service in STREAMED:
        words += ["--ro-bind", source("desktop", Path(__file__).with_name("desktop")), DESKTOP]
    for index, mount in enumerate(spec.mounts):
        kind = "--bind" if mount.writable else "--ro-bind"
        words += [kind, source(f"mount-{index}", checked_source(mount)), checked_target(mount)]
    if spec.anonymous:
        words += ["--ro-bind", source("waiting", Path(__file__).with_name("waiting.py")), WAITING]
        for name in SLOTS:
            words += ["--ro-bind", source(f"slot-{name}", machine.slots / name), f"/{name}"]
        words += ["--setenv", "ATOLL_CLAIM", "@CLAIM_FD", "--setenv", "ATOLL_CLAIMED", "@CLAIMED_FD"]
    words += ["--remount-ro", "/", "--chdir", HOME]
    for name, value in _variables(spec, declared).items():
        words += ["--setenv", name, value]
    words += ["--", _python(), "-I", "-S", "/opt/inside.py", json.dumps(_plan(spec, declared, nproc)), "@ORDERS_FD"]
    return Command(words, sources)


def walls(hostname: str) -> list[str]:
    """What every process behind bubblewrap is held by: namespaces, no capability, no call that is not let through."""
    return [
        BUBBLEWRAP, "--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup-try", "--unshare-net", "--new-session", "--die-with-parent", "--as-pid-1",
        "--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", hostname,
        "--info-fd", "@INFO_FD", "--seccomp", "@SECCOMP_FD", "--clearenv",
    ]  # fmt: skip


def system_words(source: Callable[[str, Path], str], etc: Iterable[str]) -> list[str]:
    """The host's programs, read-only: /usr, the platform's own Python, and the names of /etc that are given."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        place = Path("/", name)
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            words += ["--ro-bind", str(place), str(place)]
    for name in etc:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    prefix = environments.base_python()
    if not prefix.is_relative_to("/usr"):
        words += ["--ro-bind", source("python", prefix), str(prefix)]
    return words


def _variables(spec: MachineSpec, declared: Environment) -> dict[str, str]:
    path = f"{HOME}/.local/bin:{environments.INSIDE}/bin:/usr/local/bin:/usr/bin:/bin"
    standard = standard_variables(path, spec.workspace, gateway=spec.gateway is not None)
    return {**standard, **declared.variables, **spec.variables}


def standard_variables(path: str, workspace: str, *, gateway: bool) -> dict[str, str]:
    """Environment variables of every service, before those of its environment; `workspace` empty: nobody's yet."""
    standard = {
        "HOME": HOME,
        "USER": "user",
        "LOGNAME": "user",
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "TMPDIR": "/tmp",  # noqa: S108 - the machine's own
        "PATH": path,
    }
    if workspace:
        standard["ATOLL_WORKSPACE"] = workspace
    if gateway:
        standard["ATOLL_URL"] = f"http://127.0.0.1:{GATEWAY_PORT}"
    return standard


def _plan(spec: MachineSpec, declared: Environment, nproc: int | None) -> dict[str, Any]:
    command = declared.command(
        spec.service, spec.parameters, socket=f"/run/m/{SOCKET}", base_url=spec.base_url, python=_python()
    )
    return {
        "command": _waiting(command) if spec.anonymous else command,
        "forward": [[GATEWAY_PORT, "/run/gw/gw.sock"]] if spec.gateway is not None else [],
        "rlimits": {"RLIMIT_CORE": 0, **({"RLIMIT_NPROC": nproc} if nproc is not None else {})},
        "links": declared.links,
        "files": declared.files,
    }


def _waiting(command: list[str]) -> list[str]:
    """The command of a service in Python with the program before it that waits for a person."""
    at = next((i for i, word in enumerate(command[1:], 1) if word == "-m" or not word.startswith("-")), None)
    if at is None or not PurePosixPath(command[0]).name.startswith("python"):
        raise InvalidInput("Only a service in Python can be made ready for nobody.", where=command[0])
    return [*command[:at], WAITING, *command[at:]]


def _python() -> str:
    return str(environments.base_python() / "bin" / "python3")


def _hostname(workspace: str) -> str:
    return workspace.replace("_", "-")[:63].strip("-")


def checked_source(mount: Mount) -> Path:
    """What is mounted. Raises `InvalidInput` when it is not there."""
    if not mount.source.is_absolute() or not mount.source.exists():
        raise InvalidInput("What is to be mounted is not there.", where=mount.target)
    return mount.source


def checked_target(mount: Mount) -> str:
    """Where it is seen inside. Raises `InvalidInput` for a place where nothing may be mounted."""
    target = PurePosixPath(mount.target)
    # Not below the home: what lies there is the machine's doing, and a link could lead the mount elsewhere.
    below = any(target.is_relative_to(place) for place in _MOUNT_PLACES)
    if not target.is_absolute() or ".." in target.parts or not below:
        places = ", ".join(_MOUNT_PLACES)
        raise InvalidInput("Data cannot be mounted there.", where=mount.target, todo=f"Choose a place below {places}.")
    return str(target)

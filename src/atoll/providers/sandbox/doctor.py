"""What this host can give to sandboxes, as tried."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from atoll.errors import AtollError
from atoll.ports.backend import Finding
from atoll.providers.sandbox import disk
from atoll.providers.sandbox.command import BUBBLEWRAP
from atoll.providers.sandbox.environment import read_environment
from atoll.providers.sandbox.limits import Limiter
from atoll.providers.sandbox.machine import SOCKET
from atoll.providers.sandbox.screens import examine_screens
from atoll.providers.sandbox.seccomp import machine_filter

#: unix(7): a path of a socket has 108 bytes with its end; ids of workspaces take up to 64.
_SOCKET_PATH_BYTES = 107
_PROBE_SECONDS = 10


def examine(directory: Path, environments: Path, limiter: Limiter) -> tuple[Finding, ...]:
    """Try each part that a machine needs."""
    return (
        _bubblewrap(),
        _namespaces(),
        _system_calls(),
        Finding(
            "limits",
            limiter.strong,
            limiter.guarantee,
            "" if limiter.strong else "Run Atoll as root, or under systemd with cgroup v2.",
        ),
        Finding(
            "hibernate",
            limiter.can_freeze,
            "processes stand still and keep their memory; it is lost when the host restarts"
            if limiter.can_freeze
            else "machines can be stopped only",
        ),
        _users(),
        Finding("home quota", True, disk.guarantee(directory)),
        _socket_paths(directory),
        examine_screens(),
        *_environments(environments),
    )


def _bubblewrap() -> Finding:
    if not Path(BUBBLEWRAP).exists():
        return Finding("bubblewrap", False, "it is not installed", "Install the package bubblewrap.")
    said = subprocess.run([BUBBLEWRAP, "--version"], capture_output=True, text=True, check=False).stdout.split()
    version = tuple(int(part) for part in said[-1].split(".")[:2]) if said else (0, 0)
    good = version >= (0, 8)
    return Finding(
        "bubblewrap", good, f"version {said[-1] if said else 'unknown'}", "" if good else "0.8 or newer is needed."
    )


def _namespaces() -> Finding:
    words = [BUBBLEWRAP, "--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    words += ["--unshare-uts", "--cap-drop", "ALL", "--uid", "1000", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return Finding("namespaces", False, "the probe could not be run", "Install the package bubblewrap.")
    if done.returncode == 0:
        return Finding("namespaces", True, "user, pid, network, ipc and host name are separate")
    todo = "Allow unprivileged user namespaces (user.max_user_namespaces, kernel.unprivileged_userns_clone)."
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if restricted.exists() and restricted.read_text().strip() == "1":
        todo = (
            "AppArmor keeps programs from making user namespaces, as on Ubuntu 24.04: add a profile for "
            f"{BUBBLEWRAP} with `userns,`, or set kernel.apparmor_restrict_unprivileged_userns=0."
        )
    return Finding(
        "namespaces", False, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "refused", todo
    )


def _system_calls() -> Finding:
    try:
        return Finding("system calls", True, f"filtered by {len(machine_filter()) // 8} instructions")
    except AtollError as error:
        return Finding("system calls", False, error.what, error.todo)


def _users() -> Finding:
    if os.getuid() == 0:
        return Finding("users", True, "each machine has a user id of its own, without rights on the host")
    return Finding(
        "users",
        True,
        "every machine has the platform's user id; only namespaces keep them apart",
        "Run Atoll as root for a user id per machine.",
    )


def _socket_paths(directory: Path) -> Finding:
    left = _SOCKET_PATH_BYTES - len(os.fsencode(directory / "run" / SOCKET)) - 1
    good = left >= 36
    return Finding(
        "socket paths",
        good,
        f"ids of workspaces may have {max(0, left)} characters",
        "" if good else "Choose a shorter directory for machines; paths of sockets end at 108 bytes.",
    )


def _environments(environments: Path) -> list[Finding]:
    built = (
        sorted(entry for entry in environments.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        if environments.is_dir()
        else []
    )
    if not built:
        return [Finding("environments", False, "none is built", "Run `atoll environment build jupyter`.")]
    found = []
    for entry in built:
        try:
            declared = read_environment(entry)
        except AtollError as error:
            found.append(Finding(f"environment {entry.name}", False, error.what, error.todo))
            continue
        missing = declared.r and shutil.which("Rscript") is None
        todo = "Install the packages r-base-core and r-cran-irkernel." if missing else ""
        found.append(Finding(f"environment {entry.name}", not missing, declared.title, todo))
    return found

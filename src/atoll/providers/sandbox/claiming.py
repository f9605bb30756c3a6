"""Giving a machine that was made ready for nobody to its person."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from atoll.errors import InvalidInput
from atoll.ports.backend import Finding, MachineSpec
from atoll.providers.sandbox.command import SLOTS, checked_source, checked_target

_PROGRAM = Path(__file__).with_name("late_mounts.py")
_SECONDS = 10.0


def can_claim(directory: Path) -> bool:
    """Whether mounts can come into a sandbox after its start on this host, tried below `directory`."""
    with tempfile.TemporaryDirectory(prefix=".late-", dir=directory) as place:
        command = [sys.executable, "-I", "-S", str(_PROGRAM), place]
        try:
            return subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def warm_finding(*, works: bool) -> Finding:
    """What `atoll doctor` says of it."""
    if works:
        return Finding("machines kept ready", good=True, detail="data can come into a machine that runs already")
    return Finding(
        "machines kept ready",
        good=False,
        detail="data cannot come into a machine that runs, so none is kept ready",
        todo="Use Linux 5.12 or newer, and let the platform's user make user namespaces.",
    )


def claim_order(
    spec: MachineSpec, made: dict[str, Any], group_of: Callable[[str], int], uid: int | None
) -> dict[str, Any]:
    """What the supervisor is told: mounts that the machine has not yet, and variables. Raises `InvalidInput`."""
    mounts = []
    for mount in spec.mounts:
        source, target = checked_source(mount), checked_target(mount)
        if target in made["spec"]["mounts"]:
            continue
        if PurePosixPath(target).parts[1] not in SLOTS:
            raise InvalidInput("Data cannot be mounted there once the machine runs.", where=target)
        shared = mount.writable and mount.group and uid is not None and os.getuid() == 0
        groups = [group_of(mount.group), uid] if shared else None
        mounts.append({"source": str(source), "target": target, "writable": mount.writable, "groups": groups})
    shares = [[str(m.source), m.quota_bytes] for m in spec.mounts if m.writable and m.quota_bytes is not None]
    return {"token": spec.token, "mounts": mounts, "variables": dict(spec.variables), "shares": shares}

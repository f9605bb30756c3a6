"""An ordinary user under systemd: scopes that the user's own manager makes in the tree delegated to it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from atoll.providers.sandbox.limits.cgroup_v2 import CgroupV2, unified_mount
from atoll.providers.sandbox.limits.limiter import Limits

_PROBE_SECONDS = 10


class SystemdScopes(CgroupV2):
    """As version 2, but the group is a scope that `systemd-run` makes and puts the machine into.

    The scope lies in a slice of its own, so its path is known beforehand; its files
    belong to the user, who changes limits and freezes by them as systemd's
    `set-property --runtime` would.
    """

    guarantee = "memory, CPU and processes bounded by the kernel (cgroup v2, delegated by systemd)"

    def __init__(self, parent: str) -> None:
        self._unit = parent.replace("/", "-")
        mount = unified_mount() or Path("/sys/fs/cgroup")
        user = os.getuid()
        manager = mount / "user.slice" / f"user-{user}.slice" / f"user@{user}.service"
        super().__init__(manager / "app.slice")

    @staticmethod
    def usable(mount: Path | None = None) -> bool:
        """Whether the user's manager answers and makes scopes with limits."""
        try:
            done = subprocess.run(
                ["systemd-run", "--user", "--scope", "--quiet", "-p", "MemoryMax=64M", "-p", "TasksMax=8", "true"],
                timeout=_PROBE_SECONDS,
                capture_output=True,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def _group(self, key: str) -> Path:
        return self._root / f"{self._unit}-{key}.scope"

    def prepare(self, key: str, limits: Limits) -> tuple[Path, ...]:
        """Nothing to make or enter: `wrap` does both."""
        return ()

    def wrap(self, key: str, limits: Limits) -> tuple[str, ...]:
        """The words that start the machine in its scope."""
        return (
            "/usr/bin/systemd-run", "--user", "--scope", "--quiet", "--collect",
            f"--unit={self._unit}-{key}", "--slice=app.slice",
            "-p", f"MemoryMax={limits.memory_bytes}",
            "-p", f"CPUQuota={limits.vcpu * 100:.0f}%",
            "-p", f"TasksMax={limits.pids}",
            # Else the end of one process for want of memory ends the machine.
            "-p", "OOMPolicy=continue",
            "--",
        )  # fmt: skip

    def remove(self, key: str) -> None:
        """Nothing: the scope goes with its last process."""

"""Control groups of version 1, one hierarchy per controller; only root may write them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from atoll.errors import Unavailable
from atoll.providers.sandbox.limits import cgroup_files as files
from atoll.providers.sandbox.limits.limiter import Limits, Usage

CONTROLLERS = ("memory", "pids", "cpu", "cpuacct", "freezer")


def mounted_controllers() -> dict[str, Path]:
    """Where each controller of version 1 is mounted on this host."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup":
            for name in CONTROLLERS:
                if name in options.split(","):
                    found.setdefault(name, Path(place))
    return found


class CgroupV1:
    """Bounds machines by groups `<controller>/<parent>/<key>`."""

    guarantee = "memory, CPU and processes bounded by the kernel (cgroup v1)"
    can_freeze = True
    can_resize = True
    strong = True

    def __init__(self, parent: str) -> None:
        self._roots = {name: root / parent for name, root in mounted_controllers().items()}

    @staticmethod
    def usable() -> bool:
        """Whether every controller is mounted and may be written by this process."""
        found = mounted_controllers()
        return set(found) == set(CONTROLLERS) and all(os.access(place, os.W_OK) for place in found.values())

    def prepare(self, key: str, limits: Limits) -> tuple[Path, ...]:
        """Make a group in each hierarchy."""
        for root in self._roots.values():
            files.make_group(root / key)
        self.apply(key, limits)
        return tuple(sorted({root / key / "cgroup.procs" for root in self._roots.values()}))

    def wrap(self, key: str, limits: Limits) -> tuple[str, ...]:
        """Nothing: the machine enters by itself."""
        return ()

    def apply(self, key: str, limits: Limits) -> None:
        """Set the three limits."""
        files.write(self._roots["memory"] / key / "memory.limit_in_bytes", str(limits.memory_bytes))
        files.write(self._roots["cpu"] / key / "cpu.cfs_period_us", str(files.CPU_PERIOD_MICROSECONDS))
        files.write(self._roots["cpu"] / key / "cpu.cfs_quota_us", str(files.cpu_quota(limits.vcpu)))
        files.write(self._roots["pids"] / key / "pids.max", str(limits.pids))

    def freeze(self, key: str) -> None:
        """Freeze, and see that it is so."""
        state = self._roots["freezer"] / key / "freezer.state"
        files.write(state, "FROZEN")
        until = time.monotonic() + 2
        while state.read_text().strip() != "FROZEN":
            if time.monotonic() > until:
                files.write(state, "THAWED")
                raise Unavailable("The machine's processes do not stand still.", where=key, todo="Try again.")
            time.sleep(0.002)

    def thaw(self, key: str) -> None:
        """Let it go on."""
        state = self._roots["freezer"] / key / "freezer.state"
        if state.exists():
            files.write(state, "THAWED")

    def frozen(self, key: str) -> bool:
        """Whether the kernel says so."""
        try:
            return (self._roots["freezer"] / key / "freezer.state").read_text().strip() == "FROZEN"
        except OSError:
            return False

    def kill(self, key: str) -> None:
        """Hold every process still, so that none forks away, kill all and let them die."""
        group = self._roots["freezer"] / key
        if not group.exists():
            return
        until = time.monotonic() + 5
        while (group / "cgroup.procs").read_text().strip() and time.monotonic() < until:
            files.write(group / "freezer.state", "FROZEN")
            files.kill_members(group)
            files.write(group / "freezer.state", "THAWED")
            time.sleep(0.01)

    def usage(self, key: str, first: int | None) -> Usage | None:
        """As the controllers count it; pages of files that can be dropped are not memory in use."""
        memory = self._roots["memory"] / key
        if not memory.exists():
            return None
        inactive = files.field(memory / "memory.stat", "total_inactive_file")
        return Usage(
            cpu_seconds=files.number(self._roots["cpuacct"] / key / "cpuacct.usage") / 1e9,
            memory_bytes=max(0, files.number(memory / "memory.usage_in_bytes") - inactive),
            processes=files.number(self._roots["pids"] / key / "pids.current"),
            killed_for_memory=files.field(memory / "memory.oom_control", "oom_kill"),
        )

    def remove(self, key: str) -> None:
        """Remove the groups."""
        for root in self._roots.values():
            files.remove_group(root / key)

"""Control groups of version 2."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from atoll.errors import Unavailable
from atoll.providers.sandbox.limits import cgroup_files as files
from atoll.providers.sandbox.limits.limiter import Limits, Usage

_CONTROLLERS = ("memory", "pids", "cpu")


def unified_mount() -> Path | None:
    """Where the hierarchy of version 2 is mounted, None where it is not."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    return None


class CgroupV2:
    """Bounds machines by groups `<root>/<key>`; `root` is a group that this process may write."""

    guarantee = "memory, CPU and processes bounded by the kernel (cgroup v2)"
    can_freeze = True
    can_resize = True
    strong = True

    def __init__(self, root: Path, controllers: tuple[str, ...] = _CONTROLLERS) -> None:
        self._root = root
        self._controllers = controllers

    def _group(self, key: str) -> Path:
        return self._root / key

    @staticmethod
    def usable(mount: Path | None) -> bool:
        """Whether this process may make groups with the three controllers right below the mount."""
        if mount is None or not os.access(mount / "cgroup.subtree_control", os.W_OK):
            return False
        return set(_CONTROLLERS) <= set((mount / "cgroup.controllers").read_text().split())

    def prepare(self, key: str, limits: Limits) -> tuple[Path, ...]:
        """Make the group, with the controllers handed down to it."""
        group = self._group(key)
        files.make_group(group)
        mount = unified_mount()
        for above in reversed(group.parents):
            if self._controllers and mount is not None and (above == mount or mount in above.parents):
                files.write(above / "cgroup.subtree_control", " ".join(f"+{name}" for name in self._controllers))
        self.apply(key, limits)
        return (group / "cgroup.procs",)

    def wrap(self, key: str, limits: Limits) -> tuple[str, ...]:
        """Nothing: the machine enters by itself."""
        return ()

    def apply(self, key: str, limits: Limits) -> None:
        """Set the limits of the controllers there are."""
        group = self._group(key)
        if "memory" in self._controllers:
            files.write(group / "memory.max", str(limits.memory_bytes))
            # One kernel that asks for too much is ended, not the whole machine.
            files.write(group / "memory.oom.group", "0")
        if "cpu" in self._controllers:
            quota = files.cpu_quota(limits.vcpu)
            files.write(group / "cpu.max", f"{quota} {files.CPU_PERIOD_MICROSECONDS}")
        if "pids" in self._controllers:
            files.write(group / "pids.max", str(limits.pids))

    def freeze(self, key: str) -> None:
        """Freeze, see that it is so, and ask for the memory back where there is swap for it."""
        group = self._group(key)
        files.write(group / "cgroup.freeze", "1")
        until = time.monotonic() + 2
        while not self.frozen(key):
            if time.monotonic() > until:
                files.write(group / "cgroup.freeze", "0")
                raise Unavailable("The machine's processes do not stand still.", where=key, todo="Try again.")
            time.sleep(0.002)
        with contextlib.suppress(OSError):
            (group / "memory.reclaim").write_text((group / "memory.current").read_text())

    def thaw(self, key: str) -> None:
        """Let it go on."""
        freeze = self._group(key) / "cgroup.freeze"
        if freeze.exists():
            files.write(freeze, "0")

    def frozen(self, key: str) -> bool:
        """Whether the kernel says so."""
        return bool(files.field(self._group(key) / "cgroup.events", "frozen"))

    def kill(self, key: str) -> None:
        """End all at once: the kernel lets none fork away, frozen or not (since Linux 5.14)."""
        group = self._group(key)
        if not group.exists():
            return
        if (group / "cgroup.kill").exists():
            files.write(group / "cgroup.kill", "1")
            return
        files.kill_members(group)
        self.thaw(key)

    def usage(self, key: str, first: int | None) -> Usage | None:
        """As the controllers count it; pages of files that can be dropped are not memory in use."""
        group = self._group(key)
        if not group.exists():
            return None
        inactive = files.field(group / "memory.stat", "inactive_file")
        return Usage(
            cpu_seconds=files.field(group / "cpu.stat", "usage_usec") / 1e6,
            memory_bytes=max(0, files.number(group / "memory.current") - inactive),
            processes=files.number(group / "pids.current"),
            killed_for_memory=files.field(group / "memory.events", "oom_kill"),
        )

    def remove(self, key: str) -> None:
        """Remove the group."""
        files.remove_group(self._group(key))

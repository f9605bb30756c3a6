"""What this host can give to virtual machines."""

from __future__ import annotations

import shutil
from pathlib import Path

from atoll.ports.backend import Finding
from atoll.providers.sandbox.command import BUBBLEWRAP
from atoll.providers.sandbox.limits import Limiter
from atoll.providers.vm.arguments import QEMU, has_emulator, qemu_version

_TOOLS = {
    "qemu-img": "qemu-utils", "mksquashfs": "squashfs-tools", "mke2fs": "e2fsprogs", "zstd": "zstd",
    "mmdebstrap": "mmdebstrap", BUBBLEWRAP: "bubblewrap",
}  # fmt: skip


def examine(images: Path, limiter: Limiter, runs: str) -> tuple[Finding, ...]:
    """Look at each part that a virtual machine needs; `runs` says in words what runs machines here."""
    missing = sorted(package for tool, package in _TOOLS.items() if shutil.which(tool) is None)
    built = sorted(path.parent.name for path in images.glob("*/image.json") if not path.parent.name.startswith("."))
    return (
        Finding("emulator", has_emulator(), f"QEMU {qemu_version()}" if has_emulator() else f"{QEMU} is not installed",
                "" if has_emulator() else "Install the package qemu-system-x86."),
        Finding("tools", not missing, "all are there" if not missing else f"missing: {', '.join(missing)}",
                "" if not missing else f"Install the packages {' '.join(missing)}."),
        Finding("processor", good=True, detail=runs),
        Finding("limits", limiter.strong, limiter.guarantee,
                "" if limiter.strong else "Run Atoll as root, or under systemd with cgroup v2."),
        # A host may have none: then it offers sandboxes only.
        Finding("images", good=True, detail=", ".join(built) or "none; `atoll environment build jupyter-vm` makes one"),
    )  # fmt: skip

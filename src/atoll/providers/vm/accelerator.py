"""Whether this host runs virtual machines by its processor, or QEMU must emulate one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from functools import cache
from pathlib import Path

from atoll.providers.sandbox.process import boot_id
from atoll.providers.vm.arguments import QEMU, qemu_version

_KVM = "/dev/kvm"
_SECONDS = 20.0


@cache
def accelerator(kernel: Path) -> str:
    """`kvm` or `tcg`, as tried; what was found is kept beside the image until the host starts anew.

    That the device is there proves nothing: a kernel without a system panics, and with
    `panic=-1` and `-no-reboot` QEMU then exits, if the processor has carried it that far.
    """
    if not os.access(_KVM, os.R_OK | os.W_OK) or not kernel.exists():
        return "tcg"
    note = kernel.parent / ".accelerator.json"
    about = [boot_id(), qemu_version()]
    with contextlib.suppress(OSError, ValueError, KeyError):
        known = json.loads(note.read_text())
        if known["about"] == about and known["found"] in ("kvm", "tcg"):
            return str(known["found"])
    found = "kvm" if _carries(kernel) else "tcg"
    with contextlib.suppress(OSError):
        draft = note.with_name(f"{note.name}.{os.getpid()}")
        draft.write_text(json.dumps({"about": about, "found": found}))
        draft.rename(note)
    return found


def _carries(kernel: Path) -> bool:
    words = [QEMU, "-nodefaults", "-machine", "pc,accel=kvm", "-cpu", "host", "-m", "256", "-display", "none"]
    words += ["-no-reboot", "-kernel", str(kernel), "-append", "panic=-1 quiet"]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def in_words(chosen: str) -> str:
    """For people."""
    if chosen == "kvm":
        return "the host's processor runs machines itself (KVM)"
    return "machines are emulated, some ten times slower than by KVM, which this host does not give"


def kvm_group() -> int | None:
    """The host's group that may use KVM; None when there is no device."""
    try:
        return os.stat(_KVM).st_gid  # noqa: PTH116
    except OSError:
        return None

"""The words that start QEMU, and what a saved memory is tied to."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shlex
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from subprocess import run

QEMU = "/usr/bin/qemu-system-x86_64"
#: A machine type that QEMU versions agree on, so that a state outlives an update of QEMU as far as QEMU can.
MACHINE = "pc-i440fx-6.2"
SERVICE_PORT = 8888
#: Disks by their number on the bus; those of data come after.
SYSTEM_DISK, ENVIRONMENT_DISK, HOME_DISK, FIRST_DATA_DISK, LAST_DATA_DISK = 0, 1, 2, 3, 250
_NET = "10.0.2.0/24"
_GATEWAY = "tcp:10.0.2.100:3141"


@dataclass(frozen=True)
class Shape:
    """What must be the same for a memory to be loaded again.

    `accelerator` is `kvm` or `tcg`; `cpu` tells kinds of processors apart where the guest sees the host's.
    """

    vcpu: int
    memory_bytes: int
    accelerator: str
    qemu: str
    cpu: str
    image: str

    @property
    def key(self) -> str:
        """A name for it."""
        told = json.dumps([MACHINE, asdict(self)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def shape_of(vcpu: float, memory_bytes: int, accelerator: str, image: str) -> Shape:
    """The shape of a machine of this host. A share of a CPU is a whole one of which the host gives a part."""
    memory = max(2**27, memory_bytes >> 21 << 21)
    return Shape(max(1, math.ceil(vcpu)), memory, accelerator, qemu_version(), _processor(accelerator), image)


@cache
def qemu_version() -> str:
    """Of the QEMU of this host; empty when there is none."""
    try:
        said = run([QEMU, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
    return said.split("\n")[0].removeprefix("QEMU emulator version ").split()[0] if said else ""


def _processor(accelerator: str) -> str:
    """What emulation shows depends on QEMU alone, as far as the guest sees."""
    if accelerator == "tcg":
        return "max"
    lines = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines()
    told = [line for line in lines if line.startswith(("model name", "flags", "microcode"))]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def qemu_words(
    shape: Shape, *, image: Path, control: Path, agent: Path, port: int, gateway: str | None, incoming: bool
) -> list[str]:
    """The command of a machine with its system's disks; others are attached by QMP.

    Args:
        image: directory of the image.
        control, agent: unix sockets that QEMU listens on for QMP and for the agent.
        port: of this network namespace's loopback that leads to the service inside.
        gateway: command to which each connection to the gateway's address is joined; None for no gateway.
        incoming: a memory is to be loaded before it runs.
    """
    tcg = "tcg,thread=multi,tb-size=256"
    network = f"user,id=net0,restrict=on,net={_NET},ipv6=off,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:{SERVICE_PORT}"
    if gateway is not None:
        network += f",guestfwd={_GATEWAY}-cmd:{gateway}"
    words = [
        QEMU, "-nodefaults", "-no-user-config", "-machine", f"{MACHINE},usb=off,vmport=off",
        "-accel", "kvm" if shape.accelerator == "kvm" else tcg,
        "-cpu", "host,migratable=on" if shape.accelerator == "kvm" else "max",
        "-smp", str(shape.vcpu), "-m", f"{shape.memory_bytes >> 20}M", "-display", "none", "-no-reboot",
        # What QEMU itself may not do any more; `elevateprivileges=deny` would forbid the gateway's command.
        "-sandbox", "on,obsolete=deny,resourcecontrol=deny",
        "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
        "-chardev", f"socket,id=control,path={control},server=on,wait=off", "-mon", "chardev=control,mode=control",
        "-device", "virtio-scsi-pci,id=scsi0",
        "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={agent},server=on,wait=off",
        "-device", "virtserialport,chardev=agent,name=atoll.agent",
        "-netdev", network, "-device", "virtio-net-pci,netdev=net0,romfile=",
        "-device", "vmgenid,guid=auto",
        "-kernel", str(image / "kernel"), "-initrd", str(image / "initrd"),
        "-append", "console=ttyS0 loglevel=3 panic=-1 mitigations=off random.trust_cpu=on",
    ]  # fmt: skip
    for name, number in (("system", SYSTEM_DISK), ("environment", ENVIRONMENT_DISK)):
        file = image / f"{name}.squashfs"
        words += ["-blockdev", f"driver=raw,node-name={name},read-only=on,file.driver=file,file.filename={file}"]
        words += ["-device", f"scsi-hd,bus=scsi0.0,scsi-id={number},drive={name},id=disk{number}"]
    return [*words, "-S", "-incoming", "defer"] if incoming else words


def joined(words: list[str]) -> str:
    """A command as `guestfwd` takes it."""
    return shlex.join(words)


def has_emulator() -> bool:
    """Whether QEMU is installed."""
    return os.access(QEMU, os.X_OK)

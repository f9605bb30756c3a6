"""Attempts to break out of a virtual machine, made as root inside. A program of its own, standard library only.

Run as `python probes.py FACTS`, facts in JSON; prints a list of `{group, what, held, detail}` as its last line.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

FACTS: dict[str, Any] = json.loads(sys.argv[1])
FOUND: list[dict[str, Any]] = []


def attempt(group: str, what: str, act: Callable[[], str | None]) -> None:
    """`act` returns None when it was held, else what came through; an error is a wall."""
    try:
        came = act()
    except Exception as error:
        FOUND.append({"group": group, "what": what, "held": True, "detail": type(error).__name__})
    else:
        FOUND.append({"group": group, "what": what, "held": came is None, "detail": came or "nothing came through"})


def connect(host: str, port: int) -> str:
    """A connection out."""
    with socket.create_connection((host, port), timeout=1.5):
        return f"{host}:{port} was reached"


def name() -> str:
    """A name of the world."""
    return socket.gethostbyname("debian.org")


def ping() -> str:
    """The emulator's own name server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.settimeout(1.0)
        out.sendto(
            b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06debian\x03org\x00\x00\x01\x00\x01",
            ("10.0.2.3", 53),
        )
        out.recv(512)
        return "a name server answered"


def another_network() -> str | None:
    """An address beyond the machine's own network, by hand."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as raw:
        raw.bind(("eth0", 0))
        raw.settimeout(1.0)
        # A request for an address of another network, and what comes back.
        mac = bytes.fromhex(Path("/sys/class/net/eth0/address").read_text().strip().replace(":", ""))
        ask = b"\x00\x01\x08\x00\x06\x04\x00\x01" + mac + bytes([10, 0, 2, 15]) + bytes(6) + bytes([192, 168, 1, 1])
        raw.send(b"\xff" * 6 + mac + b"\x08\x06" + ask)
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            frame = raw.recv(2048)
            if frame[12:14] == b"\x08\x06" and frame[28:32] == bytes([192, 168, 1, 1]):
                return "another network answered"
    return None


def see(path: str) -> str | None:
    """A file of the host; some names are files of one's own."""
    content = Path(path).read_bytes()[:40]
    own = {"/etc/shadow", "/etc/passwd", "/etc/hostname"}
    return None if path in own else f"{len(content)} bytes were read"


def writable_disk(name: int) -> Callable[[], str]:
    """A disk that all machines share."""

    def act() -> str:
        device = next(Path("/sys/class/scsi_device").glob(f"*:0:{name}:0/device/block/*")).name
        with Path(f"/dev/{device}").open("r+b") as disk:
            disk.seek(4096)
            disk.write(b"changed by root inside")
            disk.flush()
            os.fsync(disk.fileno())
        return "the shared system was changed"

    return act


def other_disks() -> str | None:
    """Disks that are of nobody who is here."""
    names = [p.name for p in Path("/sys/block").iterdir() if p.name.startswith(("vd", "nvme"))]
    return f"{names}" if names else None


def control() -> str | None:
    """QEMU's own control, by every port that there is."""
    for serial in Path("/sys/class/virtio-ports").glob("*/name"):
        if serial.read_text().strip() != "atoll.agent":
            return f"a port {serial.read_text().strip()}"
    for port in (4444, 5555, 1234):
        try:
            connect("10.0.2.2", port)
        except OSError:
            continue
        return f"port {port} of the host's side"
    return None


def host_memory() -> str | None:
    """The host's memory does not show beyond one's own."""
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None if size <= FACTS["memory_bytes"] else f"{size} bytes of memory"


def port_of_emulator() -> str | None:
    """The side door by which some emulators carry files of the host (fw_cfg): it names no file of anybody."""
    listed = Path("/sys/firmware/qemu_fw_cfg/by_name")
    names = [p.name for p in listed.rglob("raw")] if listed.exists() else []
    return f"{names}" if names else None


def main() -> None:
    """Make every attempt."""
    known = [("10.0.2.2", 22), ("10.0.2.2", 8000), ("127.0.0.1", 8000), ("169.254.169.254", 80), ("1.1.1.1", 53)]
    for host, port in [*known, *FACTS["addresses"]]:
        attempt("network", f"connect to {host}:{port}", partial(connect, host, port))
    attempt("network", "ask for a name", name)
    attempt("network", "ask the emulator's name server", ping)
    attempt("network", "see another network", another_network)
    for path in [*FACTS["paths"], *FACTS["others"]]:
        attempt("files", f"read {path}", partial(see, path))
    attempt("files", "change the shared system", writable_disk(0))
    attempt("files", "change the shared environment", writable_disk(1))
    attempt("files", "find another disk", other_disks)
    attempt("processes", "reach QEMU's control", control)
    attempt("kernel", "see the host's memory", host_memory)
    attempt("kernel", "find files by the emulator's firmware", port_of_emulator)
    sys.stdout.write(json.dumps(FOUND) + "\n")


main()

"""What of the host's programs a streamed screen needs."""

from __future__ import annotations

import shutil

from atoll.ports.backend import Finding

#: Program by the Debian package that brings it.
_PROGRAMS = {
    "Xvnc": "tigervnc-standalone-server",
    "dbus-run-session": "dbus-daemon",
    "xfce4-session": "xfce4-session",
    "openbox": "openbox",
}


def missing_packages() -> list[str]:
    """Debian packages without which no screen can be shown."""
    return sorted(package for program, package in _PROGRAMS.items() if shutil.which(program) is None)


def examine_screens() -> Finding:
    """Whether desktops and applications can be streamed from this host."""
    missing = missing_packages()
    if missing:
        return Finding("screens", False, "desktops cannot be shown", f"Install the packages {' '.join(missing)}.")
    return Finding("screens", True, "desktops and applications are streamed by Xvnc")

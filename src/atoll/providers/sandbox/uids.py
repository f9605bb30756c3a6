"""One unprivileged user id of the host per machine, so that the kernel keeps machines apart.

The range lies above what systemd gives to containers and dynamic users and below the
ids that some programs take for negative (systemd's UIDS-GIDS.md). An id stays with its
machine's home until the home is forgotten.
"""

from __future__ import annotations

import contextlib
import pwd
from pathlib import Path

from atoll.errors import LimitExceeded

FIRST_UID = 1_900_000_000
COUNT = 60_000


class Uids:
    """Ids given out on this host; one file per id in use, made by one process only."""

    def __init__(self, directory: Path, *, first: int = FIRST_UID, count: int = COUNT) -> None:
        self._directory = directory
        self._range = range(first, first + count)

    def take(self, machine: str) -> int:
        """An id of the machine's own, the same again on a later call. Raises `LimitExceeded`."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        taken = {int(entry.name): entry for entry in self._directory.iterdir() if entry.name.isdigit()}
        for uid, entry in taken.items():
            with contextlib.suppress(OSError):
                if entry.readlink() == Path(machine):
                    return uid
        for uid in self._range:
            if uid in taken or _known_to_host(uid):
                continue
            try:
                # A link is made with its content in one step: no id is ever taken by nobody.
                (self._directory / str(uid)).symlink_to(machine)
            except FileExistsError:
                continue
            return uid
        raise LimitExceeded(
            "Every user id for machines is in use.", todo="Terminate workspaces and forget their homes."
        )

    def give_back(self, machine: str) -> None:
        """The machine's home is gone: its id may serve another."""
        if not self._directory.exists():
            return
        for entry in self._directory.iterdir():
            with contextlib.suppress(OSError):
                if entry.readlink() == Path(machine):
                    entry.unlink()


def _known_to_host(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True

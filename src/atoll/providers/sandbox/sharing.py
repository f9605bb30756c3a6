"""Directories that several machines write: one group of the host for each, beside their own accounts."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

from atoll.errors import Unavailable
from atoll.providers.sandbox.uids import COUNT, FIRST_UID

#: Group ids lie beside the user ids of machines, see `uids`.
FIRST_GID = FIRST_UID + COUNT
_MODE = 0o2770


def open_to_group(directory: Path, gid: int) -> None:
    """Let the group read and write everything below; nothing is done where it may already.

    The directory itself comes last, so that what died half way is done again. New files
    get the group by the directory's setgid bit. Raises `Unavailable`.
    """
    found = directory.stat(follow_symlinks=False)
    if found.st_gid == gid and stat.S_IMODE(found.st_mode) & _MODE == _MODE:
        return
    for what, command in (
        ([], ["chgrp", "-h", str(gid)]),
        (["!", "-type", "l"], ["chmod", "g+rwX"]),
        (["-type", "d"], ["chmod", "g+s"]),
    ):
        words = ["find", str(directory), "-xdev", "-mindepth", "1", *what, "-exec", *command, "{}", "+"]
        if subprocess.run(words, capture_output=True, check=False).returncode != 0:
            raise Unavailable("A shared directory cannot be opened to its group.", where=directory.name)
    os.chown(directory, -1, gid, follow_symlinks=False)
    directory.chmod(_MODE)

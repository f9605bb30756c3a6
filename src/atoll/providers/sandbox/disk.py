"""The homes of machines on the host's file system."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from atoll.errors import LimitExceeded, Unavailable

#: Below so much free space no machine is started.
_LEAST_FREE_BYTES = 512 * 2**20
_MEASURE_SECONDS = 120


def guarantee(directory: Path) -> str:
    """In words, how strongly the quota of a home is kept."""
    return (
        "no single file grows past the quota; the sum is measured every few seconds, and a machine over its quota "
        "is stopped, so it may pass it by what it writes meanwhile"
    )


def used_bytes(paths: Sequence[Path]) -> int:
    """Bytes that trees take on the disk, links not followed, other file systems left out. Raises `Unavailable`."""
    try:
        done = subprocess.run(
            ["du", "-sxB1", "--", *map(str, paths)], capture_output=True, timeout=_MEASURE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise Unavailable("The size of a home cannot be measured.", where=str(paths[0].parent.name)) from None
    return sum(int(line.split()[0]) for line in done.stdout.splitlines())


def remove_tree(path: Path) -> None:
    """Remove a tree that a machine may have made to resist it: any depth, any mode. Raises `Unavailable`."""
    if not path.exists():
        return
    # Neither follows links, and both take trees deeper than Python can recurse.
    subprocess.run(["chmod", "-R", "u+rwX", "--", str(path)], capture_output=True, check=False)
    done = subprocess.run(["rm", "-rf", "--one-file-system", "--", str(path)], capture_output=True, check=False)
    if done.returncode != 0 or path.exists():
        raise Unavailable("A machine's files cannot be removed.", where=path.name, todo="Try again.")


def check_room(directory: Path, workspace: str) -> None:
    """Raises `LimitExceeded` when the disk is nearly full."""
    if shutil.disk_usage(directory).free < _LEAST_FREE_BYTES:
        raise LimitExceeded("The host's disk is nearly full.", where=workspace, todo="Free space, then try again.")

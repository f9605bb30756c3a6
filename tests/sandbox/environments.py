"""The shipped environments, built once for all runs of the tests."""

from __future__ import annotations

import fcntl
from pathlib import Path

from atoll.providers.sandbox import build_environment


def built_environments(directory: Path) -> Path:
    """The directory of environments with `jupyter` built in it; one process builds, others wait."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build_environment("jupyter", directory)
    return directory

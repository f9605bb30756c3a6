"""Starts to make a mount and is killed in the middle: `python killed_maker.py DIRECTORY KEY`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from atoll.lake import MountStore


def fill(directory: Path) -> None:
    (directory / "half").mkdir()
    (directory / "half" / "00000.parquet").write_bytes(b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    MountStore(Path(sys.argv[1])).make(sys.argv[2], fill)

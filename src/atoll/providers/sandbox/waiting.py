"""Runs a Python service that is ready before it is anybody's. A program of its own, standard library only.

Run inside as `python waiting.py (-m MODULE | SCRIPT) [ARGUMENT...]` with two open descriptors
in the environment: `ATOLL_CLAIM` gives one line of JSON once the machine is a person's,
`ATOLL_CLAIMED` is told when that has taken effect. `variables` in the line go into this
process's environment, and so into everything that the service starts from then on.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import threading
from pathlib import Path


def wait(orders: int, told: int) -> None:
    """Take what comes with the person, then say so."""
    with os.fdopen(orders) as lines, os.fdopen(told, "wb", buffering=0) as answer:
        line = lines.readline()
        if line.endswith("\n"):
            os.environ.update(json.loads(line)["variables"])
            answer.write(b".")


def main(words: list[str]) -> None:
    """Become the service, with a thread that waits for the person."""
    descriptors = [int(os.environ.pop(name)) for name in ("ATOLL_CLAIM", "ATOLL_CLAIMED")]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    threading.Thread(target=wait, args=descriptors, name="waiting", daemon=True).start()
    if words[0] == "-m":
        sys.argv = words[1:]
        if not sys.flags.safe_path:
            # As `python -m` has it, instead of this program's directory.
            sys.path[0] = str(Path.cwd())
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])

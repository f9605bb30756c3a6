"""Having a machine's first process run a command inside, as any process of its person would run.

The socket lies beside the machine's files, where nothing inside sees it: the first
process was handed it open (see `supervisor.py` and `inside.py`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from atoll.errors import Unavailable
from atoll.providers.sandbox.answering import connect_machine
from atoll.providers.sandbox.machine import Machine

ORDERS = "orders.sock"
_MOST_BYTES = 2**20
#: For the answer to come through after the command's own time.
_MARGIN_SECONDS = 5.0


def run_inside(machine: Machine, command: Sequence[str], seconds: float) -> tuple[int, str]:
    """Run a command inside; its exit status (negative: the signal that ended it) and what it printed.

    Raises `Unavailable` when the machine does not answer, or ends meanwhile.
    """
    until = time.monotonic() + seconds + _MARGIN_SECONDS
    order = json.dumps({"command": list(command), "seconds": seconds}) + "\n"
    printed = b""
    try:
        with connect_machine(machine.path / ORDERS, _MARGIN_SECONDS) as connection:
            connection.sendall(order.encode())
            while len(printed) < _MOST_BYTES:
                connection.settimeout(max(0.01, until - time.monotonic()))
                block = connection.recv(65_536)
                if not block:
                    break
                printed += block
        text, _, status = printed.decode(errors="replace").rstrip("\n").rpartition("\n")
        return int(status), text
    except (OSError, ValueError):
        raise Unavailable(
            "The machine does not carry out a command.",
            where=machine.workspace,
            todo="Try again; a machine that was started by an older Atoll is to be stopped and started.",
        ) from None

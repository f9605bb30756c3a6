"""A platform process that is killed (SIGKILL) at its N-th effect; run by test_crash.py.

    python killed_worker.py HOME N

An effect is what outlasts the process: a transaction on the record store, a commit to
the lake's catalog, a file put in its place. The process dies right before the N-th and,
in a run of its own, right after it (N + 0.5). With N = 0 nobody is killed; it prints
how many effects there were, by name, and the states of the operations.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyiceberg.catalog.sql import SqlCatalog

from atoll.providers.records.store import SqlRecordStore
from atoll.settings import Settings
from atoll.wiring import platform


class Killer:
    """Counts effects and kills the process at the chosen one."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.effects: list[str] = []

    def wrap(self, owner: Any, name: str, label: str) -> None:
        plain: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self.effects.append(label)
            number = len(self.effects)
            if self.at == number:
                os.kill(os.getpid(), signal.SIGKILL)
            result = plain(*args, **kwargs)
            if self.at == number + 0.5:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, watched)


def main() -> None:
    home, at = Path(sys.argv[1]), float(sys.argv[2])
    # A short lease, so that the next process need not wait long for the dead one's.
    settings = Settings(home=home, operation_lease_seconds=0.5, query_workers=0)
    rooms = platform.build(settings)
    killer = Killer(at)
    killer.wrap(SqlRecordStore, "transact", "records.transact")
    killer.wrap(SqlCatalog, "commit_table", "catalog.commit_table")
    killer.wrap(SqlCatalog, "create_table", "catalog.create_table")
    killer.wrap(os, "replace", "os.replace")
    runner = platform.runner(rooms)
    while rooms.operations.open():
        runner.run_open()
    platform.reconcilers(rooms).run_due()
    states = {o.subject: o.state.value for o in rooms.operations.find().records}
    platform.close(rooms)
    print(json.dumps({"effects": killer.effects, "states": states}))


if __name__ == "__main__":
    main()

"""Maintenance killed (SIGKILL) at each of its effects and started again; run by test_upkeep_crash.py.

    python killed_upkeep.py DIRECTORY STORY

An effect is what outlasts the process: a transaction on the record store (a line of a log
aside), a commit to the lake's catalog, a file that was written or removed. A home with
deliveries and the queued operation is made, copied for every point, worked on by a process
that is killed right before its N-th effect (or right after, where the catalog's answer is
lost), and by another that is not. Prints a JSON line for each: what was wrong, or nothing.

So that each point need not compute everything again, the work is first driven up to its
first commit, and the points after that start from there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyiceberg.catalog.sql import SqlCatalog
from tests.flows import lakework
from tests.flows.trial import CONTRACT, add_lab, put_in_force

from atoll.flows.rooms import Rooms
from atoll.lake import laid_out
from atoll.ports.records import Append
from atoll.providers.records.store import SqlRecordStore
from atoll.settings import Settings
from atoll.wiring import platform

AT_ONCE = 2
NEVER = 0.0


def open_rooms(home: Path) -> Rooms:
    # A short lease, so that the next process need not wait long for the dead one's.
    return platform.build(
        Settings(home=home, operation_lease_seconds=0.4, query_workers=1, compact_files=2, orphan_hours=1)
    )


class Killer:
    """Counts effects and kills the process at the chosen one."""

    def __init__(self, at: float, stop_before: str = "") -> None:
        self.at = at
        self.stop_before = stop_before
        self.effects: list[str] = []

    def watch(self) -> None:
        self.wrap(SqlRecordStore, "transact", "records", lambda args: not _only_log(args[1]))
        self.wrap(SqlCatalog, "commit_table", "catalog")
        self.wrap(laid_out, "_sync", "file")
        self.wrap(Path, "unlink", "unlink", lambda args: "/lake/" in str(args[0]))
        self.wrap(shutil, "rmtree", "rmtree", lambda args: "/lake/" in str(args[0]))

    def wrap(self, owner: Any, name: str, label: str, counts: Callable[[Any], bool] = lambda _: True) -> None:
        plain: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            if not counts(args):
                return plain(*args, **kwargs)
            self.effects.append(label)
            number = len(self.effects)
            if self.at == number or label == self.stop_before:
                os.kill(os.getpid(), signal.SIGKILL)
            result = plain(*args, **kwargs)
            if self.at == number + 0.5:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, watched)


def _only_log(writes: Any) -> bool:
    return all(isinstance(write, Append) and write.stream.startswith("operation/") for write in writes)


def in_child(act: Callable[[], Any]) -> tuple[int, Any]:
    """Run in a process of its own: its exit code (137: killed) and what it gave, as JSON."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            told = json.dumps(act())
            with os.fdopen(write, "w") as out:
                out.write(told)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    _, status = os.waitpid(pid, 0)
    code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
    return code, json.loads(text) if text else None


def drive(home: Path, at: float, stop_before: str = "") -> list[str]:
    rooms = open_rooms(home)
    killer = Killer(at, stop_before)
    killer.watch()
    lakework.work(rooms)
    platform.close(rooms)
    return killer.effects


def prepare(home: Path, story: str) -> None:
    from tests.flows import upkeep_stories

    rooms = open_rooms(home)
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    for number in range(3):
        lakework.deliver(rooms, number)
    upkeep_stories.STORIES[story].queue(rooms)
    platform.close(rooms)


def check(home: Path, story: str) -> None:
    from tests.flows import upkeep_stories

    rooms = open_rooms(home)
    upkeep_stories.STORIES[story].check(rooms)
    assert rooms.audit.verify().intact
    platform.close(rooms)


def survives(template: Path, place: Path, story: str, at: float) -> dict[str, Any]:
    """Kill at that point, start again; what is wrong afterwards, or nothing."""
    home = place / "home"
    shutil.copytree(template, home)
    killed, _ = in_child(lambda: drive(home, at))
    again, _ = in_child(lambda: drive(home, NEVER))
    right, _ = in_child(lambda: check(home, story))
    shutil.rmtree(place)
    fault = "" if (killed, again, right) == (137, 0, 0) else f"killed {killed}, again {again}, right {right}"
    return {"at": at, "fault": fault}


def points(effects: list[str], first: int, last: int) -> list[float]:
    """Right after one effect is right before the next, but where the catalog's answer is lost."""
    before = [float(number) for number in range(first, last + 1)]
    return before + [n + 0.5 for n in range(first, last + 1) if effects[n - 1] == "catalog"]


def main(root: Path, story: str) -> None:
    start = root / "start"
    assert in_child(lambda: prepare(start, story))[0] == 0
    whole = root / "whole"
    shutil.copytree(start, whole)
    code, effects = in_child(lambda: drive(whole, NEVER))
    assert code == 0
    assert in_child(lambda: check(whole, story))[0] == 0
    first_commit = effects.index("catalog") + 1
    middle = root / "middle"
    shutil.copytree(start, middle)
    assert in_child(lambda: drive(middle, NEVER, stop_before="catalog"))[0] == 137
    middle_copy = root / "middle-copy"
    shutil.copytree(middle, middle_copy)
    _, later = in_child(lambda: drive(middle_copy, NEVER))
    work = [(start, at) for at in points(effects, 1, first_commit)]
    work += [(middle, at) for at in points(later, 1, len(later))]
    print(json.dumps({"effects": effects, "later": later, "points": len(work)}), flush=True)
    running: dict[int, None] = {}
    for index, (template, at) in enumerate(work):
        if len(running) == AT_ONCE:
            running.pop(os.wait()[0])
        pid = os.fork()
        if pid == 0:
            told = survives(template, root / str(index), story, at)
            os.write(1, (json.dumps(told) + "\n").encode())
            os._exit(0)
        running[pid] = None
    while running:
        running.pop(os.wait()[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

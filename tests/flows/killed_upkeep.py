"""Maintenance killed (SIGKILL) at each of its effects and started again; run by test_upkeep_crash.py.

    python killed_upkeep.py DIRECTORY STORY

DIRECTORY/home is a home with deliveries and the queued operation.

An effect is what outlasts the process: a transaction on the record store (a line of a log
aside), a commit to the lake's catalog, a file that was written or removed. It is
put back for every point, worked on by a process
that is killed right before its N-th effect (or right after, where the catalog's answer is
lost), and by another that is not. Prints a JSON line for each: what was wrong, or nothing.

Processes are forked from this one, which therefore must not have used Polars: its threads
do not survive that.

So that each point need not compute everything again, the work is first driven up to its
first commit, and the points after that start from there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyiceberg.catalog.sql import SqlCatalog
from tests.flows import lakework, upkeep_stories

from atoll.flows.rooms import Rooms
from atoll.lake import laid_out
from atoll.operations import live
from atoll.ports.records import Append
from atoll.providers.records.store import SqlRecordStore
from atoll.settings import Settings
from atoll.wiring import platform

NEVER = 0.0
EVERY = bool(os.environ.get("ATOLL_EVERY_KILL"))


def open_rooms(home: Path) -> Rooms:
    # A short lease, so that the next process need not wait long for the dead one's.
    return platform.build(
        Settings(home=home, operation_lease_seconds=0.4, query_workers=0, compact_files=2, orphan_hours=1)
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
            # A lease is renewed by a thread of its own, now and then.
            if threading.current_thread() is not threading.main_thread() or not counts(args):
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
    # Else the clock would say whether a progress is written, and effects could not be counted.
    live._PROGRESS_EVERY_SECONDS = 3600.0
    rooms = open_rooms(home)
    killer = Killer(at, stop_before)
    killer.watch()
    lakework.work(rooms)
    platform.close(rooms)
    return killer.effects


def check(home: Path, story: str) -> None:
    rooms = open_rooms(home)
    upkeep_stories.STORIES[story].check(rooms)
    assert rooms.audit.verify().intact
    platform.close(rooms)


def survives(template: Path, home: Path, story: str, at: float) -> dict[str, Any]:
    """Kill at that point, start again; what is wrong afterwards, or nothing."""
    put(template, home)
    killed, effects = in_child(lambda: drive(home, at))
    again, _ = in_child(lambda: drive(home, NEVER))
    right, _ = in_child(lambda: check(home, story))
    # How often a lease is renewed is a matter of time: one run may be done some effects earlier than another.
    ended = killed == 0 and len(effects) < at
    fault = (
        ""
        if (ended or killed == 137) and (again, right) == (0, 0)
        else f"killed {killed}, again {again}, right {right}: {effects}"
    )
    return {"at": at, "from": template.name, "fault": fault}


def put(template: Path, home: Path) -> None:
    """The template in the home's own place, which the lake's metadata names."""
    if home.exists():
        shutil.rmtree(home)
    shutil.copytree(template, home)


def points(effects: list[str]) -> list[float]:
    """Right after one effect is right before the next, but where the catalog's answer is lost.

    Of each kind of effect the first and the last, of transactions one between; every one with ATOLL_EVERY_KILL=1.
    """
    numbered = list(enumerate(effects, start=1))
    chosen: list[float] = []
    for kind in sorted(set(effects)):
        places = [float(n) for n, effect in numbered if effect == kind]
        some = {places[0], places[-1]} | ({places[len(places) // 2]} if kind == "records" else set())
        picked = places if EVERY else sorted(some)
        chosen += picked
        if kind == "catalog":
            chosen += [n + 0.5 for n in (picked if EVERY else picked[:1])]
    return sorted(chosen)


def main(root: Path, story: str) -> None:
    home, start, middle = root / "home", root / "start", root / "middle"
    home.rename(start)
    put(start, home)
    code, effects = in_child(lambda: drive(home, NEVER))
    assert code == 0
    assert in_child(lambda: check(home, story))[0] == 0
    first_commit = effects.index("catalog") + 1
    put(start, home)
    assert in_child(lambda: drive(home, NEVER, stop_before="catalog"))[0] == 137
    put(home, middle)
    _, later = in_child(lambda: drive(home, NEVER))
    work = [(start, at) for at in points(effects[: first_commit - 1])]
    work += [(middle, at) for at in points(later)]
    print(json.dumps({"effects": effects, "later": later, "points": len(work)}), flush=True)
    for template, at in work:
        print(json.dumps(survives(template, home, story, at)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

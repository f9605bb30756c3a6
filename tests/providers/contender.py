"""Processes of their own that write to a shared store; run by the concurrency tests.

Usage: contender.py URL STORY COUNT PROCESSES. Each prints what it did as a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from typing import ClassVar

from atoll.errors import AlreadyExists, VersionConflict
from atoll.model.record import Record
from atoll.ports.records import Append, Put, RecordStore
from atoll.providers.records import open_record_store


class Counter(Record):
    kind: ClassVar[str] = "counter"
    indexes: ClassVar[tuple[str, ...]] = ("label",)
    unique: ClassVar[tuple[str, ...]] = ("label",)

    value: int = 0
    label: str | None = None


def count_up(store: RecordStore, times: int) -> object:
    """Read, add one, write if nobody else did: `times` times."""
    conflicts = done = 0
    while done < times:
        counter = store.get(Counter, "shared")
        try:
            store.put(counter.but(value=counter.value + 1))
            done += 1
        except VersionConflict:
            conflicts += 1
    return {"conflicts": conflicts}


def append(store: RecordStore, times: int) -> object:
    for index in range(times):
        store.transact([Append("shared", [{"pid": os.getpid(), "index": index}] * 2)])
    return {}


def chain(store: RecordStore, times: int) -> object:
    """Append right behind what was read, as a hash chain does."""
    done = 0
    while done < times:
        last = store.tail("chain")
        number = last[0].number if last else 0
        try:
            store.transact([Append("chain", [{"previous": number}], after=number)])
            done += 1
        except VersionConflict:
            pass
    return {}


def take(store: RecordStore, times: int) -> object:
    """Try to be the one who takes each label."""
    mine = []
    for index in range(times):
        try:
            store.put(Counter(id=f"{os.getpid()}-{index}", label=f"label-{index}"))
            mine.append(index)
        except AlreadyExists:
            pass
    return mine


def cross(store: RecordStore, times: int) -> object:
    """Write two records and two streams at once, in an order of its own."""
    turn = os.getpid() % 2 == 0
    done = 0
    while done < times:
        records = [store.get(Counter, id) for id in (("a", "b") if turn else ("b", "a"))]
        streams = ["left", "right"] if turn else ["right", "left"]
        try:
            store.transact(
                [*(Put(r.but(value=r.value + 1)) for r in records), *(Append(stream, [{}]) for stream in streams)]
            )
            done += 1
        except VersionConflict:
            turn = not turn
    return {}


def opened(store: RecordStore, times: int) -> object:
    store.check()
    return {}


def contend(url: str, story: str, times: int) -> None:
    stories = {f.__name__: f for f in (count_up, append, chain, take, cross, opened)}
    store = open_record_store(url)
    told = stories[story](store, times)
    store.close()
    # In one write, so that lines of processes do not mix.
    os.write(1, f"{json.dumps(told)}\n".encode())


if __name__ == "__main__":
    url, story, times, processes = sys.argv[1:]
    # What takes a second is to import; from there on each is a process of its own.
    children = []
    for _ in range(int(processes)):
        if (child := os.fork()) == 0:
            try:
                contend(url, story, int(times))
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
        children.append(child)
    sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))

"""Writers beside each other, in threads and in processes, lose nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.providers.contender import Counter

from atoll.errors import VersionConflict
from atoll.ports.records import Append, RecordStore
from atoll.providers.records import open_record_store

CONTENDER = Path(__file__).parent / "contender.py"


def contend(url: str, story: str, times: int, processes: int = 4) -> list[Any]:
    """Run the story in several processes at once; what each of them printed."""
    command = [sys.executable, str(CONTENDER), url, story, str(times), str(processes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_processes_lose_no_update(store: RecordStore, store_url: str) -> None:
    store.put(Counter(id="shared"))
    told = contend(store_url, "count_up", 40)
    counter = store.get(Counter, "shared")
    assert (counter.value, counter.version) == (160, 161)
    assert sum(one["conflicts"] for one in told) > 0, "nobody met anybody: the test proves nothing"


def test_processes_number_streams_without_a_gap(store: RecordStore, store_url: str) -> None:
    contend(store_url, "append", 40)
    entries = store.read("shared")
    assert [e.number for e in entries] == list(range(1, 321))
    by_process: dict[int, list[int]] = {}
    for entry in entries:
        by_process.setdefault(entry.body["pid"], []).append(entry.body["index"])
    assert all(indexes == [i // 2 for i in range(80)] for indexes in by_process.values()) and len(by_process) == 4
    # The two entries of one append stand together.
    assert all(a.body == b.body for a, b in zip(entries[::2], entries[1::2], strict=True))


def test_processes_chain_entries_behind_each_other(store: RecordStore, store_url: str) -> None:
    contend(store_url, "chain", 25)
    assert [(e.number, e.body["previous"]) for e in store.read("chain")] == [(n, n - 1) for n in range(1, 101)]


def test_a_unique_value_is_taken_by_one_process(store: RecordStore, store_url: str) -> None:
    taken = contend(store_url, "take", 40)
    assert sorted(index for mine in taken for index in mine) == list(range(40))
    assert len(store.find(Counter).records) == 40


def test_transactions_in_crossed_order_do_not_lock_each_other(store: RecordStore, store_url: str) -> None:
    store.put(Counter(id="a"))
    store.put(Counter(id="b"))
    contend(store_url, "cross", 20)
    assert store.get(Counter, "a").value == store.get(Counter, "b").value == 80
    assert store.tail("left")[0].number == store.tail("right")[0].number == 80


def test_processes_that_open_a_new_store_together_all_get_it(store_url: str) -> None:
    contend(store_url, "opened", 1, processes=6)
    opened = open_record_store(store_url)
    assert opened.put(Counter(id="x")).version == 1
    opened.close()


def test_threads_lose_no_update(store: RecordStore) -> None:
    store.put(Counter(id="shared"))

    def count_up(_: int) -> None:
        while True:
            counter = store.get(Counter, "shared")
            try:
                store.transact([Append("log", [{}])])
                store.put(counter.but(value=counter.value + 1))
                return
            except VersionConflict:
                continue

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(count_up, range(100)))
    assert store.get(Counter, "shared").value == 100
    entries = store.read("log")
    assert len(entries) >= 100 and [e.number for e in entries] == list(range(1, len(entries) + 1))


def test_readers_see_both_writes_of_a_transaction_or_none(store: RecordStore) -> None:
    a, b = store.put(Counter(id="a")), store.put(Counter(id="b"))
    stop = False

    def watch() -> int:
        seen = 0
        while not stop:
            values = {counter.value for counter in store.find(Counter).records}
            assert len(values) == 1
            seen += 1
        return seen

    from atoll.ports.records import Put

    with ThreadPoolExecutor(2) as pool:
        watching = pool.submit(watch)
        try:
            for value in range(1, 101):
                store.transact([Put(a.but(value=value)), Put(b.but(value=value))])
                a, b = a.but(version=a.version + 1), b.but(version=b.version + 1)
        finally:
            stop = True
        assert watching.result() > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_uses_connections_of_its_own(store: RecordStore) -> None:
    store.put(Counter(id="shared"))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store.put(store.get(Counter, "shared").but(value=1))
            store.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert store.put(store.get(Counter, "shared").but(value=2)).version == 3

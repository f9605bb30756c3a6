"""The index of a stream: complete and without doubles, whoever builds it and wherever that was broken off."""

from __future__ import annotations

import threading

import pytest

from atoll.errors import VersionConflict
from atoll.ledger import stream_index
from atoll.ledger.stream_index import StreamIndex
from atoll.ports.records import Append

MANY = 120


def described(body):
    return frozenset({f"key/{body['n'] % MANY}", "all"}), {"twice": 2 * body["n"]}


def fill(records, start, end):
    records.transact([Append("things", [{"n": n} for n in range(start, end)])])


def numbers(index, key):
    return [entry["n"] for entry in index.newest_first(key)]


def check(index, count):
    assert numbers(index, "all") == list(range(count, 0, -1))
    for key in range(MANY):
        assert numbers(index, f"key/{key}") == [n for n in range(count, 0, -1) if (n - 1) % MANY == key]


def test_what_stood_before_is_indexed_at_the_first_asking(records):
    fill(records, 0, 2500)
    index = StreamIndex(records, "things", described)
    assert index.catch_up() == 2500
    assert index.catch_up() == 0
    check(index, 2500)
    fill(records, 2500, 2510)
    assert index.catch_up() == 10
    check(index, 2510)
    assert next(iter(index.newest_first("all"))) == {"n": 2510, "twice": 5018}
    assert next(iter(index.newest_first(None))) == {"n": 2510, "twice": 5018}


@pytest.mark.parametrize("after", range(5))
def test_broken_off_anywhere_it_goes_on(records, monkeypatch, after):
    monkeypatch.setattr(stream_index, "BATCH", 200)
    fill(records, 0, 300)
    index = StreamIndex(records, "things", described)
    transact, done = records.transact, []

    def dies(writes):
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(1)
        transact(writes)

    monkeypatch.setattr(records, "transact", dies)
    with pytest.raises(KeyboardInterrupt):
        index.catch_up()
    monkeypatch.setattr(records, "transact", transact)
    fill(records, 300, 350)
    StreamIndex(records, "things", described).catch_up()
    check(index, 350)


def test_several_at_once_index_each_entry_once(records, monkeypatch):
    monkeypatch.setattr(stream_index, "BATCH", 100)
    fill(records, 0, 600)
    indexes = [StreamIndex(records, "things", described) for _ in range(4)]
    threads = [threading.Thread(target=index.catch_up) for index in indexes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(indexes[0], 600)


def test_neighbours_are_loaded_together_and_none_is_left_out(records):
    fill(records, 0, 50)
    index = StreamIndex(records, "things", described)
    wanted = [1, 2, 3, 7, 9, 10, 50]
    assert [entry.number for entry in index.load(wanted)] == wanted
    assert list(index.load([])) == []


def test_a_race_is_no_error_of_the_caller(records, monkeypatch):
    fill(records, 0, 5)
    index = StreamIndex(records, "things", described)
    transact, lost = records.transact, []

    def loses(writes):
        if not lost:
            lost.append(1)
            StreamIndex(records, "things", described)
            raise VersionConflict("Somebody was faster.")
        transact(writes)

    monkeypatch.setattr(records, "transact", loses)
    assert index.catch_up() == 5
    check(index, 5)

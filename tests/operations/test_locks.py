from __future__ import annotations

from atoll.model.person import PLATFORM
from atoll.operations import Locks


def started(operations, records, subject):
    return records.put(
        operations.plan(story="tale", subject=subject, steps=("a",), caller=PLATFORM, deadline_seconds=60)
    )


def test_one_holder_at_a_time(operations, records):
    locks = Locks(records)
    one, two = started(operations, records, "x/1"), started(operations, records, "x/2")
    assert locks.acquire("commit/d", one.id) is not None
    assert locks.acquire("commit/d", two.id) is None
    assert locks.acquire("commit/d", one.id) is not None, "again by its holder, after a crash"
    locks.release("commit/d", two.id)
    assert locks.acquire("commit/d", two.id) is None, "only the holder gives it back"
    locks.release("commit/d", one.id)
    assert locks.acquire("commit/d", two.id) is not None


def test_the_lock_of_an_ended_operation_is_free(operations, records, clock):
    locks = Locks(records)
    one, two = started(operations, records, "x/1"), started(operations, records, "x/2")
    locks.acquire("commit/d", one.id)
    records.put(one.but(finished_at=clock.now()))
    assert locks.acquire("commit/d", two.id) is not None


def test_no_time_frees_the_lock_of_an_open_operation(operations, records, clock):
    locks = Locks(records)
    one, two = started(operations, records, "x/1"), started(operations, records, "x/2")
    locks.acquire("commit/d", one.id)
    clock.forward(10**6)
    assert locks.acquire("commit/d", two.id) is None

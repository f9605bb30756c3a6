"""What every record store does, run against SQLite and a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from sqlalchemy import text
from tests.services.record_stores import sql_store

from atoll.errors import AlreadyExists, IntegrityBroken, InvalidInput, NotFound, VersionConflict
from atoll.model.record import Record
from atoll.ports.records import Append, Delete, Put, RecordStore
from atoll.providers.records import open_record_store
from atoll.providers.records.store import _found


class Boat(Record):
    kind: ClassVar[str] = "boat"
    indexes: ClassVar[tuple[str, ...]] = ("name", "colour", "open")
    unique: ClassVar[tuple[str, ...]] = ("name",)

    name: str | None = None
    colour: str = "white"
    masts: int = 1
    price_eur: Decimal = Decimal(0)
    built_at: datetime | None = None
    crew: frozenset[str] = frozenset()
    log: dict[str, Any] = {}
    sunk: bool = False

    @property
    def open(self) -> str | None:
        return None if self.sunk else "open"


class Pier(Record):
    kind: ClassVar[str] = "pier"
    indexes: ClassVar[tuple[str, ...]] = ("name",)
    unique: ClassVar[tuple[str, ...]] = ("name",)

    name: str


# --- one record


def test_a_record_comes_back_as_it_was_with_its_version(store: RecordStore) -> None:
    boat = Boat(
        id="b1",
        name="Éléonore ☸",
        price_eur=Decimal("0.1000000000000000000000000001"),
        built_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        crew=frozenset({"a", "b"}),
        log={"nul": "a\0b", "big": 2**63, "nested": [{"x": None}]},
    )
    put = store.put(boat)
    assert put == boat.but(version=1)
    assert store.get(Boat, "b1") == put
    assert boat.version == 0


def test_each_write_counts_the_version_up(store: RecordStore) -> None:
    boat = store.put(Boat(id="b1"))
    for masts in (2, 3, 4):
        boat = store.put(boat.but(masts=masts))
    assert (boat.version, store.get(Boat, "b1").version, store.get(Boat, "b1").masts) == (4, 4, 4)


def test_an_old_version_is_refused_and_changes_nothing(store: RecordStore) -> None:
    old = store.put(Boat(id="b1"))
    new = store.put(old.but(masts=2))
    with pytest.raises(VersionConflict):
        store.put(old.but(masts=3))
    with pytest.raises(VersionConflict):
        store.transact([Delete(old)])
    assert store.get(Boat, "b1") == new


def test_a_version_from_the_future_is_refused(store: RecordStore) -> None:
    store.put(Boat(id="b1"))
    with pytest.raises(VersionConflict):
        store.put(Boat(id="b1", version=2))


def test_version_zero_says_absent(store: RecordStore) -> None:
    store.put(Boat(id="b1", masts=1))
    with pytest.raises(VersionConflict):
        store.put(Boat(id="b1", masts=2))
    assert store.get(Boat, "b1").masts == 1


def test_a_record_that_is_gone_cannot_be_written_or_deleted(store: RecordStore) -> None:
    boat = store.put(Boat(id="b1"))
    store.transact([Delete(boat)])
    with pytest.raises(NotFound):
        store.get(Boat, "b1")
    for write in (Put(boat), Delete(boat)):
        with pytest.raises(VersionConflict):
            store.transact([write])
    assert store.put(Boat(id="b1")).version == 1


def test_kinds_do_not_share_ids(store: RecordStore) -> None:
    store.put(Boat(id="x", name="n"))
    store.put(Pier(id="x", name="n"))
    assert store.get(Boat, "x").kind == "boat" and store.get(Pier, "x").kind == "pier"


@pytest.mark.parametrize("id", ["absent", "", "a\0b", "\ud800", "x" * 5000])
def test_what_is_not_there_is_not_found(store: RecordStore, id: str) -> None:
    with pytest.raises(NotFound):
        store.get(Boat, id)


@pytest.mark.parametrize("key", ["a\0b", "\ud800", "x" * 1025, "é" * 513])
def test_keys_that_no_engine_could_keep_are_refused_unshown(store: RecordStore, key: str) -> None:
    refusals = (
        lambda: store.put(Boat.model_construct(id=key, name="n")),
        lambda: store.put(Boat.model_construct(id="b", name=key)),
        lambda: store.find(Boat, where={"name": key}),
        lambda: store.find(Boat, cursor=key),
        lambda: store.transact([Append(key, [{}])]),
    )
    for refused in refusals:
        with pytest.raises(InvalidInput) as error:
            refused()
        assert key not in str(error.value)


def test_the_longest_keys_are_kept(store: RecordStore) -> None:
    # Random-like text, so that PostgreSQL cannot make it fit by compressing it.
    long = "".join(chr(33 + (i * 7919 + i * i * 104729) % 90) for i in range(1024))
    store.put(Boat(id=long, name=long))
    assert store.find(Boat, where={"name": long}).records[0].id == long


def test_a_stored_record_that_does_not_read_is_told_without_its_values(store: RecordStore) -> None:
    class Newer(Boat):
        secret: str

    store.put(Newer(id="b1", secret="do-not-tell"))
    with pytest.raises(IntegrityBroken) as broken:
        store.get(Boat, "b1")
    assert "do-not-tell" not in str(broken.value)
    assert broken.value.__cause__ is None and broken.value.__suppress_context__


# --- unique values


def test_a_unique_value_stands_once(store: RecordStore) -> None:
    store.put(Boat(id="b1", name="Albatros"))
    with pytest.raises(AlreadyExists) as taken:
        store.put(Boat(id="b2", name="Albatros"))
    assert "Albatros" not in str(taken.value)
    with pytest.raises(NotFound):
        store.get(Boat, "b2")


def test_a_unique_value_is_free_again_after_change_and_delete(store: RecordStore) -> None:
    first = store.put(Boat(id="b1", name="Albatros"))
    first = store.put(first.but(name="Bounty"))
    second = store.put(Boat(id="b2", name="Albatros"))
    store.transact([Delete(second)])
    store.put(Boat(id="b3", name="Albatros"))
    with pytest.raises(AlreadyExists):
        store.put(Boat(id="b4", name="Bounty"))
    store.put(first.but(name=None))
    store.put(Boat(id="b4", name="Bounty"))


def test_a_change_to_a_taken_value_is_refused_and_the_own_one_kept(store: RecordStore) -> None:
    store.put(Boat(id="b1", name="Albatros"))
    second = store.put(Boat(id="b2", name="Bounty"))
    with pytest.raises(AlreadyExists):
        store.put(second.but(name="Albatros"))
    with pytest.raises(AlreadyExists):
        store.put(Boat(id="b3", name="Bounty"))
    store.put(second.but(masts=3))


def test_none_is_not_in_the_index_and_not_unique(store: RecordStore) -> None:
    store.put(Boat(id="b1", name=None))
    store.put(Boat(id="b2", name=None))
    assert store.find(Boat, where={"name": "None"}).records == ()


def test_a_unique_value_is_handed_over_in_one_transaction(store: RecordStore) -> None:
    one, two = store.put(Boat(id="b1", name="Albatros")), store.put(Boat(id="b2", name="Bounty"))
    store.transact([Put(two.but(name="Albatros")), Put(one.but(name="Bounty"))])
    assert store.find(Boat, where={"name": "Albatros"}).records[0].id == "b2"
    assert store.find(Boat, where={"name": "Bounty"}).records[0].id == "b1"


def test_two_new_records_with_one_value_are_refused_together(store: RecordStore) -> None:
    with pytest.raises(AlreadyExists):
        store.transact([Put(Boat(id="b1", name="Albatros")), Put(Boat(id="b2", name="Albatros"))])
    assert store.find(Boat).records == ()


# --- queries by index


def test_indexes_follow_the_record(store: RecordStore) -> None:
    boat = store.put(Boat(id="b1", colour="red"))
    assert ids(store, colour="red") == ["b1"]
    boat = store.put(boat.but(colour="blue"))
    assert (ids(store, colour="red"), ids(store, colour="blue"), ids(store, open="open")) == ([], ["b1"], ["b1"])
    boat = store.put(boat.but(sunk=True))
    assert (ids(store, colour="blue"), ids(store, open="open")) == (["b1"], [])
    store.transact([Delete(boat)])
    assert ids(store, colour="blue") == []


def test_several_indexes_are_all_met(store: RecordStore) -> None:
    store.put(Boat(id="b1", colour="red"))
    store.put(Boat(id="b2", colour="red", sunk=True))
    store.put(Boat(id="b3", colour="blue"))
    assert ids(store, colour="red", open="open") == ["b1"]
    assert ids(store, colour="blue", open="shut") == []


def test_an_index_that_is_not_declared_is_a_bug_of_the_caller(store: RecordStore) -> None:
    with pytest.raises(ValueError, match="masts"):
        store.find(Boat, where={"masts": "1"})
    for limit in (0, 1001):
        with pytest.raises(ValueError, match="limit"):
            store.find(Boat, limit=limit)


def test_order_is_by_code_point_on_every_engine(store: RecordStore) -> None:
    names = ["a", "B", "_", "é", "Z", "z", "10", "9", "a-b", "ab", "☸", "😀"]
    for name in names:
        store.put(Boat(id=name))
    assert ids(store) == sorted(names)
    assert ids(store, newest_first=True) == sorted(names, reverse=True)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("where", [{}, {"colour": "white"}])
def test_pages_tell_everything_once(store: RecordStore, newest_first: bool, where: dict[str, str]) -> None:
    for number in range(10):
        store.put(Boat(id=f"b{number}"))
    seen, cursor = [], None
    while True:
        page = store.find(Boat, where=where, cursor=cursor, limit=3, newest_first=newest_first)
        seen += [boat.id for boat in page.records]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == sorted((f"b{n}" for n in range(10)), reverse=newest_first)


def test_a_full_last_page_has_no_cursor(store: RecordStore) -> None:
    for number in range(4):
        store.put(Boat(id=f"b{number}"))
    assert store.find(Boat, limit=4).cursor is None
    assert store.find(Boat, limit=3).cursor == "b2"


def test_a_cursor_stays_good_while_records_come_and_go(store: RecordStore) -> None:
    boats = {number: store.put(Boat(id=f"b{number:02d}", colour="red")) for number in range(0, 20, 2)}
    page = store.find(Boat, where={"colour": "red"}, limit=4)
    assert [b.id for b in page.records] == ["b00", "b02", "b04", "b06"]
    # The one the cursor stands on goes, one comes before it and one after, one leaves the index.
    store.transact([Delete(boats[6])])
    store.put(Boat(id="b05", colour="red"))
    store.put(Boat(id="b09", colour="red"))
    store.put(boats[10].but(colour="blue"))
    rest = store.find(Boat, where={"colour": "red"}, cursor=page.cursor, limit=100)
    assert [b.id for b in rest.records] == ["b08", "b09", "b12", "b14", "b16", "b18"]


def ids(store: RecordStore, newest_first: bool = False, **where: str) -> list[str]:
    return [boat.id for boat in store.find(Boat, where=where, newest_first=newest_first).records]


def test_a_page_by_index_does_not_walk_the_other_records(store: RecordStore) -> None:
    behind = sql_store(store)
    for start in range(0, 2000, 50):
        boats = [Boat(id=f"b{n:04d}", name=f"n{n}", sunk=n > 10) for n in range(start, start + 50)]
        store.transact([Put(boat) for boat in boats])
    with behind._writer.begin() as connection:
        connection.execute(text("ANALYZE"))
    for where in ({"open": "open"}, {"name": "n7"}, {"colour": "white", "name": "n7"}):
        query, given = _found(Boat, where, "a", newest_first=False)
        page = query.params(**given, most=10)
        sql = page.compile(behind._engine, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if behind._engine.dialect.name == "sqlite" else "EXPLAIN"
        with behind._engine.connect() as connection:
            plan = [" ".join(map(str, row)) for row in connection.execute(text(f"{explain} {sql}"))]
        scans = [line for line in plan if "SCAN" in line or "Seq Scan" in line or "TEMP B-TREE" in line]
        assert not scans, plan
        first = next(line for line in plan if "SEARCH" in line or "Index" in line)
        assert "record_indexes" in first or "by_" in first, plan


# --- transactions


def test_all_writes_or_none(store: RecordStore) -> None:
    stale = store.put(Boat(id="b1", name="Albatros"))
    current = store.put(stale.but(masts=2))
    store.transact([Append("log", [{"n": 1}])])
    good = [Put(Boat(id="b2", name="Bounty")), Put(Pier(id="p1", name="Pier")), Append("log", [{"n": 2}])]
    bad = [
        (Put(stale.but(masts=9)), VersionConflict),
        (Delete(stale), VersionConflict),
        (Put(Boat(id="b3", name="Albatros")), AlreadyExists),
        (Append("log", [{"n": 3}], after=0), VersionConflict),
        (Append("other", [{"n": 3}], after=1), VersionConflict),
    ]
    for write, error in bad:
        for writes in ([write, *good], [*good, write]):
            with pytest.raises(error):
                store.transact(writes)
    assert ids(store) == ["b1"] and store.get(Boat, "b1") == current
    assert store.find(Pier).records == ()
    assert [entry.body for entry in store.read("log")] == [{"n": 1}] and store.read("other") == ()
    store.transact(good)
    assert ids(store) == ["b1", "b2"] and len(store.read("log")) == 2


def test_at_most_fifty_writes_each_record_once(store: RecordStore) -> None:
    with pytest.raises(ValueError, match="50"):
        store.transact([Put(Boat(id=f"b{n:02d}")) for n in range(51)])
    with pytest.raises(ValueError, match="twice"):
        store.transact([Put(Boat(id="b1")), Delete(Boat(id="b1", version=1))])
    assert ids(store) == []
    store.transact([Put(Boat(id=f"b{n:02d}")) for n in range(50)])
    store.transact([])
    assert len(ids(store)) == 50


# --- streams


def test_entries_are_numbered_without_a_gap_from_one(store: RecordStore) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    store.transact([Append("log", [{"n": 1}, {"n": 2}])])
    store.transact([Append("log", [{"n": 3}]), Append("other", [{"n": 1}])])
    entries = store.read("log")
    assert [(e.stream, e.number, e.body) for e in entries] == [("log", n, {"n": n}) for n in (1, 2, 3)]
    assert all(e.at.utcoffset() == timedelta(0) and before < e.at < datetime.now(UTC) + timedelta(1) for e in entries)
    assert [e.number for e in store.read("other")] == [1]


def test_streams_are_read_on_from_a_number_and_from_the_end(store: RecordStore) -> None:
    assert store.read("log") == () and store.tail("log") == ()
    store.transact([Append("log", [{"n": n} for n in range(1, 11)])])
    assert [e.number for e in store.read("log", after=3, limit=4)] == [4, 5, 6, 7]
    assert store.read("log", after=10) == ()
    assert [e.number for e in store.tail("log")] == [10]
    assert [e.number for e in store.tail("log", limit=3)] == [8, 9, 10]
    assert [e.number for e in store.tail("log", limit=99)] == list(range(1, 11))


def test_after_holds_only_at_the_end(store: RecordStore) -> None:
    with pytest.raises(VersionConflict):
        store.transact([Append("log", [{}], after=1)])
    store.transact([Append("log", [{}, {}], after=0)])
    for after in (0, 1, 3):
        with pytest.raises(VersionConflict):
            store.transact([Append("log", [{}], after=after)])
    store.transact([Append("log", [{}], after=2)])
    assert store.tail("log")[0].number == 3


def test_nothing_appended_is_still_a_condition(store: RecordStore) -> None:
    store.transact([Append("log", [], after=0)])
    store.transact([Append("log", [{}]), Append("log", [], after=1)])
    with pytest.raises(VersionConflict):
        store.transact([Append("log", [], after=0), Put(Boat(id="b1"))])
    assert ids(store) == [] and len(store.read("log")) == 1


def test_entries_come_back_as_they_were(store: RecordStore) -> None:
    body = {"text": "é☸😀\0\n", "big": 2**70, "small": 1e-300, "list": [None, True, {"a": []}]}
    store.transact([Append("log", [body])])
    assert store.read("log")[0].body == body


def test_improper_unicode_is_refused_unshown(store: RecordStore) -> None:
    for write in (Put(Boat(id="b1", log={"x": "secret\ud800"})), Append("log", [{"x": "secret\ud800"}])):
        with pytest.raises(InvalidInput) as refused:
            store.transact([write])
        assert "secret" not in str(refused.value) and refused.value.__suppress_context__


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": {1, 2}}, {"x": datetime.now(UTC)}])
def test_what_json_cannot_say_is_a_bug_of_the_caller(store: RecordStore, body: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        store.transact([Put(Boat(id="b1")), Append("log", [body])])
    assert ids(store) == []


# --- opening again


def test_everything_is_there_after_opening_again(store: RecordStore, store_url: str) -> None:
    boat = store.put(Boat(id="b1", name="Albatros"))
    store.transact([Append("log", [{"n": 1}])])
    store.close()
    store.close()
    again = open_record_store(store_url)
    again.check()
    assert again.get(Boat, "b1") == boat and [e.body for e in again.read("log")] == [{"n": 1}]
    again.transact([Append("log", [{"n": 2}], after=1)])
    with pytest.raises(AlreadyExists):
        again.put(Boat(id="b2", name="Albatros"))
    again.close()

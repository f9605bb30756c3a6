from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.ledger.chain_writer import Note

from atoll.errors import AlreadyExists, IntegrityBroken, NotFound, VersionConflict
from atoll.ledger import AuditTrail
from atoll.ledger import audit as audit_module
from atoll.ledger.chain import NOTHING_BEFORE, digest, link
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM, Caller, Role, SubjectKind
from atoll.ports.clock import Clock
from atoll.ports.records import Append, Delete, Put, RecordStore

Tamper = Callable[..., None]


@pytest.fixture
def audit(records: RecordStore, clock: Clock) -> AuditTrail:
    return AuditTrail(records, clock)


@pytest.fixture
def tamper(store_url: str) -> Tamper:
    """Runs SQL behind the store's back."""

    def run(sql: str, **values: object) -> None:
        engine = create_engine(store_url)
        with engine.begin() as connection:
            connection.execute(text(sql), values)
        engine.dispose()

    return run


def event(action: str = "grant.add", **details: object) -> AuditEvent:
    return AuditEvent(action=action, target="grant/grt_1", caller=PLATFORM, details=details)


def write(audit: AuditTrail, count: int) -> None:
    for number in range(1, count + 1):
        audit.record(event(n=number))


# --- writing


def test_entries_are_chained_and_read_back(audit: AuditTrail, clock: Clock) -> None:
    caller = Caller(
        subject_kind=SubjectKind.PERSON, subject_id="per_1", name="ada", roles=frozenset(Role), request_id="req_1"
    )
    first = audit.record(AuditEvent(action="session.refuse", target="person/per_1", caller=caller, allowed=False))
    second = audit.record(event(text="é☸\0", big=2**70, part=0.1, sum=Decimal("1.10"), none=None, list=[1, {"a": 2}]))
    assert (first.number, first.previous, first.at) == (1, NOTHING_BEFORE, clock.now())
    assert (second.number, second.previous) == (2, first.hash)
    assert audit.read() == audit.tail(10) == (first, second)
    assert audit.read(after=1) == audit.tail(1) == (second,)
    check = audit.verify()
    assert (check.entries, check.intact, check.broken_at, check.head) == (2, True, None, second.hash)


def test_entries_whose_text_is_not_canonical_hold_as_well(audit: AuditTrail, records: RecordStore) -> None:
    # As stores kept them before: the keys in another order.
    write(audit, 2)
    last = records.tail("audit")[0].body
    body = link(event(), number=3, at=datetime(2026, 3, 1, tzinfo=UTC), previous=str(last["hash"]))
    records.transact([Append("audit", [dict(reversed(body.items()))])])
    write(audit, 2)
    check = audit.verify()
    assert (check.entries, check.intact, check.head) == (5, True, audit.tail(1)[0].hash)


def test_an_empty_chain_is_intact(audit: AuditTrail) -> None:
    check = audit.verify()
    assert (check.entries, check.intact, check.head) == (0, True, NOTHING_BEFORE)


def test_the_rule_of_the_hash_is_the_same_for_ever() -> None:
    # Written down: chains that stand must still verify after every release.
    entry = {"number": 1, "at": "2026-01-01T00:00:00.000000+00:00", "event": {"b": "é", "a": [0.1, None]}, "hash": "x"}
    text = '{"at":"2026-01-01T00:00:00.000000+00:00","event":{"a":[0.1,null],"b":"é"},"number":1}'
    assert digest(entry) == hashlib.sha256(text.encode()).hexdigest()
    assert digest(entry) == "d3246e246131e9ce2231699a6df06c88c2ac7932731e2f32275cbc498f39dc3e"


def test_writes_are_made_with_the_entry(audit: AuditTrail, records: RecordStore) -> None:
    audit.record(event(), Put(Note(id="n1", title="a")), Append("log", [{"n": 1}]))
    assert records.get(Note, "n1").version == 1
    assert len(records.read("log")) == len(audit.read()) == 1


def test_a_conflict_of_the_caller_is_passed_on_at_once_and_nothing_is_written(
    audit: AuditTrail, records: RecordStore
) -> None:
    stale = records.put(Note(id="n1", title="a"))
    records.put(stale)
    started = time.monotonic()
    for write, error in (
        (Put(stale), VersionConflict),
        (Delete(stale), VersionConflict),
        (Put(Note(id="n1")), VersionConflict),
        (Append("log", [{}], after=7), VersionConflict),
        (Put(Note(id="n2", title="a")), AlreadyExists),
    ):
        with pytest.raises(error):
            audit.record(event(), Put(Note(id="n9", title="z")), write)
    assert time.monotonic() - started < 5
    assert audit.read() == ()
    with pytest.raises(NotFound):
        records.get(Note, "n9")


def test_a_race_of_the_chain_is_retried_and_a_conflict_in_it_found(
    audit: AuditTrail, records: RecordStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = AuditTrail(records, clock)
    stale = records.put(Note(id="n1", title="a"))
    records.put(stale)
    transact = records.transact
    races = [1, 2, 3]

    def overtaken(writes: object) -> None:
        if races:
            races.pop()
            monkeypatch.setattr(records, "transact", transact)
            other.record(event("other.first"))
            monkeypatch.setattr(records, "transact", overtaken)
        transact(writes)  # type: ignore[arg-type]

    monkeypatch.setattr(records, "transact", overtaken)
    assert audit.record(event(), Put(Note(id="n2", title="b"))).number == 4
    races.append(1)
    with pytest.raises(VersionConflict):
        audit.record(event(), Put(stale))
    assert [e.event.action for e in audit.read()] == ["other.first"] * 3 + ["grant.add", "other.first"]
    assert audit.verify().intact


def test_threads_share_one_chain(audit: AuditTrail) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(entry.number for entry in pool.map(lambda n: audit.record(event(n=n)), range(80)))
    assert numbers == list(range(1, 81)) and audit.verify().entries == 80


def test_processes_share_one_chain(audit: AuditTrail, records: RecordStore, store_url: str) -> None:
    command = [sys.executable, str(Path(__file__).parent / "chain_writer.py"), store_url, "30"]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    write(audit, 10)
    errors = [process.communicate(timeout=120)[1] for process in started]
    assert all(process.returncode == 0 for process in started), errors
    check = audit.verify()
    assert (check.entries, check.intact) == (130, True)
    assert len(records.find(Note, limit=1000).records) == 120


# --- verifying

BODY = "SELECT body FROM stream_entries WHERE stream = 'audit' AND number = :n"


def changed_body(store_url: str, number: int, old: str, new: str) -> None:
    engine = create_engine(store_url)
    with engine.begin() as connection:
        body = connection.execute(text(BODY), {"n": number}).scalar_one()
        assert old in body
        connection.execute(
            text("UPDATE stream_entries SET body = :body WHERE stream = 'audit' AND number = :n"),
            {"body": body.replace(old, new), "n": number},
        )
    engine.dispose()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"n":3', '"n":4'),
        ('"grant.add"', '"grant.see"'),
        ('"allowed":true', '"allowed":false'),
        ("2026-03-01T12", "2026-03-01T13"),
        ('"name":"platform"', '"name":"nobody"'),
        ('{"at"', '{"more":1,"at"'),
        (',"number":3', ', "number":4'),
    ],
)
def test_a_changed_entry_is_named(audit: AuditTrail, store_url: str, old: str, new: str) -> None:
    write(audit, 5)
    head = audit.read()[1].hash
    changed_body(store_url, 3, old, new)
    check = audit.verify()
    assert (check.intact, check.broken_at, check.entries, check.head) == (False, 3, 2, head)
    assert "changed" in check.reason


def test_a_changed_entry_with_its_hash_made_anew_breaks_the_next(audit: AuditTrail, store_url: str) -> None:
    write(audit, 5)
    entry = json.loads(json.dumps(audit.read()[2].model_dump(mode="json")))
    before = entry["hash"]
    changed_body(store_url, 3, '"n":3', '"n":9')
    engine = create_engine(store_url)
    with engine.connect() as connection:
        forged = digest(json.loads(connection.execute(text(BODY), {"n": 3}).scalar_one()))
    engine.dispose()
    changed_body(store_url, 3, before, forged)
    check = audit.verify()
    assert (check.broken_at, "follow" in check.reason) == (4, True)


@pytest.mark.parametrize("gone", [1, 3])
def test_a_removed_entry_is_named(audit: AuditTrail, tamper: Tamper, gone: int) -> None:
    write(audit, 5)
    tamper("DELETE FROM stream_entries WHERE stream = 'audit' AND number = :n", n=gone)
    check = audit.verify()
    assert (check.intact, check.broken_at, "missing" in check.reason) == (False, gone, True)


def test_entries_taken_off_the_end_are_noticed_and_nothing_is_added(audit: AuditTrail, tamper: Tamper) -> None:
    write(audit, 5)
    tamper("DELETE FROM stream_entries WHERE stream = 'audit' AND number > 3")
    check = audit.verify()
    assert (check.intact, check.broken_at, check.entries) == (False, 4, 3)
    with pytest.raises(IntegrityBroken):
        audit.record(event())


def test_a_gap_closed_by_renumbering_is_named(audit: AuditTrail, tamper: Tamper) -> None:
    write(audit, 5)
    tamper("DELETE FROM stream_entries WHERE stream = 'audit' AND number = 2")
    for number in (3, 4, 5):
        tamper("UPDATE stream_entries SET number = number - 1 WHERE stream = 'audit' AND number = :n", n=number)
    assert audit.verify().broken_at == 2


def test_exchanged_entries_are_named(audit: AuditTrail, tamper: Tamper) -> None:
    write(audit, 5)
    for old, new in ((2, 99), (4, 2), (99, 4)):
        tamper("UPDATE stream_entries SET number = :new WHERE stream = 'audit' AND number = :old", old=old, new=new)
    check = audit.verify()
    assert (check.broken_at, "exchanged" in check.reason) == (2, True)


@pytest.mark.parametrize("body", ["not json", "[]", "{}", '{"number":3,"hash":1}'])
def test_an_unreadable_entry_is_named_and_others_still_read(audit: AuditTrail, tamper: Tamper, body: str) -> None:
    write(audit, 5)
    tamper("UPDATE stream_entries SET body = :body WHERE stream = 'audit' AND number = 3", body=body)
    check = audit.verify()
    assert (check.intact, check.broken_at, check.entries) == (False, 3, 2)
    assert len(audit.read(limit=2)) == 2
    with pytest.raises(IntegrityBroken):
        audit.read()


def test_many_entries_are_verified_in_batches(
    audit: AuditTrail, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "BATCH", 7)
    write(audit, 30)
    assert audit.verify().entries == 30
    changed_body(store_url, 22, '"n":22', '"n":23')
    assert audit.verify().broken_at == 22

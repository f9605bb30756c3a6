"""The audit chain is searched, signed, verified and exported."""

from __future__ import annotations

import base64
import dataclasses
import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from atoll.errors import NotPermitted
from atoll.flows import read_ledger
from atoll.flows.sign_audit import SigningKey, checkpoint_audit, signed_text
from atoll.ledger import AuditTrail
from atoll.ledger.chain import digest, link
from atoll.model.ledger import AuditCheckpoint, AuditEvent
from atoll.model.person import Caller, Role, SubjectKind

AUDITOR, ADA = (
    Caller(subject_kind=SubjectKind.PERSON, subject_id=f"per_{name}", name=name, roles=frozenset({role}))
    for name, role in (("audit", Role.AUDITOR), ("ada", Role.SCIENTIST))
)
START = datetime(2026, 3, 1, tzinfo=UTC)


class SetClock:
    def __init__(self):
        self.at = START

    def now(self):
        return self.at


@pytest.fixture
def house(rooms):
    """Thirty entries, an hour apart, of two people and three actions."""
    clock = SetClock()
    made = dataclasses.replace(rooms, clock=clock, audit=AuditTrail(rooms.records, clock))
    for n in range(30):
        action = ("grant.add", "grant.revoke", "query.run")[n % 3]
        event = AuditEvent(
            action=action, target=f"{action.split('.')[0]}/{n % 4}", caller=(AUDITOR, ADA)[n % 2], allowed=n % 5 > 0
        )
        made.audit.record(event)
        clock.at += timedelta(hours=1)
    return made


def found(house, **asked):
    more = {name: asked.pop(name) for name in ("cursor", "newest_first", "limit") if name in asked}
    page = read_ledger.find_audit(house, AUDITOR, read_ledger.AuditFilter(**asked), **more)
    return [entry.number for entry in page.entries], page.cursor


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limit", [3, 100])
@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, lambda n: True),
        ({"person": "ada"}, lambda n: n % 2 == 1),
        ({"person": "per_ada"}, lambda n: n % 2 == 1),
        ({"action": "grant.add"}, lambda n: n % 3 == 0),
        ({"action": "grant."}, lambda n: n % 3 != 2),
        ({"action": "grant"}, lambda n: False),
        ({"target": "query/2"}, lambda n: n % 3 == 2 and n % 4 == 2),
        ({"target": "query/"}, lambda n: n % 3 == 2),
        ({"allowed": False, "person": "ada"}, lambda n: n % 5 == 0 and n % 2 == 1),
        (
            {"since": START + timedelta(hours=5), "until": START + timedelta(hours=9)},
            lambda n: 5 <= n < 9,
        ),
        ({"since": START + timedelta(days=9)}, lambda n: False),
    ],
)
def test_pages_hold_exactly_what_is_asked(house, asked, wanted, limit, newest_first):
    expected = [n + 1 for n in range(30) if wanted(n)]
    if newest_first:
        expected.reverse()
    seen, cursor = [], None
    for _ in range(40):
        numbers, cursor = found(house, **asked, cursor=cursor, newest_first=newest_first, limit=limit)
        seen += numbers
        if cursor is None:
            break
    assert seen == expected


def test_a_search_looks_at_so_many_entries_and_goes_on(house, monkeypatch):
    monkeypatch.setattr(read_ledger, "LOOKED_AT", 10)
    for newest_first in (False, True):
        seen, cursor, pages = [], None, 0
        while cursor is not None or not pages:
            numbers, cursor = found(house, target="grant/3", cursor=cursor, newest_first=newest_first)
            seen += numbers
            pages += 1
        assert pages == 3
        assert sorted(seen) == [n + 1 for n in range(30) if n % 4 == 3 and n % 3 != 2]


def test_only_auditors_read(house):
    for ask in (
        lambda: read_ledger.find_audit(house, ADA, read_ledger.AuditFilter()),
        lambda: read_ledger.export_audit(house, ADA),
        lambda: read_ledger.list_checkpoints(house, ADA),
    ):
        with pytest.raises(NotPermitted):
            ask()


def test_an_export_can_be_verified_by_anybody(house):
    lines = b"".join(read_ledger.export_audit(house, AUDITOR)).splitlines()
    entries = [json.loads(line) for line in lines]
    previous = "0" * 64
    for number, entry in enumerate(entries, start=1):
        assert (entry["number"], entry["previous"], entry["hash"]) == (number, previous, digest(entry))
        previous = entry["hash"]
    assert len(entries) == 30
    assert house.audit.tail(1)[0].event.action == "audit.export"


def test_the_head_is_signed_once_an_hour(house):
    assert checkpoint_audit(house) == 1
    assert checkpoint_audit(house) == 0
    house.clock.at += timedelta(hours=2)
    assert checkpoint_audit(house) == 0  # nothing but the checkpoint's own entry has come
    house.audit.record(AuditEvent(action="grant.add", target="grant/9", caller=ADA))
    assert checkpoint_audit(house) == 1
    first, second = read_ledger.list_checkpoints(house, AUDITOR)
    assert first.number < second.number
    check = read_ledger.verify_audit(house, AUDITOR)
    assert (check.intact, check.checkpoints, check.checked_to) == (True, 2, second.number)


def rewrite(house, number, action):
    """Change an entry and write every later one anew, as who holds the whole store can."""
    path = house.settings.home_dir / "records.db"
    entries = house.audit.read(0, 1000)
    previous = entries[number - 2].hash if number > 1 else "0" * 64
    with sqlite3.connect(path) as database:
        for entry in entries[number - 1 :]:
            event = entry.event.but(action=action) if entry.number == number else entry.event
            made = link(event, number=entry.number, at=entry.at, previous=previous)
            previous = made["hash"]
            database.execute(
                "UPDATE stream_entries SET body = ? WHERE stream = 'audit' AND number = ?",
                (json.dumps(made), entry.number),
            )


def test_a_chain_that_was_written_anew_does_not_agree_with_its_checkpoint(house):
    checkpoint_audit(house)
    (signed,) = read_ledger.list_checkpoints(house, AUDITOR)
    rewrite(house, 4, "grant.forged")
    assert house.audit.verify().intact  # the chain alone cannot tell
    check = read_ledger.verify_audit(house, AUDITOR)
    assert (check.intact, check.broken_at) == (False, signed.number)
    assert "since it was signed" in check.reason


def test_a_checkpoint_signed_by_another_key_does_not_hold(house):
    checkpoint_audit(house)
    (signed,) = read_ledger.list_checkpoints(house, AUDITOR)
    rewrite(house, 4, "grant.forged")
    head = house.audit.read(signed.number - 1, 1)[0]
    own = Ed25519PrivateKey.generate()
    public = base64.b64encode(own.public_key().public_bytes_raw()).decode()
    text = signed_text(head.number, head.hash, signed.at.isoformat())
    stored = house.records.get(AuditCheckpoint, signed.id)
    forged = {"hash": head.hash, "public_key": public, "signature": base64.b64encode(own.sign(text)).decode()}
    house.records.put(stored.but(**forged))
    key = house.records.get(SigningKey, "audit")
    house.records.put(key.but(public_key=public))
    check = read_ledger.verify_audit(house, AUDITOR)
    assert not check.intact
    assert "another key" in check.reason


def test_entries_taken_off_the_end_behind_a_checkpoint_are_missed(house):
    house.records.put(
        AuditCheckpoint(
            id="000000000099", number=99, hash="0" * 64, at=START, key_id="key", public_key="", signature=""
        )
    )
    check = read_ledger.verify_audit(house, AUDITOR)
    assert (check.intact, check.broken_at) == (False, 31)
    assert "99" in check.reason

"""Domain keys: made once, sealed at rest, opened by the right master key only."""

from __future__ import annotations

import pytest

from atoll.deid import DomainKey, KeyRing
from atoll.errors import IntegrityBroken, NotFound
from atoll.providers.clock import SystemClock
from atoll.providers.master_key import HexMasterKey
from atoll.providers.records import open_record_store


@pytest.fixture
def records(tmp_path):
    store = open_record_store(f"sqlite:///{tmp_path / 'records.db'}")
    yield store
    store.close()


def ring(records, key="11" * 32):
    return KeyRing(records, HexMasterKey(key), SystemClock())


def test_a_key_is_made_once_and_stays(records):
    keys = ring(records)
    with pytest.raises(NotFound):
        keys.keys("people")
    records.transact(keys.ensure("people"))
    assert keys.ensure("people") == ()
    first = keys.keys("people")
    assert first == ring(records).keys("people")
    assert len(first.pseudonym_key) == len(first.offset_key) == 32
    assert first.pseudonym_key != first.offset_key


def test_domains_have_keys_of_their_own(records):
    keys = ring(records)
    for domain in ("people", "animals"):
        records.transact(keys.ensure(domain))
    assert keys.keys("people").pseudonym_key != keys.keys("animals").pseudonym_key
    assert keys.keys("people").key_id != keys.keys("animals").key_id


def test_another_master_key_does_not_open_it(records):
    records.transact(ring(records).ensure("people"))
    with pytest.raises(IntegrityBroken):
        ring(records, "22" * 32).keys("people")


def test_nothing_of_the_key_is_stored_open(records, tmp_path):
    keys = ring(records)
    records.transact(keys.ensure("people"))
    opened = keys.keys("people")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (opened.pseudonym_key, opened.offset_key):
        assert secret not in stored
        assert secret.hex().encode() not in stored


def test_rotated_keys_stay_to_find_what_they_made_until_all_are_destroyed(records):
    keys = ring(records)
    records.transact(keys.ensure("people"))
    made = [keys.keys("people")]
    for _ in range(2):
        records.put(keys.rotated(records.get(DomainKey, "people")))
        made.insert(0, keys.keys("people"))
    assert keys.every_key("people") == tuple(made)
    records.put(keys.destroyed(records.get(DomainKey, "people")))
    assert keys.every_key("people") == ()
    assert records.get(DomainKey, "people").retired == ()
    records.put(keys.rotated(records.get(DomainKey, "people")))
    assert keys.every_key("people") == (keys.keys("people"),)

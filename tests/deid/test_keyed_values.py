"""Pseudonyms and offsets equal what Python's own HMAC says, for every row and every run."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atoll.deid.keyed import date_offset, pseudonym, with_keyed
from atoll.deid.keyring import derive

KEYS = derive("k", bytes(range(32)))


def expected_pseudonym(text: str, length: int) -> str:
    return hmac.new(KEYS.pseudonym_key.hex().encode(), text.encode(), hashlib.sha256).hexdigest()[:length]


def expected_offset(text: str, most: int) -> int:
    digest = hmac.new(KEYS.offset_key.hex().encode(), text.encode(), hashlib.sha256).hexdigest()
    number = int(digest[:15], 16) % (2 * most)
    return number - most if number < most else number - most + 1


texts = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "é", "", "0"]), st.text(max_size=80)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(ids=texts, others=st.randoms())
def test_every_value_is_python_s_hmac(ids, others):
    frame = pl.DataFrame({"i": ids, "j": others.sample(ids, len(ids))}, schema={"i": pl.String, "j": pl.String})
    made = with_keyed(
        frame.lazy(),
        (
            pseudonym("p", "i", KEYS, prefix="P-", length=32),
            date_offset("d", "i", KEYS, max_shift_days=365),
            pseudonym("q", "j", KEYS, prefix="", length=64),
        ),
    ).collect()
    for i, j, p, d, q in made.select("i", "j", "p", "d", "q").rows():
        assert p == (None if i is None else "P-" + expected_pseudonym(i, 32))
        assert d == (None if i is None else expected_offset(i, 365))
        assert q == (None if j is None else expected_pseudonym(j, 64))


def test_offsets_fill_their_range_and_are_never_zero():
    frame = pl.DataFrame({"i": [str(n) for n in range(20_000)]})
    days = with_keyed(frame.lazy(), (date_offset("d", "i", KEYS, max_shift_days=30),)).collect()["d"]
    assert set(days) == set(range(-30, 31)) - {0}


def test_the_two_keys_differ_and_printing_shows_neither():
    assert KEYS.pseudonym_key != KEYS.offset_key
    assert KEYS.pseudonym_key.hex() not in repr(KEYS)
    assert str(KEYS.offset_key) not in repr(KEYS)


COLUMNS = """
id: {treat: pseudonymize, domain: people, prefix: P-, length: 16}
at: {treat: shift_date, type: datetime}
on: {treat: shift_date, type: date}
"""


def test_dates_of_one_subject_move_together(admit, keys):
    data = (
        b"id,at,on\n7,2020-03-01T10:00:00Z,2020-02-28\n8,2020-03-01T10:00:00Z,\n"
        b"7,2021-01-01T00:00:00Z,\n,2020-01-01T00:00:00Z,\n"
    )
    admitted = admit(COLUMNS, data, table="subject: id")
    first, _, third, nobody = admitted.treated.rows()
    digest = hmac.new(keys["people"].offset_key.hex().encode(), b"7", hashlib.sha256).hexdigest()
    number = int(digest[:15], 16) % 200
    offset = timedelta(days=number - 100 + (number >= 100))
    assert first[1] == datetime(2020, 3, 1, 10, tzinfo=UTC) + offset
    assert first[2] == datetime(2020, 2, 28).date() + offset
    assert third[1] == datetime(2021, 1, 1, tzinfo=UTC) + offset
    assert first[0] == third[0]
    assert first[0].startswith("P-")
    assert len(first[0]) == 18
    assert nobody == (None, None, None)


@pytest.mark.parametrize(
    "reference",
    ["Patient/7", "urn:uuid:7", "Patient?identifier=urn:mrn|7", "http://a.example/fhir/Patient/7/_history/2", "7"],
)
def test_references_have_the_pseudonym_of_their_id(admit, reference):
    columns = "id: {treat: pseudonymize, domain: people}\nref: {treat: pseudonymize, domain: people, reference: true}"
    ((own, referred),) = admit(columns, f"id,ref\n7,{reference}\n".encode()).treated.rows()
    assert own == referred


def test_the_subject_of_a_reference_moves_dates_as_its_id_does(admit):
    columns = "s: {treat: pseudonymize, domain: people, reference: true}\non: {treat: shift_date, type: date}"
    moved = admit(columns, b"s,on\nPatient/7,2020-01-01\n7,2020-01-01\n", table="subject: s").treated["on"]
    assert moved[0] == moved[1]

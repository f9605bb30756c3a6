"""Names in other tables of a delivery leave the texts about the same person, and a text never enters without them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atoll.deid import deidentify_file, explain, gather_names, parse_contract
from atoll.deid.keyring import derive
from atoll.errors import ContractInvalid

CONTRACT = """\
dataset: trial
title: Notes, and who is named in them
domains:
  person: {description: Patients}
tables:
  notes:
    files: ["notes*.csv"]
    format: csv
    subject: PATIENT
    columns:
      PATIENT: {treat: pseudonymize, domain: person}
      NOTE: {treat: redact_text, patterns: [], names_from: [patients.NAME, contacts.NAME]}
  patients:
    files: ["patients*.csv"]
    format: csv
    subject: ID
    columns:
      ID: {treat: pseudonymize, domain: person}
      NAME: {treat: drop}
  contacts:
    files: ["contacts*.csv"]
    format: csv
    subject: OF
    columns:
      OF: {treat: pseudonymize, domain: person}
      NAME: {treat: drop}
"""
KEYS = {"person": derive("key", bytes(32))}
NAMES = st.text("QXZJKqxzjkéÉ", min_size=4, max_size=9)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("123"), NAMES, NAMES), min_size=1, max_size=8))
def test_no_name_that_is_known_of_the_person_stays(tmp_path_factory, people):
    place = tmp_path_factory.mktemp("names")
    contract = parse_contract(CONTRACT)
    lines = {
        "notes.csv": ["PATIENT,NOTE"] + [f"{id},{own.upper()} met {other.lower()} today" for id, own, other in people],
        "patients.csv": ["ID,NAME"] + [f"{id},{own}" for id, own, _ in people],
        "contacts.csv": ["OF,NAME"] + [f"{id},{other}" for id, _, other in people],
    }
    for name, rows in lines.items():
        (place / name).write_text("\n".join(rows) + "\n")
    known = gather_names(contract, [(name, place / name) for name in lines], place / "scratch")
    assert all(name not in repr(known) for _, name, _ in people)
    out = []
    for _ in range(2):
        staged = place / "t.parquet"
        file = place / "notes.csv"
        report = deidentify_file(contract, "notes", file, file.name, KEYS, staged, place / "h.parquet", known=known)
        assert (report.rows_committed, report.rule) == (len(people), "")
        out.append(pl.read_parquet(staged)["note"].to_list())
    assert out[0] == out[1] == ["[NAME] met [NAME] today"] * len(people)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("contacts.NAME", "contacts.WHO"), "is no column"),
        (("contacts.NAME", "NAME"), "is no column"),
        (("subject: OF", "description: x"), "no `subject` of one domain"),
        (('["contacts*.csv"]\n    format: csv', '["contacts*.parquet"]\n    format: parquet'), "read without those"),
    ],
)
def test_names_that_cannot_be_found_are_told(change, words):
    with pytest.raises(ContractInvalid) as caught:
        parse_contract(CONTRACT.replace(*change))
    assert words in " ".join(caught.value.findings)


def test_explain_says_where_names_are_taken_from():
    assert (
        "patients.NAME, contacts.NAME of the same delivery"
        in explain(parse_contract(CONTRACT)).tables[0].columns[1].words
    )

"""What must hold of treatments whatever is delivered: one person, one pseudonym, one offset; nothing leaks."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from atoll.deid import deidentify_file, parse_contract
from atoll.deid.keyring import derive

CONTRACT = parse_contract(
    """
dataset: both
title: One person in two formats
domains:
  person: {description: People}
  other: {description: The same ids elsewhere}
tables:
  rows:
    files: ["*.csv"]
    format: csv
    subject: ID
    row_id: {domain: person, of: [ID, SEEN]}
    columns:
      ID: {treat: pseudonymize, domain: person}
      ELSEWHERE: {treat: pseudonymize, domain: other}
      SEEN: {treat: shift_date, type: date}
      PARTLY: {treat: shift_date, type: partial_date, partial: shift}
      NOTE: {treat: redact_text, names: [NAME]}
      NAME: {treat: drop}
  lines:
    files: ["*.ndjson"]
    format: ndjson
    subject: ID
    columns:
      ID: {treat: pseudonymize, domain: person}
      SEEN: {treat: shift_date, type: date}
"""
)
KEYS = {"person": derive("k1", bytes(32)), "other": derive("k2", bytes(range(32)))}
IDS = st.text("abcXYZ019-éß", min_size=1, max_size=12).map(lambda text: f"id{text}")
NAMES = st.text("QXZJKqxzjk", min_size=6, max_size=9)
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))
PEOPLE = st.lists(st.tuples(IDS, DAYS, NAMES), min_size=1, max_size=12)


def treat(table, suffix, text):
    with TemporaryDirectory() as place:
        source, staged, held = (Path(place) / name for name in (f"in.{suffix}", "out/t.parquet", "held/h.parquet"))
        source.write_text(text, encoding="utf-8")
        report = deidentify_file(CONTRACT, table, source, source.name, KEYS, staged, held)
        assert (report.rows_held, report.rule) == (0, ""), pl.read_parquet(held)
        return pl.read_parquet(staged)


def as_csv(people):
    lines = ["ID,ELSEWHERE,SEEN,PARTLY,NOTE,NAME"]
    for id, day, name in people:
        lines.append(f"{id},{id},{day},{day},{name.upper()} called 0612345678 on {day} about {name.lower()},{name}")
    return "\n".join(lines) + "\n"


@settings(max_examples=25, deadline=None)
@given(PEOPLE)
def test_one_person_one_pseudonym_one_offset_and_nothing_leaks(people):
    rows = treat("rows", "csv", as_csv(people))
    assert rows.equals(treat("rows", "csv", as_csv(people))), "the same input gives the same output"
    lines = treat("lines", "ndjson", "".join(json.dumps({"ID": i, "SEEN": str(d)}) + "\n" for i, d, _ in people))
    assert rows["id"].to_list() == lines["id"].to_list(), "the same in every format"
    assert rows["seen"].to_list() == lines["seen"].to_list()
    pseudonym: dict[str, str] = {}
    offset: dict[str, timedelta] = {}
    for (id, day, _), got in zip(people, rows.iter_rows(named=True), strict=True):
        assert pseudonym.setdefault(id, got["id"]) == got["id"]
        moved = got["seen"] - day
        assert offset.setdefault(id, moved) == moved, "one offset, so that intervals are kept"
        assert 1 <= abs(moved.days) <= 365
        assert got["partly"] == str(got["seen"])
        assert got["elsewhere"] != got["id"], "another domain, another pseudonym"
    assert len(set(pseudonym.values())) == len(pseudonym)
    told = rows.drop("seen", "partly").write_csv()
    for id, day, name in people:
        assert id not in told
        assert str(day) not in told
        assert "0612345678" not in told
        assert name.lower() not in told.lower()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(-5, 200)), min_size=1, max_size=20),
    st.sets(st.integers(1, 120), min_size=1, max_size=5),
)
def test_each_number_stands_in_the_band_that_its_words_tell(values, edges):
    from atoll.deid.source_column import SourceColumn
    from atoll.deid.treatments.generalize import generalize
    from atoll.model.contract import Generalize

    rule = Generalize(treat="generalize", to="bands", edges=tuple(sorted(edges)), type="integer")
    column = SourceColumn("x", pl.col("x").cast(pl.String), pl.col("x"), "x")
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.Int64)})
    for value, words in zip(values, frame.select(generalize(column, rule).value).to_series(), strict=True):
        if value is None:
            assert words is None
        elif words.startswith("<="):
            assert value <= int(words[2:])
        elif words.endswith("+"):
            assert value >= int(words[:-1])
        else:
            low, high = map(int, words.split("-"))
            assert low <= value <= high

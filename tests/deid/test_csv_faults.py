"""Random faults in CSV files: never a crash, never a row lost, and both ways of reading agree."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from atoll.deid import deidentify_file, parse_contract
from atoll.deid.keyring import derive
from atoll.deid.readers.csv import csv_readings

CONTRACT = parse_contract(
    """
dataset: lab
title: Laboratory
domains: {people: {description: People}}
tables:
  results:
    files: ["*.csv"]
    format: csv
    columns:
      a: {treat: keep, type: integer}
      b: {treat: pseudonymize, domain: people}
      c: {treat: keep}
"""
)
KEYS = {"people": derive("k", bytes(32))}
HEADER = b"a,b,c"

plain = st.sampled_from(
    [
        b"",
        b"1",
        b"x",
        b"007",
        "é".encode(),
        b"a b",
        b'5" tube',
        b'""',
        b'"q"',
        b'"a,b"',
        b'"l\nm"',
        b'"l\r\nm"',
        b'"d""d"',
    ]
)
broken = st.sampled_from([b'"', b'"x"y', b'""x', b"\xff", b"\x00", b"\r", b'x"', b'"x'])
good_line = st.lists(plain, min_size=3, max_size=3).map(b",".join)
any_line = st.lists(st.one_of(plain, broken), min_size=0, max_size=5).map(b",".join)
lines = st.lists(st.one_of(good_line, good_line, any_line), max_size=12)
ends = st.sampled_from([b"\n", b"\r\n"])


def deidentify(data: bytes, directory: Path):
    source = directory / "in.csv"
    source.write_bytes(data)
    return deidentify_file(CONTRACT, "results", source, "in.csv", KEYS, directory / "t", directory / "h")


@settings(max_examples=250, deadline=None)
@given(lines=lines, end=ends, last=st.booleans())
def test_counts_add_up_whatever_the_file(lines, end, last):
    data = end.join([HEADER, *lines]) + (end if last else b"")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        report = deidentify(data, directory)
        assert report.rows_in is not None, "a line at fault must not cost the file"
        assert report.rows_in == report.rows_committed + report.rows_held
        held = pl.read_parquet(directory / "h")
        assert held["row"].n_unique() == report.rows_held
        if report.rows_committed:
            assert pl.read_parquet(directory / "t").height == report.rows_committed
        numbers = set(held["row"])
        assert numbers <= set(range(1, report.rows_in + 1))


@settings(max_examples=250, deadline=None)
@given(lines=lines, end=ends)
def test_a_fast_reading_that_is_proven_equals_the_careful_one(lines, end):
    data = end.join([HEADER, *lines, b""])
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "in.csv"
        source.write_bytes(data)
        fast, careful = csv_readings(source, CONTRACT.tables["results"], Path(name) / "scratch")
        slow = careful.batch.rows.collect()
        try:
            rows = fast.batch.rows.collect(engine="streaming")
        except pl.exceptions.PolarsError:
            return
        if fast.proven(rows.height):
            assert not careful.batch.malformed
            assert rows.drop("__row").rows() == slow.drop("__row").rows()
            assert rows["__row"].to_list() == slow["__row"].to_list()


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_never_crash(data):
    with tempfile.TemporaryDirectory() as name:
        report = deidentify(b"a,b,c\n" + data, Path(name))
        assert report.rows_in is None or report.rows_in == report.rows_committed + report.rows_held
        report = deidentify(data, Path(name))
        assert report.rows_in is None or report.rows_in == report.rows_committed + report.rows_held

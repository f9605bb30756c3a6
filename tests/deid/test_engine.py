"""The run as a whole: places, reruns, refusals, and nothing identified outside the held file."""

from __future__ import annotations

import logging
import os
import pickle

import polars as pl
import pytest

from atoll.deid import deidentify_file, parse_contract
from atoll.deid.keyring import derive
from atoll.errors import NotFound
from atoll.model.identified import HELD_ROWS_SCHEMA

CONTRACT = """
dataset: lab
title: Laboratory
domains: {people: {description: People}}
tables:
  results:
    files: ["*.csv"]
    format: csv
    subject: id
    columns:
      id: {treat: pseudonymize, domain: people, required: true}
      name: {treat: drop}
      on: {treat: shift_date, type: date}
      value: {treat: keep, type: number, max: 100}
"""
CANARY = "Quetzalcoatlus"
DATA = f"id,name,on,value\n1,{CANARY},2020-01-01,5\n2,{CANARY},{CANARY},5\n3,x,2020-01-01,{CANARY}\n4,{CANARY}\n"


@pytest.fixture
def run(tmp_path, keys):
    def go(data: str | bytes, **changed):
        source = tmp_path / "in.csv"
        source.write_bytes(data if isinstance(data, bytes) else data.encode())
        return deidentify_file(
            parse_contract(CONTRACT),
            changed.get("table", "results"),
            source,
            "in.csv",
            keys,
            tmp_path / "lake" / "s.parquet",
            tmp_path / "quarantine" / "h.parquet",
            changed.get("on_progress", lambda part: None),
        )

    return go


def test_both_halves_and_the_account(run, tmp_path):
    parts: list[float] = []
    report = run(DATA, on_progress=parts.append)
    assert (report.rows_in, report.rows_committed, report.rows_held) == (4, 1, 3)
    assert report.staged is not None
    assert report.staged.rows == 1
    assert report.staged.size_bytes == (tmp_path / "lake" / "s.parquet").stat().st_size
    held = pl.read_parquet(tmp_path / "quarantine" / "h.parquet")
    assert dict(held.schema) == dict(HELD_ROWS_SCHEMA)
    assert held.sort("row")["rule"].to_list() == ["type", "type", "ragged"]
    assert set(held["file"]) == {"in.csv"}
    assert (parts[0], parts[-1]) == (0.0, 1.0)


def test_nothing_identified_leaves_but_in_raw(run, tmp_path, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        report = run(DATA)
    assert CANARY not in report.model_dump_json()
    assert CANARY.encode() not in (tmp_path / "lake" / "s.parquet").read_bytes()
    held = pl.read_parquet(tmp_path / "quarantine" / "h.parquet")
    assert CANARY not in str(held.drop("raw").rows())
    assert all(CANARY in raw for raw in held.filter(pl.col("row") != 3)["raw"])
    assert CANARY not in caplog.text + "".join(capfd.readouterr())


def test_held_files_are_private_and_no_scratch_stays(run, tmp_path):
    run(DATA)
    (held,) = (tmp_path / "quarantine").iterdir()
    assert held.stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "lake").iterdir()] == ["s.parquet"]


def test_running_again_gives_the_same_and_a_refusal_leaves_nothing_old(run, tmp_path):
    assert run(DATA) == run(DATA)
    report = run("id,other\n1,2\n")
    assert (report.rows_in, report.rule) == (None, "columns")
    assert list((tmp_path / "lake").iterdir()) == list((tmp_path / "quarantine").iterdir()) == []


def test_a_stop_from_outside_leaves_no_output(run, tmp_path):
    def stop(part: float) -> None:
        if part == 0.0:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(DATA, on_progress=stop)
    assert not (tmp_path / "lake").exists()


def test_an_unknown_table_is_the_caller_s_fault(run):
    with pytest.raises(NotFound):
        run(DATA, table="other")


def test_a_library_error_becomes_a_rule_without_its_text(run, monkeypatch):
    def broken(*args, **kwargs):
        raise pl.exceptions.ComputeError(f"could not parse {CANARY}")

    monkeypatch.setattr("atoll.deid.engine.plan_table", broken)
    report = run(DATA)
    assert (report.rows_in, report.rule) == (None, "unreadable")
    assert CANARY not in report.message


def test_rows_that_vanish_in_reading_are_noticed(run, monkeypatch):
    from atoll.deid import engine

    real = engine.plan_table

    def lossy(contract, table, rows, keys, **rest):
        return real(contract, table, rows.slice(1), keys, **rest)

    monkeypatch.setattr("atoll.deid.engine.plan_table", lossy)
    assert run(DATA).rule == "unreadable"


def test_input_and_output_travel_to_another_process(run):
    assert pickle.loads(pickle.dumps(run(DATA))).rows_in == 4
    pickle.dumps((parse_contract(CONTRACT), derive("k", os.urandom(32))))

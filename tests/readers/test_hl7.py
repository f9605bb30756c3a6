"""HL7 v2: segments to tables, and every message that is none held by itself."""

from __future__ import annotations

import base64
from pathlib import Path

import polars as pl
import pytest
from tests.readers.carry_out import keys_of

from atoll.deid import FileReport, deidentify_parts, parse_contract
from atoll.errors import ContractInvalid

CONTRACT = """
dataset: d
title: D
domains: {people: {description: People}}
tables:
  patient:
    files: ['*.hl7']
    format: hl7
    segment: PID
    other_segments: [OBR, SFT]
    columns:
      PID-1: {treat: drop}
      PID-3.1: {treat: pseudonymize, domain: people, as: patient}
      PID-3: {treat: drop}
      PID-5: {treat: drop}
      PID-8: {treat: keep, as: sex, values: [F, M]}
  result:
    files: ['*.hl7']
    format: hl7
    segment: OBX
    columns:
      patient: {path: PID-3.1, treat: pseudonymize, domain: people}
      OBX-1: {treat: keep, type: integer, as: number}
      OBX-2: {treat: drop}
      OBX-3.1: {treat: keep, as: code}
      OBX-5: {treat: keep, as: value}
      note: {path: 'OBX-5[0].5', treat: keep, decode: base64}
"""
MSH = "MSH|^~\\&|LAB|H|||20200101||ORU^R01|1|P|2.5.1"
PID = "PID|1||77^^^H||CNRYNAME^Ann|||F"


def message(*segments: str, end: str = "\r") -> str:
    return end.join((MSH, *segments)) + end


def admitted(
    tmp_path: Path, data: bytes | str, only: frozenset[int] | None = None, text: str = CONTRACT
) -> tuple[FileReport, dict[str, pl.DataFrame], pl.DataFrame]:
    rules = parse_contract(text)
    file = tmp_path / "m.hl7"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    staged = {name: tmp_path / "lake" / name / "0.parquet" for name in rules.tables}
    held = tmp_path / "q" / "0.parquet"
    report = deidentify_parts(rules, file, "m.hl7", keys_of(rules), staged, held, only=only)
    frames = {name: pl.read_parquet(path) for name, path in staged.items() if path.exists()}
    assert b"CNRY" not in b"".join(p.read_bytes() for p in (tmp_path / "lake").rglob("*.parquet"))
    assert "CNRY" not in repr(report)
    return report, frames, pl.read_parquet(held) if held.exists() else pl.DataFrame()


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_segments_fill_their_tables_and_results_know_their_patient(tmp_path: Path, end: str) -> None:
    note = base64.b64encode("grün".encode()).decode()
    first = message(PID, "OBR|1", "OBX|1|NM|718-7^Hb||14.2", f"OBX|2|ED|1^N||a^b^c^d^{note}", end=end)
    second = "\x0b" + message("PID|1||78||X", "OBR|1", "OBX|1|ST|2^C||x \\T\\ y", 'OBX|2|ST|3||""', end=end) + "\x1c\r"
    parts = ("OBX-5[0].2", "OBX-5[0].3", "OBX-5[0].4", "OBX-3[0].2")
    rules = CONTRACT + "".join(f"      {part}: {{treat: drop}}\n" for part in parts)

    report, frames, held = admitted(tmp_path, "FHS|^~\\&\r" + first + second + "FTS|1\r", text=rules)

    assert held.is_empty()
    assert frames["patient"]["sex"].to_list() == ["F", None]
    patients = frames["patient"]["patient"].to_list()
    assert frames["result"]["patient"].to_list() == [patients[0]] * 2 + [patients[1]] * 2
    assert frames["result"]["value"].to_list() == ["14.2", "a", "x & y", None]
    assert frames["result"]["note"].to_list() == [None, "grün", None, None]
    assert (report.rows_in, report.rows_committed) == (6, 6)


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (message(PID, "ZPI|CNRYZ"), "unknown_segment"),
        (message(PID, "NTE|1||CNRYNOTE"), "unknown_segment"),
        (message(PID, "  garbage"), "segment"),
        (message(PID).replace("^~\\&", "^^\\&"), "header"),
        (message(PID).replace("^~\\&", "ab"), "header"),
        (message(PID).replace("ORU^R01", ""), "header"),
        ("MSH\r" + PID + "\r", "header"),
        (message(PID).encode().replace(b"Ann", b"A\xffn"), "encoding"),
        (message(PID.replace("Ann", "A\0n")), "nul"),
    ],
)
def test_a_message_that_is_none_is_held_whole_and_by_itself(tmp_path: Path, bad: str | bytes, rule: str) -> None:
    good = message(PID, "OBX|1|NM|7||1").encode()
    data = good + (bad if isinstance(bad, bytes) else bad.encode()) + good

    report, frames, held = admitted(tmp_path, data)

    lines = bad.count(b"\r") if isinstance(bad, bytes) else bad.count("\r")
    assert held["rule"].to_list() == [rule] * lines
    assert held["row"].to_list() == list(range(4, 4 + lines))
    assert {name: frame.height for name, frame in frames.items()} == {"patient": 2, "result": 2}
    assert report.rows_in == 4 + lines


def test_a_field_that_no_rule_names_holds_its_segment(tmp_path: Path) -> None:
    data = message(PID + "|||CNRYADDRESS", "OBX|1|NM|7^CNRYTEXT||1", "OBX|2|NM|7||1~CNRYSECOND", "OBX|3|NM|7||ok")

    report, frames, held = admitted(tmp_path, data)

    assert held["rule"].to_list() == ["unknown_field"] * 3
    assert frames["result"]["value"].to_list() == ["ok"]
    assert report.rows_in == 4


def test_a_held_message_is_replayed_whole_under_a_mended_contract(tmp_path: Path) -> None:
    data = message(PID, "ZPI|x", "OBX|1|NM|7||1") + message(PID)
    first, _, held = admitted(tmp_path, data)
    assert (first.rows_in, first.rows_committed, first.rows_held) == (5, 1, 4)

    mended = CONTRACT.replace("[OBR, SFT]", "[OBR, SFT, ZPI]")
    again, frames, _ = admitted(tmp_path, data, frozenset(held["row"].to_list()), mended)

    assert {name: frame.height for name, frame in frames.items()} == {"patient": 1, "result": 1}
    assert (again.rows_in, len(again.met)) == (2, 4)


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"PK\x03\x04", b"\0" * 100])
def test_a_file_without_a_message_is_refused(tmp_path: Path, data: bytes) -> None:
    assert admitted(tmp_path, data)[0].rule == "format"


def test_a_path_that_is_no_place_in_a_segment_is_found() -> None:
    with pytest.raises(ContractInvalid, match="fault"):
        parse_contract(CONTRACT.replace("path: PID-3.1", "path: pid.3"))

"""VCF: variants by sample, default deny for INFO and FORMAT, broken lines and files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.readers.carry_out import carry_out

DATA = Path(__file__).parent / "data" / "vcf"
COLUMNS = """
CHROM: {treat: keep}
POS: {treat: keep, type: integer, required: true}
ID: {treat: drop}
REF: {treat: keep}
ALT: {treat: keep}
QUAL: {treat: keep, type: number}
FILTER: {treat: keep}
INFO.AF: {treat: keep, as: frequency}
INFO.DB: {treat: keep, type: boolean, as: in_dbsnp}
INFO: {treat: drop}
SAMPLE: {treat: pseudonymize, domain: people}
FORMAT.GT: {treat: keep, as: genotype}
FORMAT: {treat: drop}"""
HEAD = b"##fileformat=VCFv4.2\n##SAMPLE=<ID=CNRYMETA>\n"
HEAD += b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tCNRYONE\tCNRYTWO\n"
LINE = b"20\t17330\t.\tT\tA\t3\tq10\tNS=3;DB\tGT:DP\t0|1:3\t./.\n"


@pytest.mark.parametrize("name", ["valid-4.0.vcf", "valid-4.2.vcf", "incompatible-field-value.vcf"])
def test_real_files_come_in_whole_but_for_what_breaks_the_contract(tmp_path: Path, name: str) -> None:
    lines = [line for line in (DATA / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]

    done = carry_out(tmp_path, "vcf", COLUMNS, DATA / name, table="subject: SAMPLE")

    assert done.report.rows_in == 3 * len(lines)
    assert done.report.rows_held == (3 if "incompatible" in name else 0)
    assert done.report.rows_committed == 0 or done.treated["sample"].n_unique() == 3


def test_a_packed_file_is_the_same_and_its_header_does_not_enter(tmp_path: Path) -> None:
    plain = carry_out(tmp_path, "vcf", COLUMNS, HEAD + LINE)
    packed = carry_out(tmp_path, "vcf", COLUMNS, gzip.compress(HEAD + LINE))

    assert plain.treated.equals(packed.treated)
    assert plain.treated["genotype"].to_list() == ["0|1", "./."]
    assert plain.treated["in_dbsnp"].to_list() == [True, True]
    assert b"CNRY" not in (tmp_path / "lake" / "t.parquet").read_bytes()


@pytest.mark.parametrize(
    ("line", "rule", "rows"),
    [
        (b"20\t1\n", "ragged", [2]),
        (LINE.replace(b"\n", b"\tCNRYMORE\n"), "ragged", [2]),
        (LINE.replace(b"NS=3", b"NS=3;NS=4"), "ragged", [2]),
        (LINE.replace(b"0|1:3", b"0|1:3:9"), "ragged", [2]),
        (LINE.replace(b"q10", b"\xff\xfe"), "encoding", [2]),
        (LINE.replace(b"q10", b"\0"), "nul", [2]),
        (LINE.replace(b"17330", b"here"), "type", [2_000_000_001, 2_000_000_002]),
    ],
)
def test_a_broken_line_is_held_and_others_enter(tmp_path: Path, line: bytes, rule: str, rows: list[int]) -> None:
    done = carry_out(tmp_path, "vcf", COLUMNS, HEAD + LINE + line + LINE)

    assert done.held["rule"].to_list() == [rule] * len(rows)
    assert done.held["row"].to_list() == rows
    assert done.treated.height == 4


def test_keys_that_no_rule_names_hold_the_row(tmp_path: Path) -> None:
    columns = COLUMNS.replace("INFO: {treat: drop}", "INFO.NS: {treat: drop}")

    done = carry_out(tmp_path, "vcf", columns, HEAD + LINE + LINE.replace(b"NS=3", b"NOTE=CNRYNOTE"))

    assert done.held["rule"].to_list() == ["unknown_field"] * 2


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "format"),
        (b"a,b\n1,2\n", "format"),
        (HEAD[: HEAD.index(b"#CHROM")], "columns"),
        (HEAD.replace(b"\tPOS", b""), "columns"),
        (HEAD.replace(b"CNRYTWO", b"CNRYONE"), "columns"),
        (gzip.compress(HEAD + LINE * 500, mtime=0)[:-200], "damaged"),
    ],
)
def test_what_is_no_vcf_is_refused(tmp_path: Path, data: bytes, rule: str) -> None:
    done = carry_out(tmp_path, "vcf", COLUMNS, data)

    assert (done.report.rule, done.report.rows_in) == (rule, None)
    assert "CNRY" not in done.report.message


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atoll.deid.readers.vcf._UNPACKED_MAX_TIMES", 10)
    monkeypatch.setattr("atoll.deid.readers.vcf.MAX_LINE_BYTES", 1000)

    done = carry_out(tmp_path, "vcf", COLUMNS, gzip.compress(HEAD + LINE * 3000))

    assert (done.report.rule, done.treated.is_empty()) == ("too_large", True)

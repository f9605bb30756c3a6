"""Files of every format, broken at random: never a crash, never a silent drop, always a reason."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.canaries.xpt_writer import Variable, write_xpt
from tests.readers.carry_out import carry_out

DATA = Path(__file__).parent / "data"
CANARY = "CNRYVALUE"
FLAT = "A: {treat: keep}\nN: {treat: keep, type: number}\nSECRET: {treat: drop}"
ROWS = [(f"a{n}", n + 0.5, f"{CANARY}{n}") for n in range(40)]


def _csv(directory: Path) -> bytes:
    return "\n".join(["A,N,SECRET", *(",".join(map(str, row)) for row in ROWS)]).encode()


def _lines(directory: Path) -> bytes:
    return "\n".join(json.dumps(dict(zip(("A", "N", "SECRET"), row, strict=True))) for row in ROWS).encode()


def _bundle(directory: Path) -> bytes:
    entries = [{"resource": {"resourceType": "X", "A": a, "N": n, "SECRET": s}} for a, n, s in ROWS]
    return json.dumps({"resourceType": "Bundle", "entry": entries}).encode()


def _dataset(directory: Path) -> bytes:
    head = {"datasetJSONVersion": "1.1.0", "records": len(ROWS), "columns": [{"name": n} for n in ("A", "N", "SECRET")]}
    return "\n".join(json.dumps(line) for line in [head, *ROWS]).encode()


def _dataset_object(directory: Path) -> bytes:
    head, *rows = _dataset(directory).splitlines()
    return json.dumps(json.loads(head) | {"rows": [json.loads(row) for row in rows]}).encode()


def _parquet(directory: Path) -> bytes:
    out = io.BytesIO()
    a, n, secret = zip(*ROWS, strict=True)
    pq.write_table(pa.table({"A": a, "N": n, "SECRET": secret}), out)
    return out.getvalue()


def _excel(directory: Path) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.title = "S"
    for row in [("A", "N", "SECRET"), *ROWS]:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def _xpt(directory: Path) -> bytes:
    variables = [Variable("A"), Variable("N", numeric=True), Variable("SECRET", width_bytes=12)]
    write_xpt(directory / "x.xpt", "X", variables, [list(row) for row in ROWS])
    return (directory / "x.xpt").read_bytes()


def _hl7(directory: Path) -> bytes:
    head = "MSH|^~\\&|A|B|||20200101||ORU^R01|1|P|2.5.1"
    return "\r".join(f"{head}\rOBX|1|{a}|{n}|{secret}" for a, n, secret in ROWS).encode()


def _vcf(directory: Path) -> bytes:
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
    return (head + "".join(f"{a}\t{n}\t{secret}\tA\tG\t.\t.\t.\tGT\t0|1\n" for a, n, secret in ROWS)).encode()


def _file(name: str) -> Callable[[Path], bytes]:
    return lambda directory: (DATA / name).read_bytes()


HL7 = "OBX-1: {treat: drop}\nOBX-2: {treat: keep, as: a}\nOBX-3: {treat: keep, as: n}\nOBX-4: {treat: drop}"
VCF = "CHROM: {treat: keep}\nPOS: {treat: keep}\nID: {treat: drop}\nREF: {treat: drop}\nALT: {treat: drop}\n"
VCF += "QUAL: {treat: drop}\nFILTER: {treat: drop}\nINFO: {treat: drop}\n"
VCF += "SAMPLE: {treat: drop}\nFORMAT.GT: {treat: keep, as: gt}"
DICOM = "PatientID: {treat: pseudonymize, domain: people}\nModality: {treat: keep}"
SAS = "mychar: {treat: keep}\nmynum: {treat: keep, type: number}\nmydate: {treat: keep, type: date}\n"
SAS += "dtime: {treat: drop}\nmylabl: {treat: drop}\nmyord: {treat: drop}\nmytime: {treat: drop}"
KINDS: dict[str, tuple[str, Callable[[Path], bytes], str, str]] = {
    "csv": ("csv", _csv, FLAT, ""),
    "ndjson": ("ndjson", _lines, FLAT, ""),
    "bundle": ("fhir", _bundle, FLAT, "resource: X"),
    "dataset lines": ("dataset_json", _dataset, FLAT, ""),
    "dataset object": ("dataset_json", _dataset_object, FLAT, ""),
    "parquet": ("parquet", _parquet, FLAT, ""),
    "excel": ("excel", _excel, FLAT, "sheet: S"),
    "xpt": ("xpt", _xpt, FLAT, ""),
    "xpt 8": ("xpt", _file("dates_xpt_v8.xpt"), "dt: {treat: keep, type: datetime}", ""),
    "sas7bdat": ("sas7bdat", _file("sample.sas7bdat"), SAS, ""),
    "hl7": ("hl7", _hl7, HL7, "segment: OBX"),
    "dicom": ("dicom", _file("dicom/emri_small.dcm"), DICOM, "unknown_fields: leave_out"),
    "vcf": ("vcf", _vcf, VCF, ""),
    "vcf packed": ("vcf", lambda directory: gzip.compress(_vcf(directory)), VCF, ""),
}


def broken(data: bytes, kind: random.Random) -> bytes:
    """The file with one thing wrong, of the kinds that deliveries have."""
    at = kind.randrange(len(data))
    match kind.randrange(8):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + b"\0" * kind.choice([1, 8, 500]) + data[at:]
        case 2:
            return data[:at] + bytes(kind.randrange(256) for _ in range(4)) + data[at + 4 :]
        case 3:
            return data[:at] + b"\xff\xfe\xe9" + data[at + 3 :]
        case 4:
            return data[:at] + b"x" * 300_000 + data[at:]
        case 5:
            return data.decode("latin-1").encode("utf-16")
        case 6:
            return data[:at] + data[at // 2 :]
        case _:
            return data[: at // 2] + data[at:]


@pytest.mark.parametrize("name", KINDS)
def test_a_broken_file_is_accounted_for_and_told_of(tmp_path: Path, name: str) -> None:
    kind, make, columns, table = KINDS[name]
    whole = make(tmp_path)
    sound = carry_out(tmp_path, kind, columns, whole, table=table).report
    assert sound.rule == ("columns" if name == "xpt 8" else "")
    assert sound.rows_held == 0
    assert sound.rows_committed or name == "xpt 8"

    for seed in range(25):
        done = carry_out(tmp_path, kind, columns, broken(whole, random.Random(f"{name} {seed}")), table=table)
        report = done.report
        if report.rule:
            assert report.rows_in is None, seed
            assert done.treated.is_empty(), seed
            assert done.held.is_empty(), seed
            assert len(report.message) > 20, seed
            assert report.message.endswith("."), seed
        else:
            # `carry_out` has checked that rows in are rows committed and rows held.
            assert set(done.held["message"].str.len_chars() > 10) <= {True}, seed
        told = report.message + "".join(done.held["message"])
        assert CANARY not in told, seed
        lake = tmp_path / "lake" / "t.parquet"
        assert not lake.exists() or CANARY.encode() not in lake.read_bytes() or name in ("csv", "ndjson", "hl7"), seed


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_format_is_refused_or_held(tmp_path: Path, name: str) -> None:
    """What a file is must be what its contract declares."""
    kind, _, columns, table = KINDS[name]
    for other, (its_kind, its_make, _, _) in KINDS.items():
        if its_kind == kind or {kind, its_kind} == {"ndjson", "fhir"}:
            continue
        report = carry_out(tmp_path, kind, columns, its_make(tmp_path), table=table).report
        assert report.rows_committed == 0, other
        assert report.rule or report.rows_held, other


def _book(*rows: tuple[object, ...]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.title = "S"
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def _columns(names: str, *columns: list[object]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(column) for column in columns], names=list(names)), out)
    return out.getvalue()


def _transport(directory: Path, names: str) -> bytes:
    write_xpt(directory / "x.xpt", "X", [Variable(name) for name in names], [["a"] * len(names)])
    return (directory / "x.xpt").read_bytes()


def _records(names: str, *rows: list[object]) -> bytes:
    head = {"datasetJSONVersion": "1.1.0", "records": len(rows), "columns": [{"name": n} for n in names]}
    return "\n".join(json.dumps(line) for line in [head, *rows]).encode()


TWO = "A: {treat: keep}\nN: {treat: keep, type: number}"
TWICE: dict[str, Callable[[Path], bytes]] = {
    "csv": lambda directory: b"A,N,A\nx,1,y\n",
    "excel": lambda directory: _book(("A", "N", "A"), ("x", 1, "y")),
    "parquet": lambda directory: _columns("ANA", ["x"], [1], ["y"]),
    "xpt": lambda directory: _transport(directory, "ANA"),
    "dataset_json": lambda directory: _records("ANA", ["x", 1, "y"]),
    "ndjson": lambda directory: b'{"A": "x", "N": 1, "A": "y"}\n',
}


@pytest.mark.parametrize("kind", TWICE)
def test_a_column_that_stands_twice_is_told_of(tmp_path: Path, kind: str) -> None:
    table = "sheet: S" if kind == "excel" else ""

    done = carry_out(tmp_path, kind, TWO, TWICE[kind](tmp_path), table=table)

    assert done.treated.is_empty()
    if kind == "ndjson":
        assert done.held["rule"].to_list() == ["malformed"]
        assert "twice" in done.held["message"][0]
    else:
        assert done.report.rule == ("damaged" if kind == "xpt" else "columns")
        assert ("have the same name" if kind == "xpt" else "twice") in done.report.message


MIXED = ["1.5", 2, True, "x", None, "", "1e400", "-", [1], {"a": 1}]


@pytest.mark.parametrize("kind", ["csv", "excel", "parquet", "dataset_json", "ndjson"])
def test_values_of_other_types_are_held_by_themselves(tmp_path: Path, kind: str) -> None:
    """What is a number enters as one, what is none is held with its row, and nothing else is."""
    flat = [v for v in MIXED if not isinstance(v, list | dict)]
    makes: dict[str, Callable[[], bytes]] = {
        "csv": lambda: "\n".join(["A,N", *(f"a,{'' if v is None else v}" for v in flat)]).encode(),
        "excel": lambda: _book(("A", "N"), *(("a", v) for v in flat)),
        "parquet": lambda: _columns("AN", ["a"] * len(flat), [None if v is None else str(v) for v in flat]),
        "dataset_json": lambda: _records("AN", *(["a", v] for v in MIXED)),
        "ndjson": lambda: "\n".join(json.dumps({"A": "a", "N": v}) for v in MIXED).encode(),
    }
    table = "sheet: S" if kind == "excel" else ""

    done = carry_out(tmp_path, kind, TWO, makes[kind](), table=table)

    rows = MIXED if kind in ("dataset_json", "ndjson") else flat
    assert done.report.rows_in == len(rows)
    # A text of nothing is null in tables; in JSON it is a text.
    entered = [1.5, 2.0, None] if kind == "ndjson" else [1.5, 2.0, None, None]
    assert done.treated["n"].to_list() == entered
    assert done.report.rows_held == len(rows) - len(entered)


@pytest.mark.parametrize("kind", ["csv", "ndjson", "dataset_json", "parquet", "hl7", "vcf"])
def test_a_huge_field_is_a_value_or_held_and_no_more(tmp_path: Path, kind: str) -> None:
    huge = "x" * (4 << 20)
    makes: dict[str, tuple[str, str, bytes]] = {
        "csv": (TWO, "", f"A,N\n{huge},1\nb,2\n".encode()),
        "ndjson": (TWO, "", f'{{"A": "{huge}", "N": 1}}\n{{"A": "b", "N": 2}}\n'.encode()),
        "dataset_json": (TWO, "", _records("AN", [huge, 1], ["b", 2])),
        "parquet": (TWO, "", _columns("AN", [huge, "b"], [1, 2])),
        "hl7": (HL7, "segment: OBX", f"MSH|^~\\&|||||20200101||ORU^R01|1|P|2.5\rOBX|1|{huge}|1\rOBX|1|b|2\r".encode()),
        "vcf": (VCF, "", _vcf(tmp_path).replace(b"a0\t", huge.encode() + b"\t", 1)),
    }
    columns, table, data = makes[kind]

    done = carry_out(tmp_path, kind, columns, data, table=table)

    assert done.report.rule == ""
    assert done.treated.height + done.report.rows_held == done.report.rows_in
    assert huge in done.treated.to_series(0).to_list()

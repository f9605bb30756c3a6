"""Readers of formats beside the tools one would take otherwise, and their memory at two sizes.

    python benchmarks/formats.py [--megabytes 60] [--rounds 3] [--directory DIR]

Files are those of the examples and of the readers' tests, repeated until they are large
enough. Each way runs in a process of its own:

    xpt   Atoll's reader to zstd Parquet, beside pyreadstat reading the same file into memory
    fhir  the admission of every resource of the FHIR example under its contract (checks,
          pseudonyms, shifted dates), beside DuckDB's bare read_json to zstd Parquet
    dataset_json, vcf, hl7   carried out under a contract at one size and at four times it

Figures are the least wall and processor seconds of the rounds and the peak resident memory.
Written to benchmarks/results/formats.json. Targets: XPT at least 5 times faster than
pyreadstat, FHIR at most 1.6 times DuckDB, lake files at least 25 times smaller than FHIR
NDJSON, and at four times the size at most 1.25 times the memory. Exits 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES, DATA = HERE.parent / "examples", HERE.parent / "tests" / "readers" / "data"
RESULTS = HERE / "results" / "formats.json"
LEAST_TO_PYREADSTAT, MOST_TO_DUCKDB, LEAST_SMALLER, MOST_MEMORY = 5, 1.6, 25, 1.25
GROWN = 4

CONTRACT = """
dataset: bench
title: Bench
domains: {people: {description: People}}
tables:
  t:
    files: ['*']
    format: %s
    columns:
"""
COLUMNS = {
    "vcf": ["CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "FORMAT.GT"],
    "hl7": ["OBX-1", "OBX-2", "OBX-3", "OBX-5"],
}


def repeated(target: Path, head: bytes, body: bytes, megabytes: int) -> Path:
    """A file of `head` and `body` again and again; an existing one is used again."""
    if not target.exists():
        with target.open("wb") as out:
            out.write(head)
            for _ in range(max(1, megabytes * 1_000_000 // len(body))):
                out.write(body)
    return target


def xpt_file(directory: Path, megabytes: int) -> Path:
    from atoll.deid.readers.xpt_layout import read_member

    source = EXAMPLES / "sdtm" / "data" / "lb.xpt"
    member, data = read_member(source), source.read_bytes()
    rows = data[member.data_offset_bytes :][: member.rows * member.row_bytes]
    # 80 copies are whole records, so the file needs no filling.
    return repeated(directory / f"lb-{megabytes}.xpt", data[: member.data_offset_bytes], rows * 80, megabytes)


def fhir_files(directory: Path, megabytes: int) -> list[Path]:
    sources = sorted((EXAMPLES / "fhir" / "data").iterdir())
    whole = sum(source.stat().st_size for source in sources)
    times = max(1, megabytes * 1_000_000 // whole)
    return [repeated(directory / f"{s.stem}-{megabytes}.ndjson", b"", s.read_bytes() * times, 0) for s in sources]


def flat_file(kind: str, directory: Path, megabytes: int) -> Path:
    target = directory / f"{kind}-{megabytes}"
    if kind == "vcf":
        data = (DATA / "vcf" / "valid-4.0.vcf").read_bytes()
        at = data.index(b"\n", data.index(b"#CHROM")) + 1
        return repeated(target, data[:at], (data[at:].rstrip(b"\n") + b"\n") * 100, megabytes)
    if kind == "hl7":
        line = b"MSH|^~\\&|A|B|||20200101||ORU^R01|1|P|2.5.1\r" + b"OBX|1|NM|718-7||14.2\r" * 5
        return repeated(target, b"", line * 100, megabytes)
    head, body = (DATA / "ae.ndjson").read_bytes().split(b"\n", 1)
    body = body.rstrip(b"\n") + b"\n"
    copies = max(1, megabytes * 1_000_000 // (len(body) * 20)) * 20
    described = json.loads(head) | {"records": copies * body.count(b"\n")}
    return repeated(target, json.dumps(described).encode() + b"\n", body * 20, megabytes)


def contract_of(kind: str):
    from atoll.deid import parse_contract

    columns = COLUMNS.get(kind)
    if columns is None:
        columns = [c["name"] for c in json.loads((DATA / "ae.ndjson").open().readline())["columns"]]
    lines = "".join(f"      {name}: {{treat: keep, as: c{n}}}\n" for n, name in enumerate(columns))
    if kind == "vcf":
        lines += "      INFO: {treat: drop}\n      SAMPLE: {treat: pseudonymize, domain: people}\n"
        lines += "      FORMAT: {treat: drop}\n"
    text = CONTRACT % kind + lines
    return parse_contract(text.replace("    columns", "    segment: OBX\n    columns") if kind == "hl7" else text)


def carry_out(contract, table: str, source: Path, directory: Path) -> int:
    """Bytes of the treated file."""
    from atoll.deid import deidentify_file
    from atoll.deid.keyring import derive

    keys = {domain: derive("bench", bytes(range(32))) for domain in contract.domains}
    report = deidentify_file(contract, table, source, "x", keys, directory / "t.parquet", directory / "h.parquet")
    if report.rule or report.rows_held:
        raise SystemExit(f"{source.name}: {report.rule or report.rows_held} held")
    return report.staged.size_bytes if report.staged else 0


def work_of(way: str, directory: Path, megabytes: int) -> Callable[[], int]:
    """What is timed; it gives the bytes written."""
    import duckdb
    import polars as pl
    import pyreadstat

    from atoll.deid import parse_contract, table_for
    from atoll.deid.readers.xpt import read_xpt
    from atoll.deid.readers.xpt_layout import read_member
    from atoll.model.contract import TableContract

    out = directory / "out.parquet"
    if way == "xpt":
        source = xpt_file(directory, megabytes)
        columns = {
            v.name: {"treat": "keep", "type": "number" if v.numeric else "string"}
            for v in read_member(source).variables
        }
        table = TableContract.model_validate({"files": ["*"], "format": "xpt", "columns": columns})

        def read() -> int:
            read_xpt(source, table).rows.sink_parquet(out, compression="zstd", compression_level=1)
            return out.stat().st_size

        return read
    if way == "pyreadstat":
        source = xpt_file(directory, megabytes)
        return lambda: len(pyreadstat.read_xport(str(source), encoding="cp1252")[0])
    if way == "duckdb":
        files = fhir_files(directory, megabytes)

        def bare() -> int:
            total = 0
            for file in files:
                duckdb.sql(
                    f"COPY (SELECT * FROM read_json('{file}', format='newline_delimited', "
                    f"maximum_object_size=100000000)) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
                )
                total += out.stat().st_size
            return total

        return bare
    if way == "fhir":
        files = fhir_files(directory, megabytes)
        contract = parse_contract((EXAMPLES / "fhir" / "contract.yaml").read_text(encoding="utf-8"))
        tables = {file: table_for(contract, file.name.split(".")[0] + ".000.ndjson") for file in files}
        return lambda: sum(carry_out(contract, tables[file] or "", file, directory) for file in files)
    source, contract = flat_file(way, directory, megabytes), contract_of(way)
    assert pl.thread_pool_size() > 0
    return lambda: carry_out(contract, "t", source, directory)


def measure(way: str, directory: Path, megabytes: int) -> None:
    work = work_of(way, directory, megabytes)
    wall, cpu = time.perf_counter(), time.process_time()
    written = work()
    figures = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu, "output": written}
    figures["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(figures))


def run(way: str, directory: Path, megabytes: int, rounds: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--way", way, "--directory", str(directory), "--megabytes", str(megabytes)]
    found = []
    for _ in range(rounds):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    least = {key: min(one[key] for one in found) for key in ("seconds", "cpu_seconds", "output")}
    return {**least, "peak_bytes": max(one["peak_bytes"] for one in found)}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--megabytes", type=int, default=60)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()) / "atoll-bench-formats")
    arguments.add_argument("--way", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    if given.way:
        measure(given.way, given.directory, given.megabytes)
        return 0
    size = given.megabytes
    ways = {way: run(way, given.directory, size, given.rounds) for way in ("xpt", "pyreadstat", "fhir", "duckdb")}
    for kind in ("xpt", "dataset_json", "vcf", "hl7"):
        small = max(1, size // GROWN)
        ways[f"{kind} small"] = run(kind, given.directory, small, 1)
        ways[f"{kind} large"] = run(kind, given.directory, small * GROWN, 1)
    fhir_bytes = sum(file.stat().st_size for file in fhir_files(given.directory, size))
    ratios = {
        "pyreadstat to xpt": ways["pyreadstat"]["seconds"] / ways["xpt"]["seconds"],
        "pyreadstat to xpt, processor": ways["pyreadstat"]["cpu_seconds"] / ways["xpt"]["cpu_seconds"],
        "fhir to duckdb": ways["fhir"]["seconds"] / ways["duckdb"]["seconds"],
        "fhir ndjson to lake": fhir_bytes / ways["fhir"]["output"],
    }
    for kind in ("xpt", "dataset_json", "vcf", "hl7"):
        ratios[f"{kind} memory"] = ways[f"{kind} large"]["peak_bytes"] / ways[f"{kind} small"]["peak_bytes"]
    met = {
        "XPT": ratios["pyreadstat to xpt"] >= LEAST_TO_PYREADSTAT,
        "FHIR": ratios["fhir to duckdb"] <= MOST_TO_DUCKDB,
        "smaller": ratios["fhir ndjson to lake"] >= LEAST_SMALLER,
        "memory": all(value <= MOST_MEMORY for name, value in ratios.items() if name.endswith("memory")),
    }
    print(f"{'way':20}{'wall s':>9}{'cpu s':>9}{'peak MB':>10}")
    for way, f in ways.items():
        print(f"{way:20}{f['seconds']:9.2f}{f['cpu_seconds']:9.2f}{f['peak_bytes'] / 1e6:10.0f}")
    print("; ".join(f"{name}: {value:.2f}" for name, value in ratios.items()))
    print("; ".join(f"{target}: {'yes' if holds else 'NO'}" for target, holds in met.items()))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    body = {"megabytes": size, "cores": os.cpu_count(), "ways": ways, "ratios": ratios, "met": met}
    RESULTS.write_text(json.dumps(body, indent=2) + "\n")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

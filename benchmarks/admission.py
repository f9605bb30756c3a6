"""Admission of a 500 MB CSV, beside a bare transcode and a straightforward script.

    python benchmarks/admission.py [--megabytes 500] [--rounds 5] [--directory DIR]

The file is the observations of the Synthea example, repeated with fresh patient and
encounter ids, shuffled dates and scaled values until it is large enough. Three ways
take it to zstd Parquet, each in a process of its own, in turn, several rounds:

    bare     Polars, scan_csv to sink_parquet: no check, no treatment
    pandas   read_csv, Python's hmac for each row of two columns, one offset per patient
    atoll    the admission as the platform runs it, from the verified file to the settled
             delivery: every check, two pseudonyms, shifted dates, the lake's snapshot,
             records, audit, flow and cost

Figures are medians of wall seconds within the process (imports aside) and the peak
resident memory of the process. They are written to benchmarks/results/admission.json.
Targets: at most 1.8 times bare, pandas at least 8 times slower, peak under 1 GB. Exits 1
when one is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED_FILE = HERE.parent / "examples" / "synthea" / "data" / "observations.csv"
RESULTS = HERE / "results" / "admission.json"
WAYS = ("bare", "pandas", "atoll")
SEED = 1
MOST_TO_BARE, LEAST_TO_PANDAS, PEAK_BYTES = 1.8, 8, 1_000_000_000

CONTRACT = """
dataset: bench
title: Observations, amplified
domains:
  patients: {description: Patients of the bench}
tables:
  observations:
    files: ["observations*.csv"]
    format: csv
    subject: PATIENT
    columns:
      DATE: {treat: shift_date, type: datetime, required: true}
      PATIENT: {treat: pseudonymize, domain: patients, required: true}
      ENCOUNTER: {treat: pseudonymize, domain: patients}
      CATEGORY: {treat: keep}
      CODE: {treat: keep, required: true}
      DESCRIPTION: {treat: keep}
      VALUE: {treat: keep}
      UNITS: {treat: keep}
      TYPE: {treat: keep, values: [numeric, text]}
"""


def amplify(target: Path, megabytes: int) -> None:
    """Write the file, the same for the same seed and size; an existing one is used again."""
    import numpy as np
    import polars as pl

    if target.exists():
        return
    base = pl.read_csv(SEED_FILE, infer_schema=False)
    random = np.random.default_rng(SEED)
    part = target.with_suffix(".part")
    with part.open("wb") as out:
        while out.tell() < megabytes * 1_000_000:
            header = out.tell() == 0
            shifts = pl.Series(random.integers(-30_000_000, 30_000_000, base.height))
            scales = pl.Series(random.uniform(0.8, 1.2, base.height))
            base.with_columns(
                *(pl.col(c).replace_strict(_fresh(base[c].unique(maintain_order=True), random)) for c in _IDS),
                (pl.col("DATE").str.to_datetime(_DATE) + pl.duration(seconds=shifts)).dt.strftime(_DATE),
                pl.when(pl.col("TYPE") == "numeric")
                .then((pl.col("VALUE").cast(pl.Float64, strict=False) * scales).round(1).cast(pl.String))
                .otherwise("VALUE")
                .alias("VALUE"),
            ).write_csv(out, include_header=header)
    part.rename(target)


_IDS = ("PATIENT", "ENCOUNTER")
_DATE = "%Y-%m-%dT%H:%M:%SZ"


def _fresh(ids, random) -> dict[str, str]:
    text = random.bytes(16 * len(ids)).hex()
    cuts = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
    fresh = ("-".join(text[at + a : at + b] for a, b in cuts) for at in range(0, len(text), 32))
    return dict(zip(ids, fresh, strict=True))


def run_bare(source: Path, directory: Path):
    import polars as pl

    def work() -> Path:
        out = directory / "out.parquet"
        pl.scan_csv(source).sink_parquet(out, compression="zstd")
        return out

    return work


def run_pandas(source: Path, directory: Path):
    import pandas as pd

    key, offset_key = b"k" * 64, b"o" * 64

    def pseudonym(text: str) -> str:
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]

    def offset(text: str) -> int:
        number = int(hmac.new(offset_key, text.encode(), hashlib.sha256).hexdigest()[:15], 16) % 730
        return number - 365 + (number >= 365)

    def work() -> Path:
        frame = pd.read_csv(source, dtype=str)
        offsets = {patient: offset(patient) for patient in frame["PATIENT"].unique()}
        days = pd.to_timedelta(frame["PATIENT"].map(offsets), unit="D")
        frame["DATE"] = pd.to_datetime(frame["DATE"], utc=True) + days
        for column in _IDS:
            frame[column] = frame[column].map(pseudonym)
        out = directory / "out.parquet"
        frame.to_parquet(out, compression="zstd")
        return out

    return work


def run_atoll(source: Path, directory: Path):
    from atoll.flows import admit_delivery, receive_delivery, review_contract
    from atoll.model.dataset import DatasetVersion
    from atoll.model.delivery import ManifestFile
    from atoll.model.person import Caller, Role, Source, SubjectKind
    from atoll.operations.live import with_step
    from atoll.ports.records import Put
    from atoll.settings import Settings
    from atoll.wiring import platform

    rooms = platform.build(Settings(home=directory / "home", query_workers=0))
    author, reviewer = (
        Caller(subject_kind=SubjectKind.PERSON, subject_id=f"per_{name}", name=name, roles=frozenset({Role.STEWARD}))
        for name in ("author", "reviewer")
    )
    contract = review_contract.approve(rooms, reviewer, review_contract.propose(rooms, author, CONTRACT).id)
    lab = Source(id="src_lab", name="lab", title="", datasets=frozenset({"bench"}), created_at=rooms.clock.now())
    rooms.records.put(lab)
    caller = Caller(subject_kind=SubjectKind.SOURCE, subject_id=lab.id, name=lab.name)
    # Verified before: its hash is not taken again, here or in the admission.
    file = ManifestFile(name=source.name, size_bytes=source.stat().st_size, sha256="0" * 64)
    delivery, _ = receive_delivery.open_delivery(rooms, caller, "lab", "bench", (file,))
    landed = rooms.landing.path(delivery, 0)
    landed.parent.mkdir(parents=True)
    landed.hardlink_to(source)
    operation = with_step(
        admit_delivery.plan(rooms, caller, delivery),
        "verify",
        done=True,
        output={"contract": contract.id, "seconds": 0},
    )
    submitted = delivery.but(submitted_at=rooms.clock.now(), operation_id=operation.id)
    rooms.records.transact([Put(operation), Put(submitted)])
    runner = platform.runner(rooms)

    def work() -> Path:
        runner.run_open()
        view = receive_delivery.show(rooms, caller, delivery.id)
        assert view.state.value == "committed", view
        (table,) = rooms.records.get(DatasetVersion, "bench@1").tables
        (out,) = rooms.lake.plan("bench", "observations", table.snapshot_id).files
        return Path(out.path)

    return work


def measure(way: str, source: Path, directory: Path) -> None:
    """Run one way in this process and print its figures as JSON."""
    work = {"bare": run_bare, "pandas": run_pandas, "atoll": run_atoll}[way](source, directory)
    start, cpu = time.perf_counter(), time.process_time()
    out = work()
    figures = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "output_bytes": out.stat().st_size,
    }
    print(json.dumps(figures))


def run(way: str, source: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=source.parent) as directory:
        command = [sys.executable, __file__, "--way", way, "--source", str(source), "--directory", directory]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--megabytes", type=int, default=500)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--pandas-rounds", type=int, default=2, help="the slow way is run less often")
    arguments.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()) / "atoll-bench")
    arguments.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.way:
        measure(given.way, given.source, given.directory)
        return 0
    given.directory.mkdir(parents=True, exist_ok=True)
    source = given.directory / f"observations-{given.megabytes}.csv"
    amplify(source, given.megabytes)
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(given.rounds):
        for way in WAYS:
            if way != "pandas" or number < given.pandas_rounds:
                runs[way].append(run(way, source))
    return 0 if report(source, runs) else 1


def report(source: Path, runs: dict[str, list[dict[str, float]]]) -> bool:
    """Print the table and write the JSON; whether every target was met."""
    figures = {
        way: {
            "rounds": len(rounds),
            "seconds": statistics.median(r["seconds"] for r in rounds),
            "cpu_seconds": statistics.median(r["cpu_seconds"] for r in rounds),
            "peak_bytes": max(r["peak_bytes"] for r in rounds),
            "output_bytes": rounds[-1]["output_bytes"],
            "all_seconds": [round(r["seconds"], 3) for r in rounds],
        }
        for way, rounds in runs.items()
    }
    atoll, bare, pandas = (figures[way]["seconds"] for way in ("atoll", "bare", "pandas"))
    print(f"{source.stat().st_size / 1e6:.0f} MB of CSV, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'way':8}{'wall s':>9}{'cpu s':>9}{'peak MB':>10}{'out MB':>9}{'x bare':>9}")
    for way, f in figures.items():
        print(
            f"{way:8}{f['seconds']:9.2f}{f['cpu_seconds']:9.2f}{f['peak_bytes'] / 1e6:10.0f}"
            f"{f['output_bytes'] / 1e6:9.1f}{f['seconds'] / bare:9.2f}"
        )
    ratios = {"atoll_to_bare": atoll / bare, "pandas_to_atoll": pandas / atoll}
    print(f"atoll takes {ratios['atoll_to_bare']:.2f} times the bare transcode; ", end="")
    print(f"pandas takes {ratios['pandas_to_atoll']:.1f} times atoll")
    met = {
        f"at most {MOST_TO_BARE} times bare": ratios["atoll_to_bare"] <= MOST_TO_BARE,
        f"pandas at least {LEAST_TO_PANDAS} times slower": ratios["pandas_to_atoll"] >= LEAST_TO_PANDAS,
        "peak under 1 GB": figures["atoll"]["peak_bytes"] < PEAK_BYTES,
    }
    print("; ".join(f"{target}: {'yes' if holds else 'NO'}" for target, holds in met.items()))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    body = {
        "input_bytes": source.stat().st_size,
        "cores": os.cpu_count(),
        "ways": figures,
        "ratios": ratios,
        "met": met,
    }
    RESULTS.write_text(json.dumps(body, indent=2) + "\n")
    return all(met.values())


if __name__ == "__main__":
    sys.exit(main())

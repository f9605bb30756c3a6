"""The risk report on ten million rows and six quasi-identifiers: wall and CPU seconds, peak memory.

    .venv/bin/python benchmarks/risk.py

Rows lie in ten Parquet files as an admission writes them, each row about a person of its own.
Twice: with ages in bands of five, and places and years as coarse, as a contract would have them
(some 16,000 groups), and with everything fine, so that nearly every person is alone (the worst case).
Written to benchmarks/results/risk.json. Target: under 10 seconds each. Exits 1 when one is missed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from atoll.deid.risk import RiskColumns, table_risk
from atoll.model.contract import RiskPolicy

RESULTS = Path(__file__).resolve().parent / "results" / "risk.json"
ROWS = 10_000_000
MOST_SECONDS = 10
_FILES = 10
_QUASI = ("age", "sex", "race", "place", "year", "ethnic")


def make(directory: Path, *, fine: bool) -> None:
    """Write the table."""
    random = np.random.default_rng(17)
    size = ROWS // _FILES
    for number in range(_FILES):
        low = number * size
        frame = pl.DataFrame(
            {
                "subject": np.arange(low, low + size),
                "age": random.integers(0, 91 if fine else 19, size),
                "sex": random.integers(0, 2, size),
                "race": random.integers(0, 6, size),
                "place": random.integers(0, 300 if fine else 3, size),
                "year": random.integers(1930, 2010 if fine else 1938, size),
                "ethnic": random.integers(0, 3, size),
            }
        )
        texts = [pl.format("{}-text", name).alias(name) for name in ("sex", "race", "place", "ethnic")]
        subject = pl.col("subject").hash().cast(pl.String).str.pad_start(32, "a")
        frame.with_columns(subject, *texts).write_parquet(
            directory / f"{number}.parquet", compression="zstd", row_group_size=32_768
        )


def measure(directory: Path) -> dict[str, float]:
    """One report, in a process of its own."""
    columns = RiskColumns("people", RiskPolicy(quasi_identifiers=_QUASI), _QUASI, (), "subject")
    wall, cpu = time.perf_counter(), time.process_time()
    risk = table_risk(pl.scan_parquet(directory / "*.parquet"), columns)
    assert risk.people == ROWS
    return {
        "groups": risk.groups,
        "seconds": round(time.perf_counter() - wall, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
    }


def main() -> int:
    """Both tables, as JSON lines."""
    found = {}
    for kind in ("coarse", "fine"):
        with tempfile.TemporaryDirectory() as place:
            make(Path(place), fine=kind == "fine")
            done = subprocess.run([sys.executable, __file__, place], check=True, capture_output=True, text=True)
        found[kind] = json.loads(done.stdout)
        print(json.dumps({"table": kind, **found[kind]}))
    met = {kind: figures["seconds"] < MOST_SECONDS for kind, figures in found.items()}
    print("; ".join(f"{kind} under {MOST_SECONDS} s: {'yes' if holds else 'NO'}" for kind, holds in met.items()))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    body = {"rows": ROWS, "cores": os.cpu_count(), "tables": found, "met": met}
    RESULTS.write_text(json.dumps(body, indent=2) + "\n")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]))))
    else:
        sys.exit(main())

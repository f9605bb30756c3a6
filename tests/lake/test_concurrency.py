"""Several processes and threads commit to one table at once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog

PROCESS = textwrap.dedent("""
    import sys, importlib.util
    from pathlib import Path
    spec = importlib.util.spec_from_file_location("crash_commit", sys.argv[1])
    script = importlib.util.module_from_spec(spec); spec.loader.exec_module(script)
    home, deliveries, grown = Path(sys.argv[2]), sys.argv[3].split(","), sys.argv[4] == "grown"
    schema = script.GROWN if grown else script.SCHEMA
    lake = script.open_lake(home)
    print("ready", flush=True); sys.stdin.readline()
    for delivery in deliveries:
        lake.commit(schema, script.stage(lake, delivery, schema), delivery_id=delivery, contract="clinic@1")
""")


def commit_at_once(home: Path, *jobs: tuple[str, str]) -> None:
    home.mkdir()
    script = str(Path(__file__).with_name("crash_commit.py"))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, script, str(home), deliveries, shape],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for deliveries, shape in jobs
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


def deliveries_and_rows(home: Path) -> tuple[list[str], int]:
    catalog = SqlCatalog("atoll", uri=f"sqlite:///{home / 'catalog.db'}", warehouse=str(home))
    table = catalog.load_table(("clinic", "vitals"))
    subjects = table.scan().to_arrow()["subject"].to_pylist()
    assert len(subjects) == len(set(subjects))
    return sorted(s.summary["atoll.delivery"] for s in table.snapshots()), len(subjects)


def test_two_processes_with_different_deliveries_both_land(tmp_path):
    mine, yours = [f"dlv_a{n}" for n in range(8)], [f"dlv_b{n}" for n in range(8)]
    commit_at_once(tmp_path / "lake", (",".join(mine), "plain"), (",".join(yours), "grown"))
    assert deliveries_and_rows(tmp_path / "lake") == (sorted(mine + yours), 96)


def test_two_processes_with_the_same_deliveries_land_them_once(tmp_path):
    same = [f"dlv_s{n}" for n in range(8)]
    commit_at_once(tmp_path / "lake", (",".join(same), "plain"), (",".join(same), "plain"))
    assert deliveries_and_rows(tmp_path / "lake") == (sorted(same), 48)


def test_threads_of_one_lake_all_land(lake, stage, rows, vitals):
    names = [f"dlv_t{n}" for n in range(6)]
    files = {name: stage(name, rows(f"{name}-1", f"{name}-2")) for name in names}
    with ThreadPoolExecutor(6) as pool:
        states = list(
            pool.map(
                lambda name: lake.commit(vitals, [files[name]], delivery_id=name, contract="clinic@1"),
                names,
            )
        )
    assert len({state.snapshot_id for state in states}) == 6
    assert lake.table_state("clinic", "vitals").rows == 12

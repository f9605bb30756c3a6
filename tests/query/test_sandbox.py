"""What the kernel forbids a query process, were guard and engine both broken through."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

PROBE = textwrap.dedent("""
    import ctypes, json, os, socket, subprocess, sys, threading
    from pathlib import Path
    from atoll.query.sandbox import restrict
    home, outside = Path(sys.argv[1]), Path(sys.argv[2])
    version = restrict(home)

    def allowed(action):
        try:
            action()
            return True
        except PermissionError:
            return False

    def connect():
        try:
            socket.create_connection(("127.0.0.1", 1), timeout=1)
        except ConnectionRefusedError:
            pass

    def copy_over():
        import duckdb
        try:
            duckdb.connect().execute(f"COPY (SELECT 1) TO '{outside / 'data.parquet'}'")
        except duckdb.IOException:
            raise PermissionError from None

    told = {"version": version}
    def probe():
        told.update({
            "write at home": allowed(lambda: (home / "spill").write_text("x")),
            "remove at home": allowed(lambda: (home / "spill").unlink()),
            "read": allowed(lambda: (outside / "data.parquet").read_bytes()),
            "overwrite": allowed(lambda: (outside / "data.parquet").open("r+b").close()),
            "truncate": allowed(lambda: os.truncate(outside / "data.parquet", 0)),
            "create": allowed(lambda: (outside / "new").write_text("x")),
            "remove": allowed(lambda: (outside / "data.parquet").unlink()),
            "make a directory": allowed(lambda: (outside / "new").mkdir()),
            "copy over by the engine": allowed(copy_over),
            "run a program": allowed(lambda: subprocess.run(["/bin/true"])),
            "connect": allowed(connect),
            "signal": allowed(lambda: os.kill(os.getppid(), 0)),
        })
    thread = threading.Thread(target=probe)
    thread.start()
    thread.join()
    print(json.dumps(told))
""")


def test_a_confined_process_writes_runs_and_reaches_nothing_outside(tmp_path):
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (outside / "data.parquet").write_bytes(b"data")
    run = subprocess.run(
        [sys.executable, "-c", PROBE, str(home), str(outside)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    version = told.pop("version")
    if version == 0:
        pytest.skip("this kernel has no Landlock")
    allowed = {"write at home", "remove at home", "read"}
    since = {"truncate": 3, "connect": 4, "signal": 6}
    assert {name for name, was in told.items() if was and version >= since.get(name, 1)} == allowed
    assert (outside / "data.parquet").read_bytes() == b"data"

"""Query processes are copies of one that has loaded the engine: whole, confined, and soon there."""

from __future__ import annotations

import json
import os
import signal
import textwrap
import time
from pathlib import Path

import pytest

from atoll.errors import Unavailable
from atoll.query import QueryEngine, birth

LONG_RESULT = "SELECT * FROM range(100000000000)"

#: The nursery as it is, but for what a copy does when it would open the engine: it tells what it may.
PROBE = textwrap.dedent("""
    import json, os, random, subprocess, sys, threading
    from pathlib import Path
    from atoll.query import nursery, worker

    def allowed(action):
        try:
            action()
            return True
        except PermissionError:
            return False

    def tell():
        print(json.dumps({
            "write at home": allowed(lambda: Path("spill").write_text("x")),
            "write elsewhere": allowed(lambda: Path("../elsewhere").write_text("x")),
            "run a program": allowed(lambda: subprocess.run(["/bin/true"])),
            "opened": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1],
            "threads": len(os.listdir("/proc/self/task")),
            "environment": dict(os.environ),
            "chance": random.random(),
        }), flush=True)
        os._exit(7)

    worker.open_engine = tell
    nursery.main()
""")
#: A nursery in which somebody's import started a thread.
THREADED = textwrap.dedent("""
    import threading, time
    from atoll.query import nursery
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    nursery.main()
""")


@pytest.fixture
def nursery():
    nursery = birth.Nursery()
    yield nursery
    nursery.close()


def ended(born: birth.Born) -> int | None:
    code = born.wait(20)
    born.stdin.close()
    born.stdout.close()
    return code


def answer(engine: QueryEngine, limits) -> list[dict]:
    with engine.run("SELECT 42 AS n", [], limits) as run:
        return [row for batch in run for row in batch.to_pylist()]


def test_a_copy_is_confined_and_shares_nothing_that_is_open(nursery, tmp_path, monkeypatch):
    monkeypatch.setenv("ATOLL_MASTER_KEY", "f" * 64)
    monkeypatch.setattr(birth, "_PROGRAM", ("-I", "-c", PROBE))
    told = []
    for name in ("one", "two"):
        home = tmp_path / name
        home.mkdir()
        born = nursery.bear(home)
        told.append(json.loads(born.stdout.readline()))
        assert ended(born) == 7
        assert told[-1]["write at home"]
        assert not told[-1]["write elsewhere"]
        assert not told[-1]["run a program"]
        assert told[-1]["opened"] == [0, 1, 2]
        assert told[-1]["threads"] == 1
        assert told[-1]["environment"]["HOME"] == str(home)
        assert not [variable for variable in told[-1]["environment"] if variable.startswith("ATOLL")]
    assert told[0]["chance"] != told[1]["chance"]


def test_the_nursery_is_one_thread_and_opens_no_data(engine, limits):
    assert answer(engine, limits) == [{"n": 42}]
    proc = Path(f"/proc/{engine._pool._nursery.pid}")
    assert len(list((proc / "task").iterdir())) == 1
    opened = [os.readlink(link) for link in (proc / "fd").iterdir()]  # noqa: PTH115
    assert not [name for name in opened if name.startswith("/") and name != "/dev/null"]


def test_no_copy_is_made_of_a_nursery_with_another_thread(tmp_path, limits, monkeypatch):
    monkeypatch.setattr(birth, "_PROGRAM", ("-I", "-c", THREADED))
    engine = QueryEngine(workers=1, concurrency=1, temp_dir=tmp_path)
    try:
        with pytest.raises(Unavailable, match="No query process can be started"):
            answer(engine, limits)
        assert list(tmp_path.iterdir()) == []
    finally:
        engine.close()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_nursery_is_made_anew_and_only_what_it_bore_ends(tmp_path, limits, monkeypatch, blow):
    monkeypatch.setattr(birth, "_ANSWER_SECONDS", 3.0)
    engine = QueryEngine(workers=1, concurrency=2, temp_dir=tmp_path)
    try:
        with engine.run(LONG_RESULT, [], limits.but(max_rows=10**12)) as run:
            next(batches := iter(run))
            assert engine.wait_ready(20)
            lost = engine._pool._nursery.pid
            os.kill(lost, blow)
            if blow == signal.SIGKILL:
                # The kernel ends one after the other; a spare may be the last.
                spares = list(engine._pool._spares)
                assert all(spare._process.wait(10) is not None for spare in spares)
                with pytest.raises(Unavailable, match="ended unexpectedly"):
                    list(batches)
        # The first may still be answered by a spare of the stopped one.
        assert [answer(engine, limits) for _ in range(3)] == [[{"n": 42}]] * 3
        assert engine._pool._nursery.pid != lost
    finally:
        engine.close()
    assert list(tmp_path.iterdir()) == []


def test_a_query_process_is_born_quickly(engine, limits):
    """None was kept warm for it: a copy of what is loaded already, not a start of an interpreter."""
    assert answer(engine, limits) == [{"n": 42}]
    spent = []
    for _ in range(5):
        with engine._pool._change:
            for spare in engine._pool._spares:
                spare.close()
            engine._pool._spares.clear()
        start = time.monotonic()
        assert answer(engine, limits) == [{"n": 42}]
        spent.append(time.monotonic() - start)
    assert min(spent) < 0.3

"""Queries in processes of their own: results, limits, crashes, cancelling, and what the process can see."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from atoll.errors import Conflict, InvalidInput, LimitExceeded, StatementRefused, Unavailable
from atoll.query import QueryEngine, process

spec = importlib.util.spec_from_file_location("escapes", Path(__file__).with_name("escapes.py"))
escapes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(escapes)

FOREVER = "SELECT count(*) FROM range(1000000000000)"
LONG_RESULT = "SELECT * FROM range(1000000000)"


def gone(pid: int, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def count(engine: QueryEngine, limits) -> int:
    with engine.run("SELECT 42 AS n", [], limits) as run:
        return next(iter(run)).to_pylist()[0]["n"]


def test_a_query_gives_schema_batches_and_figures(engine, relations, visits, limits):
    sql = "SELECT subject, weight FROM clinic.visits ORDER BY weight DESC NULLS LAST"
    with engine.run(sql, relations, limits) as run:
        assert run.schema == pa.schema([("subject", pa.string()), ("weight", pa.float64())])
        assert run.relations == (visits,)
        with pytest.raises(InvalidInput):
            _ = run.stats
        read = [row for batch in run for row in batch.to_pylist()]
    assert [row["weight"] for row in read] == [81.0, 71.5, 70.5, None]
    assert run.stats.rows == 4
    assert run.stats.relations == ("clinic.visits",)
    assert run.stats.scanned_bytes == sum(file.size_bytes for file in visits.files)
    assert 0 < run.stats.seconds < 20


def test_a_result_without_rows_has_its_columns(engine, relations, limits):
    with engine.run("SELECT id FROM clinic.labs WHERE false", relations, limits) as run:
        assert run.schema.names == ["id"]
        assert sum(batch.num_rows for batch in run) == 0
    assert run.stats.rows == 0


def test_joins_pivots_and_descriptions_come_through(rows):
    joined = rows("SELECT v.subject, l.code FROM clinic.visits v JOIN clinic.labs l USING (id) ORDER BY 1, 2")
    assert [(row["subject"], row["code"]) for row in joined] == [("p1", "NA"), ("p1", "NA"), ("p2", "K"), ("p3", "GLU")]
    assert rows("PIVOT clinic.labs ON code IN ('NA', 'K') USING count(*) GROUP BY day ORDER BY day")[0]["NA"] == 1
    assert [row["column_name"] for row in rows("DESCRIBE clinic.visits")] == [
        "id",
        "subject",
        "weight",
        "day",
        "seen_at",
    ]
    assert rows("SELECT 1;") == [{"1": 1}]
    assert (
        rows("SELECT 'a'::ENUM('a', 'b') AS e, sum(id) AS s, seen_at FROM clinic.visits GROUP BY ALL HAVING s = 3")[0][
            "e"
        ]
        == "a"
    )


def test_times_are_utc(rows):
    assert rows("SELECT seen_at::VARCHAR AS t FROM clinic.visits WHERE id = 3") == [{"t": "2020-01-04 12:00:00+00"}]


def test_refusals_come_as_refusals(engine, relations, limits):
    for sql in (
        "SELECT 1; SELECT 2",
        "FROM clinic.absent",
        "FROM read_text('/etc/passwd')",
        "SELECT '" + "x" * 200_000 + "'",
    ):
        with pytest.raises(StatementRefused):
            engine.run(sql, relations, limits)


def test_the_result_streams(engine, limits):
    wide = limits.but(max_rows=10**12, seconds=60.0)
    start = time.monotonic()
    with engine.run(LONG_RESULT, [], wide) as run:
        batches = iter(run)
        assert next(batches).num_rows < 200_000
        assert next(batches).num_rows < 200_000
        pid = run._process.pid
    assert time.monotonic() - start < 5
    assert gone(pid)


def test_too_many_rows_are_an_error_not_a_cut_result(engine, limits):
    few = limits.but(max_rows=100)
    with engine.run("SELECT * FROM range(100)", [], few) as run:
        assert sum(batch.num_rows for batch in run) == 100
    with engine.run("SELECT * FROM range(101)", [], few) as run, pytest.raises(LimitExceeded, match="100 rows"):
        list(run)


def test_a_query_over_its_time_is_killed(engine, limits):
    start = time.monotonic()
    with (
        pytest.raises(LimitExceeded, match=r"longer than 0\.5 s"),
        engine.run(FOREVER, [], limits.but(seconds=0.5)) as run,
    ):
        list(run)
    assert time.monotonic() - start < 3
    assert count(engine, limits) == 42


def test_what_is_killed_at_a_limit_harms_no_neighbour(engine, limits):
    with engine.run("SELECT i FROM range(90000) t(i)", [], limits) as neighbour:
        batches = iter(neighbour)
        read = next(batches).num_rows
        for sql, less in (
            (FOREVER, {"seconds": 0.5}),
            ("SELECT list(i) FROM range(100000000) t(i)", {"memory_bytes": 64 * 2**20}),
            (LONG_RESULT, {"max_rows": 10}),
        ):
            with pytest.raises(LimitExceeded), engine.run(sql, [], limits.but(**less)) as run:
                list(run)
        assert read + sum(batch.num_rows for batch in batches) == 90_000


@pytest.mark.parametrize(
    "name", ["read_text", "attach", "duckdb_views as view", "getenv", "10,000 CASE", "absent table"]
)
def test_an_escape_is_refused_by_run_and_plan_alike(engine, relations, limits, name):
    sql = (escapes.OUTSIDE | escapes.AROUND)[name]
    told = []
    for attempt in (engine.run, engine.explain):
        with pytest.raises(StatementRefused) as caught:
            attempt(sql, relations, limits)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_a_result_over_its_time_is_killed(engine, limits):
    assert engine.wait_ready(20)
    with (
        pytest.raises(LimitExceeded, match="longer than"),
        engine.run(LONG_RESULT, [], limits.but(seconds=1.0, max_rows=10**12)) as run,
    ):
        for _ in run:
            time.sleep(0.05)
    assert gone(run._process.pid)


def test_a_query_over_its_memory_is_told(engine, limits):
    small = limits.but(memory_bytes=64 * 2**20)
    with (
        pytest.raises(LimitExceeded, match="memory"),
        engine.run("SELECT list(i) FROM range(100000000) t(i)", [], small) as run,
    ):
        list(run)
    assert count(engine, limits) == 42


def test_a_process_over_its_memory_is_killed(engine, limits, monkeypatch):
    monkeypatch.setattr(process, "MEMORY_SLACK_BYTES", -limits.memory_bytes)
    with pytest.raises(LimitExceeded, match="memory"), engine.run(FOREVER, [], limits) as run:
        list(run)


def test_a_process_that_the_system_kills_counts_as_out_of_memory(engine, limits):
    wide = limits.but(max_rows=10**12)
    with engine.run(LONG_RESULT, [], wide) as run:
        batches = iter(run)
        next(batches)
        os.kill(run._process.pid, signal.SIGKILL)
        with pytest.raises(LimitExceeded, match="memory"):
            list(batches)
    assert count(engine, limits) == 42


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
def test_a_crash_is_told_and_the_next_query_works(engine, limits, how):
    wide = limits.but(max_rows=10**12)
    with engine.run(LONG_RESULT, [], wide) as run:
        batches = iter(run)
        next(batches)
        os.kill(run._process.pid, how)
        with pytest.raises(Unavailable, match="ended unexpectedly"):
            list(batches)
    assert count(engine, limits) == 42


def test_a_spare_that_died_is_not_used(engine, limits):
    assert engine.wait_ready(20)
    os.kill(engine._pool._spares[0].pid, signal.SIGKILL)
    time.sleep(0.2)
    assert count(engine, limits) == 42


def test_cancelling_kills_the_query(engine, limits):
    with engine.run(LONG_RESULT, [], limits.but(max_rows=10**12)) as run:
        threading.Timer(0.3, run.cancel).start()
        with pytest.raises(Conflict, match="cancelled"):
            list(run)
    assert gone(run._process.pid)
    assert count(engine, limits) == 42


def test_leaving_early_kills_the_query_and_gives_its_place_back(tmp_path, limits):
    engine = QueryEngine(workers=1, concurrency=1, temp_dir=tmp_path)
    try:
        for _ in range(3):
            with engine.run(LONG_RESULT, [], limits.but(max_rows=10**12)) as run:
                next(iter(run))
            assert gone(run._process.pid)
        with pytest.raises(StatementRefused):
            engine.run("SELECT", [], limits)
        assert count(engine, limits) == 42
    finally:
        engine.close()


def test_queries_over_the_number_wait_their_turn(tmp_path, limits):
    engine = QueryEngine(workers=1, concurrency=1, temp_dir=tmp_path)
    try:
        with ThreadPoolExecutor(1) as pool:
            with engine.run(LONG_RESULT, [], limits.but(max_rows=10**12)):
                with pytest.raises(Unavailable, match="Too many"):
                    engine.run("SELECT 1", [], limits.but(seconds=0.3))
                waiting = pool.submit(count, engine, limits)
                time.sleep(0.3)
                assert not waiting.done()
            assert waiting.result(timeout=20) == 42
    finally:
        engine.close()


def test_many_queries_at_once_each_get_their_own_result(engine, limits):
    def one(number: int) -> int:
        with engine.run(f"SELECT {number} AS n", [], limits) as run:
            return next(iter(run)).to_pylist()[0]["n"]

    # From threads that end before the engine does: a process must not die with the thread that asked for it.
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(8))) == list(range(8))
    assert count(engine, limits) == 42


def test_a_query_may_spill_within_its_own_directory_which_goes_with_it(tmp_path, relations, limits):
    engine = QueryEngine(workers=1, concurrency=1, temp_dir=tmp_path / "engine")
    try:
        small = limits.but(memory_bytes=128 * 2**20)
        hashes = "SELECT sha256(i::VARCHAR) AS h FROM range(3000000) t(i)"
        sql = f"SELECT count(*) AS n FROM ({hashes} ORDER BY h LIMIT 2999999)"
        with engine.run(sql, relations, small) as run:
            assert next(iter(run)).to_pylist() == [{"n": 2_999_999}]
    finally:
        engine.close()
    assert list((tmp_path / "engine").iterdir()) == []


def test_a_process_sees_no_secret_and_prints_nowhere(tmp_path, limits, monkeypatch):
    monkeypatch.setenv("ATOLL_MASTER_KEY", "f" * 64)
    engine = QueryEngine(workers=1, concurrency=1, temp_dir=tmp_path)
    try:
        with engine.run(LONG_RESULT, [], limits.but(max_rows=10**12)) as run:
            proc = Path(f"/proc/{run._process.pid}")
            assert b"ATOLL" not in (proc / "environ").read_bytes()
            assert (proc / "fd" / "2").readlink() == Path("/dev/null")
            opened = {str(link.readlink()) for link in (proc / "fd").iterdir()}
            assert not [name for name in opened if name.startswith("socket:")]
            assert (proc / "cwd").readlink().stat().st_mode & 0o777 == 0o700
            assert os.getsid(run._process.pid) == run._process.pid
            told = (proc / "limits").read_text()
            assert "Max core file size        0" in told
            status = (proc / "status").read_text()
            assert "NoNewPrivs:\t1" in status
    finally:
        engine.close()


def test_processes_die_with_the_platform(tmp_path):
    script = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from atoll.model.query import QueryLimits
        from atoll.query import QueryEngine
        engine = QueryEngine(workers=1, concurrency=2, temp_dir=Path(sys.argv[1]))
        run = engine.run("SELECT * FROM range(100000000000)", [],
                         QueryLimits(memory_bytes=2**28, seconds=60, max_rows=10**12, threads=1))
        assert engine.wait_ready(20)
        print(run._process.pid, engine._pool._spares[0].pid, flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    assert all(gone(pid) for pid in pids)


def test_a_closed_engine_says_so(tmp_path, limits):
    engine = QueryEngine(workers=1, concurrency=1, temp_dir=tmp_path)
    run = engine.run(LONG_RESULT, [], limits.but(max_rows=10**12))
    spares = [spare.pid for spare in engine._pool._spares]
    engine.close()
    engine.close()
    assert all(gone(pid) for pid in [run._process.pid, *spares])
    with pytest.raises(Unavailable, match="closed"):
        engine.run("SELECT 1", [], limits)
    assert list(tmp_path.iterdir()) == []


def test_directories_of_a_killed_platform_go_at_the_next_start(tmp_path):
    stale, standing = tmp_path / "query-4194305-abc", tmp_path / f"query-{os.getpid()}-abc"
    for home in (stale, standing):
        home.mkdir()
        (home / "spill").write_text("x")
    QueryEngine(workers=1, concurrency=1, temp_dir=tmp_path).close()
    assert [home.name for home in tmp_path.iterdir()] == [standing.name]


def test_no_descriptor_is_left_behind(engine, limits):
    count(engine, limits)
    assert engine.wait_ready(20)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(3):
        count(engine, limits)
        with pytest.raises(StatementRefused):
            engine.run("nonsense", [], limits)
        assert engine.wait_ready(20)
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208

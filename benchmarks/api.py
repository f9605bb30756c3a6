"""The HTTP API under mixed reads.

    python benchmarks/api.py [--rate 200] [--seconds 20]

A platform with a lake, grants, kept results and history serves in a process of its own,
as `atoll up` does; this process asks it so many requests a second, evenly spaced, by
twenty callers, whether the answers keep up or not. The time of a request runs from when
it was due. Target: p99 below 100 ms at 200 requests a second on two cores, and no
failure. Exits 1 when it is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil
import uvicorn
from rich.console import Console
from rich.table import Table

from atoll.access import tokens
from atoll.api import create_app
from atoll.flows import run_query_queued
from atoll.model.person import Caller, Person, Project, Role, SubjectKind
from atoll.model.record import new_id
from atoll.ports.records import Put
from atoll.settings import Settings
from atoll.wiring import platform as wiring
from atoll.wiring.up import spare_standing_objects

RESULTS = Path(__file__).parent / "results" / "api.json"
P99_MS = 100.0
PEOPLE = 20


def serve(home: Path) -> None:
    """The platform: fill it, tell how to ask, serve until stdin ends."""
    from benchmarks.query import OBSERVATIONS, SUBJECTS, commit, grant, observations, subjects

    rooms = wiring.build(Settings(home=home, query_workers=1))
    frames = [observations(100_000, seed) for seed in range(4)]
    grant(rooms, (commit(rooms.lake, OBSERVATIONS, frames), commit(rooms.lake, SUBJECTS, [subjects()])))
    now = rooms.clock.now()
    project = next(iter(rooms.records.find(Project, limit=1).records))
    people = [
        Person(id=new_id("per"), login=f"p{n}", display_name="", roles=frozenset({Role.SCIENTIST}), created_at=now)
        for n in range(PEOPLE)
    ]
    rooms.records.put(project.but(members=frozenset(person.id for person in people)))
    secrets = []
    for person in people:
        token, secret = tokens.mint(
            subject_kind=SubjectKind.PERSON,
            subject_id=person.id,
            label="bench",
            now=now,
            expires_at=now.replace(year=now.year + 1),
        )
        rooms.records.transact([Put(person), Put(token)])
        secrets.append(secret)
    me = Caller(subject_kind=SubjectKind.PERSON, subject_id=people[0].id, name="p0", roles=frozenset({Role.SCIENTIST}))
    runner = wiring.query_runner(rooms)
    kept = [
        run_query_queued.ask(rooms, me, "bench", f"select * from bench.observations limit {20_000 + n}").id
        for n in range(30)
    ]
    runner.run_open()
    rooms.engine.wait_ready(60)
    server = uvicorn.Server(uvicorn.Config(create_app(rooms), port=0, log_config=None, access_log=False))

    spare_standing_objects()

    async def main() -> None:
        serving = asyncio.ensure_future(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        print(json.dumps({"url": f"http://127.0.0.1:{port}/api/v1", "tokens": secrets, "kept": kept}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        server.should_exit = True
        await serving

    asyncio.run(main())
    wiring.close(rooms)


def paths(kept: list[str]) -> list[str]:
    """What pages ask for, in the rhythm of people who look around."""
    return [
        "/me",
        "/projects",
        "/datasets",
        "/datasets/bench",
        "/datasets/bench/versions",
        "/grants?project=bench",
        "/queries?project=bench&limit=20",
        f"/queries/{kept[0]}",
        f"/queries/{kept[1]}/rows?offset=10000&limit=100",
        f"/queries/{kept[2]}/rows?offset=500&limit=1000",
        "/projects/bench/relations",
        "/saved-queries?project=bench",
        "/workspaces",
        "/products",
        "/budgets",
        "/costs?by=user",
        "/flows?dataset=bench&limit=20",
    ]


async def ask(told: dict, rate: float, seconds: float) -> tuple[dict[str, list[float]], int]:
    """Times in ms by path, and how many failed."""
    times: dict[str, list[float]] = defaultdict(list)
    failed = 0
    asked = paths(told["kept"])
    connector = aiohttp.TCPConnector(limit=200)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(number: int, due: float) -> None:
            nonlocal failed
            path = asked[number % len(asked)]
            head = {"Authorization": f"Bearer {told['tokens'][number % PEOPLE]}"}
            async with session.get(told["url"] + path, headers=head) as answer:
                await answer.read()
                failed += answer.status != 200
            times[path.split("?")[0].replace("qry_", "", 1)[:40]].append((time.perf_counter() - due) * 1000)

        for warm in range(2 * len(asked)):
            await one(warm, time.perf_counter())
        times.clear()
        # Else this process's own collections count as the platform's time.
        spare_standing_objects()
        start = time.perf_counter()
        running = []
        for number in range(int(rate * seconds)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            running.append(asyncio.ensure_future(one(number, due)))
        await asyncio.gather(*running)
    return times, failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=20, help="how long")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return 0
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as home:
        command = [sys.executable, "-m", "benchmarks.api", "--serve", home]
        root = Path(__file__).parents[1]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as child:
            told = json.loads(child.stdout.readline())
            server = psutil.Process(child.pid)
            before = sum(server.cpu_times()[:2])
            times, failed = asyncio.run(ask(told, options.rate, options.seconds))
            spent_seconds = sum(server.cpu_times()[:2]) - before
            child.stdin.close()
    every = sorted(ms for spent in times.values() for ms in spent)
    p50, p99 = statistics.median(every), every[int(len(every) * 0.99)]
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "rate": options.rate,
        "requests": len(every),
        "failed": failed,
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        # Where others work on the machine too, this tells more than the times do.
        "server_cpu_ms_each": round(spent_seconds * 1000 / len(every), 2),
        "target": f"p99 below {P99_MS:g} ms, no failure",
        "median_ms": {path: round(statistics.median(spent), 1) for path, spent in sorted(times.items())},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    table = Table(
        title=f"{len(every)} mixed reads at {options.rate:g}/s: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {failed} failed, "
        f"{report['server_cpu_ms_each']} ms of processor each"
    )
    for heading in ("path", "median ms", "worst ms"):
        table.add_column(heading, justify="left" if heading == "path" else "right")
    for path, spent in sorted(times.items()):
        table.add_row(path, f"{statistics.median(spent):.1f}", f"{max(spent):.1f}")
    Console().print(table)
    return 0 if p99 < P99_MS and not failed else 1


if __name__ == "__main__":
    sys.exit(main())

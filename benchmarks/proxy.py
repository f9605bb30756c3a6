"""The proxy of machines against the same services reached directly.

    python benchmarks/proxy.py [--seconds 4] [--rounds 3] [--connections 16] [--directory DIR]

Service, proxy and client are processes of their own, and take turns in the same run. Medians
over the rounds are told:

    jupyter    requests a second for `/api` of the environment that machines run, on its unix
               socket and through the proxy, authorised at each request
    nothing    the same for a service that does nothing (aiohttp, 1 kB), told only: what is
               measured there is aiohttp as a server against aiohttp as server and client
    echo       round trips of 100 bytes on one WebSocket of the latter

Targets: at least half of Jupyter's direct requests a second, and a 99th percentile of the
echo at most 10 ms above the direct one. Exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp import web
from rich.console import Console
from rich.table import Table

from atoll.model.visit import Admission, Visit
from atoll.providers.sandbox import build_environment
from atoll.providers.sandbox.environment import read_environment
from atoll.proxy import Callbacks, Options, ProxyServer

RESULTS = Path(__file__).parent / "results" / "proxy.json"
SHARE, ADDED_MS = 0.5, 10.0
WORKSPACE = "wsp_bench"
SECRET = "s" * 43
ECHO = b"x" * 100
ANSWER = b"x" * 1000
#: What a browser sends with each request.
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: */*",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Sec-Fetch-Dest: empty",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Site: same-origin",
)


def serve(socket: str, ready) -> None:
    """The service in the machine."""

    async def page(request):
        return web.Response(body=ANSWER)

    async def echo(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_bytes(message.data)
        return socket

    async def run():
        app = web.Application()
        app.router.add_get(f"/w/{WORKSPACE}/page", page)
        app.router.add_get(f"/w/{WORKSPACE}/echo", echo)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.UnixSite(runner, socket).start()
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(run())


def pass_on(socket: str, origin) -> None:
    """The proxy."""

    def authorise(secret: str, workspace: str) -> Visit:
        return Visit(workspace=workspace, login="ada", expires_at=datetime.now(UTC) + timedelta(hours=1))

    callbacks = Callbacks(
        resolve=lambda _: Path(socket),
        admit=lambda ticket, workspace, address: Admission(secret=SECRET, visit=authorise(SECRET, workspace)),
        authorise=authorise,
    )
    proxy = ProxyServer(callbacks, Options(ports=(0, 0)))
    proxy.start()
    origin.put(proxy.origin(WORKSPACE))
    time.sleep(3600)


class Asker(asyncio.Protocol):
    """Asks for the same again as soon as it is answered. As little work as can be: the client is not measured."""

    def __init__(self, request: bytes, end: float) -> None:
        self._request, self._end = request, end
        self._buffer = b""
        self.answers = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
        if len(body) < length:
            return
        assert head.startswith(b"HTTP/1.1 200"), head
        self._buffer = b""
        self.answers += 1
        if time.perf_counter() < self._end:
            self._transport.write(self._request)
        else:
            self._transport.close()

    def connection_lost(self, problem) -> None:
        self.done.set_result(None)


async def requests_per_second(connect, request: bytes, seconds: float, connections: int) -> float:
    """`connect(make)` opens a connection for the protocol that `make` makes."""
    begun = time.perf_counter()
    askers = [await connect(lambda: Asker(request, begun + seconds)) for _ in range(connections)]
    await asyncio.gather(*(asker.done for _, asker in askers))
    return sum(asker.answers for _, asker in askers) / (time.perf_counter() - begun)


async def echoes(session, url: str, headers, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile of a round trip, in milliseconds."""
    times = []
    async with session.ws_connect(url, headers=headers) as socket:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            begun = time.perf_counter()
            await socket.send_bytes(ECHO)
            await socket.receive_bytes()
            times.append((time.perf_counter() - begun) * 1000)
    cuts = statistics.quantiles(times, n=100)
    return statistics.median(times), cuts[98]


def jupyter(directory: Path, home: Path) -> tuple[subprocess.Popen, str]:
    """The command of machines, started by hand: the process and its socket."""
    build_environment("jupyter", directory)
    socket, built = str(home / "lab.sock"), str(directory / "jupyter")
    command = read_environment(directory / "jupyter").command("jupyter", {}, socket=socket, base_url=f"/w/{WORKSPACE}/")
    words = [word.replace("/opt/environment", built).replace("/home/user", str(home)) for word in command]
    variables = {"HOME": str(home), "PATH": os.environ["PATH"], "JUPYTER_PATH": f"{built}/venv/share/jupyter"}
    log = (home / "log").open("w")
    process = subprocess.Popen([*words, "--allow-root"], env=variables, cwd=home, stdout=log, stderr=log)
    end = time.monotonic() + 120
    while not Path(socket).exists():
        if time.monotonic() > end or process.poll() is not None:
            sys.exit(f"Jupyter did not start: {(home / 'log').read_text()[-2000:]}")
        time.sleep(0.1)
    return process, socket


async def compare(socket: str, origin: str, path: str, arguments, *, echo: bool) -> dict[str, dict[str, float]]:
    """Medians of one service, by way."""
    host = origin.removeprefix("http://")
    cookie = {"Cookie": f"atoll_session_{WORKSPACE}={SECRET}"}
    base = f"/w/{WORKSPACE}"
    loop = asyncio.get_running_loop()
    ways = {
        "direct": ({}, lambda make: loop.create_unix_connection(make, socket)),
        "proxied": (cookie, lambda make: loop.create_connection(make, *host.split(":"))),
    }
    found: dict[str, dict[str, list[float]]] = {way: {} for way in ways}
    for number in range(arguments.rounds + 1):
        for way, (headers, connect) in ways.items():
            lines = [f"GET {base}{path} HTTP/1.1", f"Host: {host}", *BROWSER]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            request = "\r\n".join([*lines, "", ""]).encode()
            figures = {"rps": await requests_per_second(connect, request, arguments.seconds, arguments.connections)}
            if echo:
                connector = aiohttp.UnixConnector(socket) if way == "direct" else aiohttp.TCPConnector()
                async with aiohttp.ClientSession(connector=connector) as session:
                    url = f"http://machine{base}/echo" if way == "direct" else f"{origin}{base}/echo"
                    figures["p50"], figures["p99"] = await echoes(session, url, headers, arguments.seconds)
            if number:  # The first round warms up.
                for key, value in figures.items():
                    found[way].setdefault(key, []).append(value)
    return {way: {key: statistics.median(values) for key, values in kinds.items()} for way, kinds in found.items()}


def run(arguments, scratch: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Every comparison, with what it needs started before and ended after."""
    processes = multiprocessing.get_context("spawn")
    results = {}
    nothing, ready = str(scratch / "nothing.sock"), processes.Event()
    service = processes.Process(target=serve, args=(nothing, ready), daemon=True)
    service.start()
    assert ready.wait(30)
    lab, lab_socket = jupyter((arguments.directory or scratch / "environments").absolute(), scratch)
    try:
        for name, socket, path in (("jupyter", lab_socket, "/api"), ("nothing", nothing, "/page")):
            origin = processes.Queue()
            proxy = processes.Process(target=pass_on, args=(socket, origin), daemon=True)
            proxy.start()
            where = origin.get(timeout=30)
            results[name] = asyncio.run(compare(socket, where, path, arguments, echo=name == "nothing"))
            proxy.terminate()
            proxy.join()
    finally:
        lab.terminate()
        lab.wait()
        service.terminate()
        service.join()
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--directory", type=Path, help="where the environment is built and kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = run(arguments, Path(scratch))
    share = {name: ways["proxied"]["rps"] / ways["direct"]["rps"] for name, ways in results.items()}
    added = results["nothing"]["proxied"]["p99"] - results["nothing"]["direct"]["p99"]
    table = Table(title="Proxy of machines")
    for title in ("service", "way", "requests/s", "echo p50 ms", "echo p99 ms"):
        table.add_column(title, justify="right")
    for name, ways in results.items():
        for way, values in ways.items():
            echo = [f"{values[key]:.2f}" if key in values else "" for key in ("p50", "p99")]
            table.add_row(name, way, f"{values['rps']:.0f}", *echo)
    console = Console()
    console.print(table)
    met = share["jupyter"] >= SHARE and added <= ADDED_MS
    console.print(
        f"{share['jupyter']:.2f} of Jupyter's direct requests a second (target {SHARE}); "
        f"{added:.2f} ms added at p99 (target {ADDED_MS:.0f}): {'met' if met else 'MISSED'}"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processors": os.cpu_count(), "python": platform.python_version(), "system": platform.system()},
        "seconds": arguments.seconds,
        "rounds": arguments.rounds,
        "connections": arguments.connections,
        "results": results,
        "share_of_requests": share,
        "added_p99_ms": added,
        "met": met,
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

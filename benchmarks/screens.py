"""Streamed desktops: how soon one is seen, what a scrolling text costs, and ten of them at once.

    python benchmarks/screens.py [--rounds 3] [--desktops 10]

Real sandboxes with xfce, the real proxy, Debian's Chromium; nobody else on the machine, please.

- seen: from the ticket's address in the browser to the desktop's ground on its canvas, the machine running
  (target 3 s), and from the order to make the machine to its screen that answers;
- scrolling: a terminal prints a screen full of lines fifty times a second: frames that the viewer was
  shown, the time from a request for an update to the update, bytes on the wire, raw pixels against them,
  and what share of a core the filter took;
- many: so many desktops with a viewer each: all connected, memory for each, time of the last.

Exits 1 when the target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from atoll.model.visit import Admission, Stream, Visit
from atoll.model.workspace import MachineState
from atoll.ports.backend import MachineSpec
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from atoll.proxy import Callbacks, Options, ProxyServer
from atoll.proxy.stream import FromScreen
from atoll.proxy.stream.reader import Step

RESULTS = Path(__file__).parent / "results" / "screens.json"
TARGET_SECONDS = 3.0
_SHOW = '["{python}", -I, -S, /opt/desktop/show.py, "{socket}", "{base_url}"'
_ENVIRONMENT = f"""name: screen
title: Screen
services:
  desktop: [{_SHOW[1:]}, desktop, xfce4-session]
  application: [{_SHOW[1:]}, application, "{{program}}"]
"""
_SCROLLS = [
    "xfce4-terminal",
    "--disable-server",
    "-x",
    "sh",
    "-c",
    "sleep 2; yes 'a line of the log of a long computation'",
]
_SCROLL_SECONDS = 5.0
_GROUND = """() => {
  const canvas = document.querySelector('#screen canvas');
  if (canvas === null || canvas.width < 2) return false;
  const at = canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
  return at[2] > at[0] + 20;
}"""


class House:
    """Machines with screens behind one proxy, to which everybody may."""

    def __init__(self, place: Path) -> None:
        environments = place / "environments" / "screen"
        environments.mkdir(parents=True)
        (environments / "environment.yaml").write_text(_ENVIRONMENT)
        self.backend = SandboxBackend(place / "m", place / "environments", SystemClock())
        callbacks = Callbacks(
            resolve=lambda workspace: self.backend.observe(workspace).socket,
            admit=lambda ticket, workspace, _: Admission(secret=ticket, visit=self._visit("", workspace)),
            authorise=self._visit,
        )
        self.proxy = ProxyServer(callbacks, Options(ports=(0, 0)))
        self.proxy.start()

    def _visit(self, _secret: str, workspace: str) -> Visit:
        stream = Stream(title=workspace, owner="bench", control=True, paste=False)
        ends = datetime.now(UTC) + timedelta(hours=1)
        return Visit(workspace=workspace, login="bench", expires_at=ends, stream=stream)

    def launch(self, workspace: str, service: str = "desktop", program: list[str] | None = None) -> float:
        """Make a machine; seconds until its screen answers."""
        begun = time.perf_counter()
        self.backend.create(
            MachineSpec(
                workspace=workspace,
                token=workspace,
                environment="screen",
                service=service,  # type: ignore[arg-type] - one of two
                base_url=f"/w/{workspace}/",
                vcpu=1,
                memory_bytes=2**30,
                home_bytes=2**28,
                parameters={"program": program or []},
            )
        )
        while self.backend.observe(workspace).state is not MachineState.RUNNING:
            time.sleep(0.01)
        return time.perf_counter() - begun

    def url(self, workspace: str) -> str:
        """Where a browser enters."""
        return self.proxy.ticket_url(workspace, "a" * 43)

    def memory(self, workspace: str) -> int:
        """Bytes that its processes hold, shared pages counted by their part."""
        figures = self.backend.figures(workspace)
        return 0 if figures is None else figures.memory_bytes

    def close(self) -> None:
        """Nothing is left."""
        for seen in self.backend.list_machines():
            self.backend.destroy(seen.workspace)
            self.backend.forget_home(seen.workspace)
        self.proxy.stop()


@contextmanager
def house() -> Iterator[House]:
    """In a directory of its own."""
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="screens") as name:
        Path(name).chmod(0o755)
        made = House(Path(name))
        try:
            yield made
        finally:
            made.close()
            os.umask(before)


def seen(made: House, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds until a screen answers, and until its desktop is seen once one enters."""
    answered, shown = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for number in range(rounds):
            workspace = f"seen_{number}"
            answered.append(made.launch(workspace))
            time.sleep(4)  # a warm machine: its session stands
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            begun = time.perf_counter()
            page.goto(made.url(workspace))
            page.wait_for_function(_GROUND, timeout=60_000)
            shown.append(time.perf_counter() - begun)
            page.close()
            made.backend.destroy(workspace)
        browser.close()
    return answered, shown


@dataclass
class Scrolled:
    """What one viewer of a scrolling text got."""

    seconds: float
    frames: int
    latencies: list[float]
    bytes: int
    pixels: int
    #: Seconds of a core that the filter takes for these bytes.
    filter_seconds: float


async def scrolled(made: House, workspace: str) -> Scrolled:
    """Look at it through the proxy, asking for one update after the other."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        async with http.get(made.url(workspace)) as entered:
            cookie = entered.headers["Set-Cookie"].partition(";")[0]
        origin = made.proxy.origin(workspace)
        head = {"Cookie": cookie, "Origin": origin}
        async with http.ws_connect(f"{origin}/w/{workspace}/screen", headers=head, max_msg_size=0) as socket:
            return await _look(socket)


_HELLO = b"RFB 003.008\n\x01\x01"
_ALL = b"\x03\x00" + struct.pack(">HHHH", 0, 0, 1280, 800)
_MORE = b"\x03\x01" + struct.pack(">HHHH", 0, 0, 1280, 800)
#: Tight and ZRLE, JPEG of good quality, and the end of an update told.
_ENCODINGS = struct.pack(">BxH5i", 2, 5, 7, 16, -26, -254, -224)


class _Counting(FromScreen):
    """Tells when an update has come to its end."""

    updates = 0

    def _update(self) -> Step:
        yield from super()._update()
        self.updates += 1


async def _look(socket: aiohttp.ClientWebSocketResponse[bool]) -> Scrolled:
    await socket.send_bytes(_HELLO + _ENCODINGS + _ALL)
    counting, spent, latencies, got = _Counting("scroll", lambda _: None), 0.0, [], 0
    begun = asked = time.perf_counter()
    while time.perf_counter() - begun < _SCROLL_SECONDS:
        try:
            block = await asyncio.wait_for(socket.receive_bytes(), _SCROLL_SECONDS)
        except TimeoutError:
            break  # nothing more is shown
        got += len(block)
        before, started = counting.updates, time.process_time()
        # What the proxy's filter did with the same bytes a moment before.
        counting.feed(block)
        spent += time.process_time() - started
        if counting.updates > before:
            latencies.append(time.perf_counter() - asked)
            asked = time.perf_counter()
            await socket.send_bytes(_MORE)
    seconds = time.perf_counter() - begun
    return Scrolled(seconds, counting.updates, latencies, got, counting.updates * 1280 * 800 * 4, spent)


def many(made: House, count: int) -> dict[str, float]:
    """All at once, each with a viewer."""
    begun = time.perf_counter()
    names = [f"many_{number}" for number in range(count)]
    for name in names:
        made.launch(name)

    async def looked() -> int:
        found = await asyncio.gather(*(scrolled(made, name) for name in names), return_exceptions=True)
        return sum(isinstance(one, Scrolled) and one.frames > 0 for one in found)

    launched = time.perf_counter() - begun
    connected = asyncio.run(looked())
    memory = statistics.median(made.memory(name) for name in names)
    return {"desktops": count, "connected": connected, "launch_seconds": launched, "memory_mib": memory / 2**20}


def main() -> int:
    """Measure, tell, keep."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--desktops", type=int, default=10)
    chosen = options.parse_args()
    with house() as made:
        answered, shown = seen(made, chosen.rounds)
        made.launch("scroll_1", "application", _SCROLLS)
        time.sleep(3)
        one = asyncio.run(scrolled(made, "scroll_1"))
        made.backend.destroy("scroll_1")
        crowd = many(made, chosen.desktops)
    figures = {
        "answers_seconds": statistics.median(answered),
        "seen_seconds": statistics.median(shown),
        "frames_per_second": one.frames / one.seconds,
        "latency_ms": statistics.median(one.latencies or [0.0]) * 1000,
        "kilobytes_per_second": one.bytes / one.seconds / 1000,
        "raw_to_sent": one.pixels / max(one.bytes, 1),
        "filter_share_of_a_core": one.filter_seconds / one.seconds,
        **crowd,
    }
    table = Table("figure", "value", title="Streamed desktops")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3g}")
    Console().print(table)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1))
    return 0 if figures["seen_seconds"] <= TARGET_SECONDS and crowd["connected"] == chosen.desktops else 1


if __name__ == "__main__":
    sys.exit(main())

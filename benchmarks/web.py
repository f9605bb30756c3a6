"""The web application in a browser: what loads first, Home, a result of a million rows, and what is good practice.

    python benchmarks/web.py [--visits 5]

A platform with people and data serves on this host; headless Chromium asks it, with nothing cached. Measured are
the bytes of the entry gzipped, the time until Home shows its main content and answers (its last long task is over),
and the SQL grid while one scrolls through a million rows: rows in the document, heap after a collection, frames.
Then Home is looked at for what audits of pages look at: axe, errors on the console, the policy, other hosts.
Lighthouse gives its scores where `npx lighthouse` is at hand; it is no dependency. Exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import CDPSession, Page, sync_playwright
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.web.browsing import Pages, Watched, launch, violations  # noqa: E402
from tests.web.stage import Stage, build  # noqa: E402

from atoll.api.web import BUILT  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "web.json"
ENTRY_BYTES = 250_000
HOME_MS = 1500.0
GRID_ROWS = 80
#: What a million rows of two numbers would take many times over.
GRID_HEAP_BYTES = 16 * 2**20
GRID_STEPS = 120
MILLION = "SELECT i AS n, i * 2 AS twice FROM range(1000000) AS r(i) ORDER BY i"
#: Kept in the page from its first moment: when the main content stood, and what held the main thread up.
_WATCH = """
  window.told = { shown: 0, long: [], shift: 0, paint: 0 };
  const seen = () => document.querySelector('main h1') !== null
    && document.querySelector('main .mantine-Skeleton-root, main [aria-busy="true"]') === null;
  const look = () => { if (seen()) told.shown = performance.now(); else requestAnimationFrame(look); };
  requestAnimationFrame(look);
  const of = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take))
    .observe({ type, buffered: true });
  of('longtask', ({ startTime, duration }) => told.long.push([startTime, duration]));
  of('layout-shift', ({ value, hadRecentInput }) => { if (!hadRecentInput) told.shift += value; });
  of('largest-contentful-paint', ({ startTime }) => { told.paint = startTime; });
"""
_FRAMES = """async ([steps]) => {
  const grid = document.querySelector('[role=region][aria-label="Rows of the result"]');
  const frames = []; let rows = 0;
  for (let step = 1; step <= steps; step += 1) {
    const before = performance.now();
    grid.scrollTop = grid.scrollHeight * step / steps;
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - before);
    rows = Math.max(rows, grid.querySelectorAll('tr').length);
    if (step % 10 === 0) await new Promise((done) => setTimeout(done, 150));
  }
  return [frames, rows];
}"""


def entry_bytes() -> dict[str, int]:
    """What the first page loads before any other, gzipped, by kind of file."""
    manifest = json.loads((BUILT / ".vite" / "manifest.json").read_text())
    wanted, seen = ["index.html"], set()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            wanted += manifest[name].get("imports", [])
    files = {manifest[name]["file"] for name in seen}
    styles = {file for name in seen for file in manifest[name].get("css", [])}
    sizes = {file: len(gzip.compress((BUILT / file).read_bytes(), 9, mtime=0)) for file in files | styles}
    return {"scripts": sum(sizes[file] for file in files), "styles": sum(sizes[file] for file in styles)}


def visit(pages: Pages) -> dict[str, float]:
    """One look at Home by a scientist, nothing cached: moments in ms since the address was asked for."""
    with pages.open("scientist") as watched:
        page = watched.page
        page.add_init_script(_WATCH)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        received = [0]
        devtools.on("Network.loadingFinished", lambda told: received.append(int(told["encodedDataLength"])))
        page.goto("/")
        page.wait_for_function("() => window.told.shown > 0")
        worked = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
        page.wait_for_timeout(1000)
        told = page.evaluate("window.told")
        loaded = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    # A task that ends after the content stands keeps it from answering, if it began before or soon after.
    over = [start + spent for start, spent in told["long"] if start <= told["shown"] + 500]
    return {
        "content_loaded_ms": loaded,
        "largest_paint_ms": told["paint"],
        "main_content_ms": told["shown"],
        "interactive_ms": max([told["shown"], *over]),
        # Processor time of the page's own thread: what is left of the wait where nothing else runs.
        "own_work_ms": worked["TaskDuration"] * 1000,
        "blocking_ms": sum(max(0.0, spent - 50) for _, spent in told["long"]),
        "layout_shift": told["shift"],
        "wire_bytes": float(sum(received)),
    }


def heap(devtools: CDPSession) -> int:
    """Bytes of JavaScript in use after a collection."""
    devtools.send("HeapProfiler.collectGarbage")
    return int(devtools.send("Runtime.getHeapUsage")["usedSize"])


def scroll(pages: Pages) -> dict[str, float]:
    """A million rows from the first to the last."""
    with pages.open("scientist") as watched:
        page = watched.page
        page.goto(f"/sql#{quote(MILLION)}")
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_text("1,000,000 rows").wait_for(timeout=60_000)
        page.locator("tr[aria-rowindex='2'] td").last.wait_for()
        watched.settle()
        devtools = page.context.new_cdp_session(page)
        before = heap(devtools)
        frames, rows = page.evaluate(_FRAMES, [GRID_STEPS])
        page.locator("tr[aria-rowindex='1000001'] td", has_text="1999998").wait_for()
        after = heap(devtools)
        counters = devtools.send("Memory.getDOMCounters")
    return {
        "rows": 1_000_000,
        "most_rows_in_document": rows,
        "document_nodes": counters["nodes"],
        "heap_before_bytes": before,
        "heap_after_bytes": after,
        "frame_p50_ms": statistics.median(frames),
        "frame_p95_ms": sorted(frames)[int(len(frames) * 0.95)],
    }


def practices(pages: Pages) -> dict[str, list[str]]:
    """What audits of pages find on Home, in the shell and in what it asks for; empty lists are good."""
    with pages.open("scientist") as watched:
        page = watched.page
        answers = []
        page.on("response", lambda answer: answers.append((answer.url, answer.status, answer.headers)))
        page.goto("/")
        watched.settle()
        page.wait_for_timeout(500)
        return {
            "axe": violations(page),
            "console, policy, other hosts": watched.wrong,
            "failed requests": [url for url, status, _ in answers if status >= 400],
            "texts sent unsqueezed": [
                url
                for url, _, headers in answers
                if url.endswith((".js", ".css")) and headers.get("content-encoding") != "gzip"
            ],
            "assets not kept": [
                url
                for url, _, headers in answers
                if "/assets/" in url and "immutable" not in headers.get("cache-control", "")
            ],
            "of the document": missing(page, watched),
        }


def missing(page: Page, watched: Watched) -> list[str]:
    """What every document should say of itself."""
    wanted = {
        "a doctype": "document.doctype !== null",
        "a language": "document.documentElement.lang !== ''",
        "a title": "document.title !== ''",
        "a viewport": "document.querySelector('meta[name=viewport]') !== null",
        "a description": "document.querySelector('meta[name=description]')?.content > ''",
        "UTF-8": "document.characterSet === 'UTF-8'",
        "images with words": "[...document.images].every((one) => one.hasAttribute('alt'))",
    }
    return [name for name, holds in wanted.items() if not page.evaluate(holds)]


def lighthouse(pages: Pages, stage: Stage) -> dict[str, int]:
    """Scores of Home by Lighthouse, 0 to 100; empty where it is not at hand."""
    npx, found = shutil.which("npx"), shutil.which("chromium") or shutil.which("chromium-browser")
    base = [npx or "npx", "--no-install", "lighthouse"]
    if npx is None or found is None:
        return {}
    if subprocess.run([*base, "--version"], check=False, cwd=ROOT / "web", capture_output=True).returncode:
        return {}
    with pages.open("scientist") as watched, tempfile.TemporaryDirectory() as place:
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in watched.page.context.cookies())
        headers = Path(place) / "headers.json"
        headers.write_text(json.dumps({"Cookie": cookies}))
        ran = subprocess.run(
            [
                *base,
                f"{stage.url}/",
                "--quiet",
                "--output=json",
                "--preset=desktop",
                f"--extra-headers={headers}",
                "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage",
            ],
            check=False,
            cwd=ROOT / "web",
            env={**os.environ, "CHROME_PATH": found},
            capture_output=True,
            text=True,
            timeout=180,
        )
    if ran.returncode:
        raise RuntimeError(f"Lighthouse failed: {ran.stderr.strip()[-500:]}")
    scored: dict[str, dict[str, Any]] = json.loads(ran.stdout)["categories"]
    return {name: round(100 * (told["score"] or 0)) for name, told in scored.items()}


def measure(visits: int) -> dict[str, Any]:
    """All of it, on a platform of its own."""
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as home, sync_playwright() as playwright:
        stage = build(Path(home))
        browser = launch(playwright)
        try:
            pages = Pages(browser, stage)
            visit(pages)
            looks = [visit(pages) for _ in range(visits)]
            return {
                "home": {key: round(statistics.median(look[key] for look in looks), 3) for key in looks[0]},
                "home_worst_interactive_ms": round(max(look["interactive_ms"] for look in looks), 1),
                "grid": {key: round(value, 1) for key, value in scroll(pages).items()},
                "practices": practices(pages),
                "lighthouse": lighthouse(pages, stage),
            }
        finally:
            browser.close()
            stage.platform.stop()


def rows_of(report: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What is measured, how much, the target, whether it is met."""
    home, grid, entry = report["home"], report["grid"], report["entry"]
    grown = grid["heap_after_bytes"] - grid["heap_before_bytes"]
    found = sum(map(len, report["practices"].values()))
    rows = [
        (
            "entry, scripts gzipped",
            f"{entry['scripts'] / 1000:.0f} kB",
            f"< {ENTRY_BYTES // 1000} kB",
            entry["scripts"] < ENTRY_BYTES,
        ),
        ("entry, styles gzipped", f"{entry['styles'] / 1000:.0f} kB", "", True),
        ("Home, bytes on the wire", f"{home['wire_bytes'] / 1000:.0f} kB", "", True),
        ("Home, document loaded", f"{home['content_loaded_ms']:.0f} ms", "", True),
        ("Home, largest paint", f"{home['largest_paint_ms']:.0f} ms", "", True),
        ("Home, main content", f"{home['main_content_ms']:.0f} ms", "", True),
        (
            "Home, interactive",
            f"{home['interactive_ms']:.0f} ms",
            f"< {HOME_MS:.0f} ms",
            home["interactive_ms"] < HOME_MS,
        ),
        ("Home, processor time of the page", f"{home['own_work_ms']:.0f} ms", "", True),
        ("Home, main thread blocked", f"{home['blocking_ms']:.0f} ms", "", True),
        ("Home, layout shift", f"{home['layout_shift']:.3f}", "", True),
        (
            "a million rows, in the document",
            f"{grid['most_rows_in_document']:.0f}",
            f"< {GRID_ROWS}",
            grid["most_rows_in_document"] < GRID_ROWS,
        ),
        (
            "a million rows, heap grown by",
            f"{grown / 2**20:.1f} MiB",
            f"< {GRID_HEAP_BYTES // 2**20} MiB",
            grown < GRID_HEAP_BYTES,
        ),
        ("a million rows, frame p50 / p95", f"{grid['frame_p50_ms']:.0f} / {grid['frame_p95_ms']:.0f} ms", "", True),
        ("good practice, findings", str(found), "0", found == 0),
    ]
    scores = [(f"Lighthouse, {name}", str(score), "", True) for name, score in report["lighthouse"].items()]
    return rows + (scores or [("Lighthouse", "not at hand", "", True)])


def main() -> int:
    """Measure, print, keep; 0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=5, help="looks at Home; the median counts")
    options = parser.parse_args()
    report: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "entry": entry_bytes(),
        **measure(options.visits),
    }
    rows = rows_of(report)
    report["missed"] = [name for name, _, _, met in rows if not met]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    table = Table(
        title=f"The web application: {options.visits} visits of Home, load {report['load']:g}, {report['cores']} cores"
    )
    for heading in ("what", "measured", "target"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for name, measured, target, met in rows:
        table.add_row(name, measured if met else f"[red]{measured}[/red]", target)
    Console().print(table)
    for name, found in report["practices"].items():
        for one in found:
            print(f"{name}: {one}")
    return 1 if report["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())

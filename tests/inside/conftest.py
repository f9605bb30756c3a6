"""A platform with data, and a TCP gateway before it that adds a scientist's identity, as inside a machine."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from tests.client.live_platform import running, settle, write

from atoll.client import inside
from atoll.gateway.answers import errors_to_answers
from atoll.gateway.api_pass import ApiPass
from atoll.gateway.machine import Identity, Machine

ROWS = "".join(f"P-{n},Someone {n},{20 + n},2020-02-{n:02d}\n" for n in range(1, 11))


class Loopback:
    """The API pass of a machine's gateway, on a TCP port instead of the machine's socket."""

    def __init__(self, api_url, token):
        self._api_url, self._token = api_url, token
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(20)

    async def _start(self):
        self._session = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
        passing = ApiPass(self._session, self._api_url)
        machine = Machine(workspace="wsp_1", project="heart", socket=Path("/nonexistent"))
        identity = Identity(login="sid", token=SecretStr(self._token))

        async def handle(request):
            return await passing.handle(request, machine, identity)

        app = web.Application(middlewares=[errors_to_answers])
        app.router.add_route("*", "/api/{rest:.*}", handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    async def _stop(self):
        await self._runner.cleanup()
        await self._session.close()

    def close(self):
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    place = tmp_path_factory.mktemp("inside")
    with running(place / "home") as atoll:
        settle(atoll)
        with atoll.as_("lab") as lab:
            files = [write(place / "files", "patients.csv", f"ID,NAME,AGE,SEEN\n{ROWS}")]
            given = lab.deliver("lab", "ward", files)
            lab.wait_for_delivery(given["id"], timeout_seconds=60)
        with atoll.as_("sam") as steward:
            steward.grants.add("heart", "ward", reason="the study")
        front = Loopback(atoll.url, atoll.tokens["sid"])
        yield front.url
        front.close()


def environment(url, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATOLL_")}
    # A proxy that is set and not there: the gateway is reached all the same.
    return {**kept, "ATOLL_GATEWAY": url, "http_proxy": "http://127.0.0.1:9", **more}


def python(url, script, **more):
    """Run a script with the package of the inside, and nothing of the platform, on the path."""
    start = f"import sys; sys.path[:0] = [{str(inside.python_package())!r}]\n"
    return subprocess.run(
        [sys.executable, "-c", start + script],
        env=environment(url, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def r(url, script, **more):
    """Run a script with the R file of the inside."""
    start = f"source({str(inside.r_file())!r})\n"
    return subprocess.run(
        ["Rscript", "--vanilla", "-e", start + script],
        env=environment(url, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

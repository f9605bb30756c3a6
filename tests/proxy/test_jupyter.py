"""JupyterLab itself, as machines run it, driven through the proxy by its REST and kernel WebSocket."""

from __future__ import annotations

import asyncio
import json
import time
import uuid

import aiohttp
import pytest
from tests.proxy.conftest import Browser, World
from tests.sandbox.environments import built_environments

from atoll.model.workspace import MachineState
from atoll.ports.backend import MachineSpec
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend


@pytest.fixture(scope="module")
def lab(tmp_path_factory, pytestconfig):
    """A world whose machine `ws_a` is a sandbox with JupyterLab in it."""
    environments = built_environments(pytestconfig.cache.mkdir("environments"))
    place = tmp_path_factory.mktemp("lab")
    world = World(place / "world")
    backend = SandboxBackend(place / "m", environments, SystemClock())
    spec = MachineSpec(
        workspace="ws_a",
        token="res_a",
        environment="jupyter",
        service="jupyter",
        base_url="/w/ws_a/",
        vcpu=2,
        memory_bytes=2**30,
        home_bytes=2**28,
    )
    try:
        backend.create(spec)
        end = time.monotonic() + 120
        while (seen := backend.observe("ws_a")).state is not MachineState.RUNNING:
            assert time.monotonic() < end, backend.log("ws_a")
            time.sleep(0.1)
        world.platform.sockets["ws_a"] = seen.socket
        yield world
    finally:
        backend.destroy("ws_a")
        backend.forget_home("ws_a")
        world.close()


async def evaluate(browser, kernel, code):
    """What the code prints in the kernel."""
    session, said = uuid.uuid4().hex, []
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": session}
    header |= {"date": "2030-01-01T00:00:00Z", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    asked = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    path = f"api/kernels/{kernel}/channels?session_id={session}"
    async with browser.websocket(path, {"Origin": browser.origin}) as socket:
        await socket.send_str(json.dumps({**asked, "buffers": []}))
        while True:
            message = json.loads(await socket.receive_str(timeout=60))
            if message["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if message["msg_type"] in ("stream", "error"):
                said.append(message["content"].get("text") or "".join(message["content"]["traceback"]))
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return "".join(said)


async def json_of(request, status=200):
    async with request as answer:
        assert answer.status == status, await answer.text()
        return json.loads(await answer.read())


@pytest.mark.parametrize(("name", "code", "printed"), [("python3", "print(6 * 7)", "42\n"), ("ir", "cat(6 * 7)", "42")])
def test_a_kernel_runs_for_its_owner_and_for_nobody_else(lab, name, code, printed):
    async def go():
        async with Browser(lab, "ws_a", "ada") as ada, Browser(lab, "ws_a", None) as eve:
            async with ada.get("lab") as page:
                assert page.status == 200
                (xsrf,) = (line for line in page.headers.getall("Set-Cookie") if line.startswith("_xsrf="))
            assert xsrf.endswith("Path=/w/ws_a/")
            pair = xsrf.partition(";")[0]
            sent = {"Cookie": pair, "X-XSRFToken": pair.partition("=")[2], "Origin": ada.origin}
            body = json.dumps({"name": name}).encode()
            # Jupyter's own check of the token stays on behind the proxy.
            async with ada.send("POST", "api/kernels", {"Origin": ada.origin}, data=body) as answer:
                assert answer.status == 403
            kernel = (await json_of(ada.send("POST", "api/kernels", sent, data=body), 201))["id"]
            assert await evaluate(ada, kernel, code) == printed
            other = lab.proxy.origin("ws_b")
            for stranger, headers in ((eve, sent), (ada, {**sent, "Origin": other})):
                async with stranger.send("POST", "api/kernels", headers, data=body) as answer:
                    assert answer.status in (401, 403)
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await stranger.websocket(f"api/kernels/{kernel}/channels", {"Origin": headers["Origin"] + "0"})
            async with ada.send("DELETE", f"api/kernels/{kernel}", sent) as answer:
                assert answer.status == 204

    asyncio.run(asyncio.wait_for(go(), 120))


def test_the_page_s_parts_come_compressed_and_are_kept_by_this_browser_only(lab):
    async def go():
        async with Browser(lab, "ws_a", "ada") as ada:
            async with ada.get("lab") as page:
                text = (await page.read()).decode()
            bundle = text.partition('src="/w/ws_a/')[2].partition('"')[0]
            async with ada.get(bundle) as part:
                assert part.status == 200
                assert "javascript" in part.headers["Content-Type"]
                assert part.headers["Cache-Control"].startswith("private")
            contents = await json_of(ada.get("api/contents?content=1"))
            assert contents["type"] == "directory"

    asyncio.run(asyncio.wait_for(go(), 60))

"""The shipped environment for true: JupyterLab, kernels of Python and R, a terminal, a batch job."""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid

import aiohttp
import pytest
from tests.machines.inside import launch, spec, wait_for
from tests.sandbox.environments import built_environments

from atoll.model.workspace import MachineState
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend

GIB = 2**30


@pytest.fixture(scope="session")
def environments(pytestconfig):
    return built_environments(pytestconfig.cache.mkdir("environments"))


@pytest.fixture
def backend(directory, environments):
    backend = SandboxBackend(directory, environments, SystemClock())
    yield backend
    for seen in backend.list_machines():
        backend.destroy(seen.workspace)


def lab_spec(**changed):
    wanted = {"environment": "jupyter", "vcpu": 2, "memory_bytes": 2 * GIB, "home_bytes": GIB, "pids": 512}
    return spec("lab", **{**wanted, **changed})


class Lab:
    """JupyterLab's own REST and kernel WebSocket, over its unix socket."""

    def __init__(self, seen) -> None:
        self.base = f"http://localhost/w/{seen.workspace}/"
        # By what is held open: a path below a temporary directory may be longer than unix(7) lets it be.
        self.held = os.open(seen.socket, os.O_PATH)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(f"/proc/self/fd/{self.held}"), cookie_jar=aiohttp.CookieJar(unsafe=True)
        )

    async def __aenter__(self):
        async with self.session.get(self.base + "lab") as page:
            assert page.status == 200
        return self

    async def __aexit__(self, *_):
        await self.session.close()
        os.close(self.held)

    async def post(self, path, **body):
        xsrf = {cookie.key: cookie.value for cookie in self.session.cookie_jar}["_xsrf"]
        async with self.session.post(self.base + path, json=body, headers={"X-XSRFToken": xsrf}) as answer:
            return answer.status, await answer.json()

    async def run(self, kernel, code):
        """Run code in a kernel; returns what it printed."""
        message = uuid.uuid4().hex
        header = {"msg_id": message, "msg_type": "execute_request", "username": "", "session": "", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        printed = ""
        async with self.session.ws_connect(f"{self.base}api/kernels/{kernel}/channels") as channel:
            await channel.send_json(
                {
                    "header": {**header, "version": "5.3"},
                    "parent_header": {},
                    "metadata": {},
                    "channel": "shell",
                    "content": content,
                    "buffers": [],
                }
            )
            async for frame in channel:
                heard = json.loads(frame.data)
                if heard["parent_header"].get("msg_id") != message:
                    continue
                assert heard["msg_type"] != "error", heard["content"]
                if heard["msg_type"] == "stream":
                    printed += heard["content"]["text"]
                if heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle":
                    return printed
        raise AssertionError("the kernel's channel was closed")


CELLS = {
    "python3": (
        "import polars, pyarrow, duckdb, pandas, sklearn, matplotlib; x = polars.Series([20, 22]).sum()",
        "print(x)",
    ),
    "ir": ("suppressMessages({library(dplyr); library(ggplot2)}); x <- sum(c(20, 22))", "cat(x)"),
}


def test_kernels_of_python_and_r_keep_their_variables_over_a_freeze(backend, directory):
    seen = launch(backend, lab_spec())
    assert seen.socket.is_socket()

    async def story():
        async with Lab(seen) as lab:
            kernels = {}
            for name, (first, _) in CELLS.items():
                status, made = await lab.post("api/kernels", name=name)
                assert status == 201
                kernels[name] = made["id"]
                assert await lab.run(made["id"], first) == ""
            await asyncio.to_thread(backend.freeze, "lab")
            assert backend.observe("lab").state is MachineState.FROZEN
            used = backend.figures("lab").cpu_seconds
            await asyncio.sleep(0.5)
            assert backend.figures("lab").cpu_seconds == used
            await asyncio.to_thread(backend.thaw, "lab")
            assert backend.observe("lab").state is MachineState.RUNNING
            for name, (_, second) in CELLS.items():
                assert (await lab.run(kernels[name], second)).strip() == "42"

    asyncio.run(story())
    backend.destroy("lab")
    assert {entry.name for entry in (directory / "lab").iterdir()} <= {"home", "log", "log.1", "tokens"}


def test_requests_of_other_pages_are_refused(backend):
    """The check against cross-site requests stays on."""
    seen = launch(backend, lab_spec())

    async def story():
        async with Lab(seen) as lab, lab.session.post(lab.base + "api/kernels", json={"name": "python3"}) as answer:
            return answer.status

    assert asyncio.run(story()) == 403


def test_a_kernel_that_asks_for_too_much_memory_ends_alone(backend):
    seen = launch(backend, lab_spec(memory_bytes=GIB // 2))

    async def story():
        async with Lab(seen) as lab:
            _, made = await lab.post("api/kernels", name="python3")
            asking = asyncio.create_task(lab.run(made["id"], "kept = bytearray(b'x' * 2**30)"))
            await asyncio.wait([asking], timeout=8)
            asking.cancel()
            _, other = await lab.post("api/kernels", name="python3")
            assert await lab.run(other["id"], "print('well')") == "well\n"

    asyncio.run(story())
    assert "memory was full" in backend.observe("lab").detail


def test_a_terminal_in_a_page(backend):
    seen = launch(backend, lab_spec(service="terminal"))

    async def story():
        async with Lab(seen) as lab:
            async with lab.session.get(lab.base, allow_redirects=True) as page:
                assert (page.status, page.url.path) == (200, "/w/lab/terminals/1")
            status, _ = await lab.post("api/terminals", name="1")
            assert status == 200
            async with lab.session.ws_connect(f"{lab.base}terminals/websocket/1") as shell:
                await shell.send_json(["stdin", "echo $((6 * 7)) $(whoami)\r"])
                printed = ""
                until = time.monotonic() + 20
                while "42 user" not in printed:
                    assert time.monotonic() < until, printed
                    kind, *content = await shell.receive_json(timeout=20)
                    printed += content[0] if kind == "stdout" else ""

    asyncio.run(story())


@pytest.mark.parametrize(
    ("script", "status", "printed"),
    [
        ("python -c 'import polars, sys; print(polars.Series([1, 2]).sum()); sys.exit(5)'", 5, "3\n"),
        ("Rscript -e 'suppressMessages(library(tidyr)); cat(6 * 7, fill = TRUE)'", 0, "42\n"),
    ],
)
def test_a_batch_job_in_python_and_r(backend, script, status, printed):
    backend.create(lab_spec(service="batch", parameters={"script": script}))
    ended = wait_for(backend, "lab", MachineState.STOPPED, seconds=60)
    assert (ended.exit_status, backend.log("lab")) == (status, printed)


def test_tools_install_for_the_person_alone_and_by_the_gateway(backend):
    """Without a gateway an installation fails; its target and its address are the machine's own."""
    script = "pip config debug | grep -c 3141; python -c 'import sys; print(sys.prefix)'; pip download --retries 0 x"
    backend.create(lab_spec(service="batch", parameters={"script": script}))
    ended = wait_for(backend, "lab", MachineState.STOPPED, seconds=60)
    assert ended.exit_status == 1
    assert "/home/user/.environment\n" in backend.log("lab")


def test_building_again_changes_nothing(environments):
    before = (environments / "jupyter" / "fingerprint").stat().st_mtime_ns
    built_environments(environments)
    assert (environments / "jupyter" / "fingerprint").stat().st_mtime_ns == before

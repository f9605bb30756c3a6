"""The shipped JupyterLab made ready for nobody, given to a person: how soon, and with what inside."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.machines.inside import launch
from tests.sandbox.environments import built_environments
from tests.sandbox.test_jupyter import Lab, lab_spec

from atoll.ports.backend import Mount
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from atoll.providers.sandbox.answering import answers


@pytest.fixture(scope="session")
def environments(pytestconfig):
    return built_environments(pytestconfig.cache.mkdir("environments"))


def test_a_kernel_of_a_claimed_lab_has_what_its_person_brought(directory, environments, tmp_path):
    (tmp_path / "heart").mkdir()
    (tmp_path / "heart" / "f").write_text("data")
    backend = SandboxBackend(directory, environments, SystemClock())
    try:
        launch(backend, lab_spec(anonymous=True))
        person = lab_spec(mounts=(Mount(tmp_path / "heart", "/data/heart"),), variables={"ATOLL_PROJECT": "heart"})
        began = time.monotonic()
        backend.claim(person)
        while (seen := backend.observe("lab")).anonymous:
            time.sleep(0.005)
        assert answers(seen.socket, "/w/lab/")
        assert time.monotonic() - began < 1.0
        print("claimed in", time.monotonic() - began)

        async def whole():
            async with Lab(seen) as lab:
                _, kernel = await lab.post("api/kernels", name="python3")
                code = "import os; print(os.environ['ATOLL_PROJECT'], open('/data/heart/f').read(), os.getcwd())"
                return await lab.run(kernel["id"], code)

        assert asyncio.run(whole()) == "heart data /home/user\n"
    finally:
        backend.destroy("lab")
        backend.forget_home("lab")

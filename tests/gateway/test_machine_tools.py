"""R's own `install.packages` inside a real machine, which has nothing but its gateway's socket."""

from __future__ import annotations

import os

import pytest
from tests.gateway.indexes import add_to_cran
from tests.machines.inside import ENVIRONMENTS, spec, wait_for

from atoll.gateway import inside_variables, write_configuration
from atoll.model.workspace import MachineState
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend

MIB = 2**20


@pytest.fixture
def backend(tmp_path):
    before = os.umask(0o022)
    backend = SandboxBackend(tmp_path / "m", ENVIRONMENTS, SystemClock())
    yield backend
    for seen in backend.list_machines():
        backend.destroy(seen.workspace)
        backend.forget_home(seen.workspace)
    os.umask(before)


def test_r_installs_packages_inside_a_machine(house, upstream, backend):
    add_to_cran(upstream, "tide", "1.2-1", "shore (>= 1.0)")
    add_to_cran(upstream, "shore", "2.0")
    machine = house.machine("ws-r", uid=backend.user_of("ws-r"))
    place = machine.socket.parent
    write_configuration(place)
    for directory in (house.place, place.parent, place):
        directory.chmod(0o711)
    script = """Rscript -e 'install.packages("tide"); cat("\\n", tide::told(), .libPaths()[1], "\\n")'"""
    backend.create(
        spec(
            "ws-r",
            service="batch",
            parameters={"script": script},
            gateway=place,
            variables=inside_variables(login="ada", project="heart"),
            memory_bytes=1024 * MIB,
            pids=128,
        )
    )
    ended = wait_for(backend, "ws-r", MachineState.STOPPED, seconds=60)
    log = backend.log("ws-r")
    assert ended.exit_status == 0, log
    assert "1.2-1 /home/user/" in log.splitlines()[-1]
    assert {(d.workspace, d.package, d.version) for d in house.downloads} == {
        ("ws-r", "tide", "1.2-1"),
        ("ws-r", "shore", "2.0"),
    }

"""Every backend there is, each by a factory: the suite beside this file runs against all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.machines import inside
from tests.vm.images import TINY_MEMORY, built_images

from atoll.ports.backend import Backend, MachineSpec
from atoll.providers.clock import SystemClock
from atoll.providers.master_key import HexMasterKey
from atoll.providers.sandbox import SandboxBackend
from atoll.providers.sandbox.limits.rlimits import Rlimits
from atoll.providers.simulator.backend import SimulatedBackend
from atoll.providers.vm.backend import VmBackend

#: Where images are built, once for all runs; told by `_images_are_kept`.
KEPT: list[Path] = []


@dataclass
class Subject:
    """A backend under test.

    `open` gives one more backend object on the same machines, as another process of the
    platform would have. `spec` describes a small machine that it can run.
    """

    open: Callable[[], Backend]
    spec: Callable[..., MachineSpec] = inside.spec

    #: Within which a machine starts, on a host that has other things to do.
    seconds: float = 20

    def wait_for(self, backend: Backend, workspace: str, *states: Any) -> Any:
        return inside.wait_for(backend, workspace, *states, seconds=self.seconds)


def sandbox(directory: Path) -> Subject:
    return Subject(lambda: SandboxBackend(directory / "m", inside.ENVIRONMENTS, SystemClock()))


def sandbox_with_rlimits_only(directory: Path) -> Subject:
    return Subject(lambda: SandboxBackend(directory / "m", inside.ENVIRONMENTS, SystemClock(), limiter=Rlimits()))


def virtual_machines(directory: Path) -> Subject:
    images, key = built_images(KEPT[0]), HexMasterKey("5a" * 32)

    def spec(*names: str, **changed: Any) -> MachineSpec:
        return inside.spec(*names, **{"memory_bytes": TINY_MEMORY, **changed})

    def open_one() -> Backend:
        return VmBackend(directory / "m", images, SystemClock(), key)

    return Subject(open_one, spec, seconds=60)


def simulator(directory: Path) -> Subject:
    backend = SimulatedBackend(SystemClock(), boot_seconds=0.05, job_seconds=600)
    return Subject(lambda: backend)


#: Those whose machines really run something.
#: The first of the virtual machines waits for their image, which takes minutes.
REAL = [sandbox, sandbox_with_rlimits_only, pytest.param(virtual_machines, marks=pytest.mark.timeout(900))]
FACTORIES = [*REAL, simulator]


def tried(factory, directory):
    subject = factory(directory)
    yield subject
    backend = subject.open()
    for seen in backend.list_machines():
        backend.destroy(seen.workspace)


@pytest.fixture(autouse=True, scope="session")
def _images_are_kept(pytestconfig):
    KEPT[:] = [pytestconfig.cache.mkdir("environments")]


@pytest.fixture(params=FACTORIES, ids=lambda factory: factory.__name__)
def subject(request, tmp_path):
    yield from tried(request.param, tmp_path)


@pytest.fixture(params=REAL, ids=lambda factory: factory.__name__)
def real(request, tmp_path):
    yield from tried(request.param, tmp_path)


@pytest.fixture
def real_backend(real):
    return real.open()


@pytest.fixture
def backend(subject):
    return subject.open()


@pytest.fixture(autouse=True)
def _files_are_open_to_others():
    """What a test lays out for machines is readable by their accounts, as the port asks of mounts."""
    before = os.umask(0o022)
    yield
    os.umask(before)

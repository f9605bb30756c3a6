"""JupyterLab in a virtual machine: asleep on disk over a restart, and awake with all its variables."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal

import pytest
from tests.machines.inside import wait_for
from tests.sandbox.test_jupyter import Lab
from tests.vm.images import built_images

from atoll.flows import open_workspace
from atoll.flows.change_workspace import hibernate, terminate, wake
from atoll.flows.converge_workspace import converge_workspaces
from atoll.flows.manage_products import ensure_shipped
from atoll.flows.meter_workspaces import meter_workspaces
from atoll.flows.open_workspace import Launch
from atoll.flows.serve_machine import MachineDesk
from atoll.model.meter import MachineMeter, Use
from atoll.model.person import Caller, Person, Project, Role, SubjectKind
from atoll.model.record import utc_now
from atoll.model.workspace import MachineState, Workspace
from atoll.providers.sandbox.machine import Machine
from atoll.settings import Settings
from atoll.wiring import gateway, machines, platform

#: A machine may boot, where its template is of another size.
SECONDS = 300
RUNNING, FROZEN = MachineState.RUNNING, MachineState.FROZEN


class Platform:
    """The platform's rooms in this process, until it is shut."""

    def __init__(self, settings: Settings) -> None:
        self.rooms = platform.build(settings, machines.backends(settings))
        self.desk = MachineDesk(self.rooms)
        self.gateways = gateway.build(self.rooms, self.desk, "http://127.0.0.1:9")
        self.around = machines.HostSurroundings(self.rooms, self.desk, self.gateways)
        self.gateways.start()
        self.around.reopen()

    def settle(self, workspace_id: str) -> Workspace:
        """Let it do what is wanted, as its services do."""
        until = time.monotonic() + SECONDS
        runner = platform.machine_runner(self.rooms, self.around)
        while True:
            converge_workspaces(self.rooms)
            runner.run_open()
            workspace = self.rooms.records.get(Workspace, workspace_id)
            if workspace.terminated_at or workspace.observed_generation == workspace.generation:
                return workspace
            said = self.rooms.backends["vm"].log(workspace_id)
            assert time.monotonic() < until, f"{workspace.observed}\n{said[-2000:]}"
            time.sleep(0.05)

    def close(self) -> None:
        self.gateways.stop()
        platform.close(self.rooms)


@pytest.fixture
def settings(tmp_path, pytestconfig):
    images = built_images(pytestconfig.cache.mkdir("environments"), jupyter=True)
    settings = Settings(
        home=tmp_path / "home", environments_dir=images, host_vcpu=64, host_memory_bytes=2**40, query_workers=0
    )
    yield settings
    backend = machines.backends(settings)["vm"]
    for seen in backend.list_machines():
        backend.destroy(seen.workspace)


def person(rooms, login, role):
    who = Person(id=f"per_{login}", login=login, display_name=login, roles=frozenset({role}), created_at=utc_now())
    rooms.records.put(who)
    return Caller(subject_kind=SubjectKind.PERSON, subject_id=who.id, name=login, roles=who.roles)


def cell(seen, kernel, code):
    """Run a cell in a kernel that is made when there is none; the kernel and what was printed."""

    async def run():
        async with Lab(seen) as lab:
            known = kernel
            if known is None:
                status, made = await lab.post("api/kernels", name="python3")
                assert status == 201
                known = made["id"]
            return known, (await lab.run(known, code)).strip()

    return asyncio.run(run())


@pytest.mark.timeout(1200)
def test_a_variable_outlives_the_restart_of_platform_and_host(settings):
    here = Platform(settings)
    ada = person(here.rooms, "ada", Role.SCIENTIST)
    here.rooms.records.put(
        Project(id="prj_h", name="heart", title="Heart", members=frozenset({ada.subject_id}), created_at=utc_now())
    )
    here.rooms.shares.place("heart", "note.txt", [b"of the project"])
    ensure_shipped(here.rooms)
    price = Decimal(here.rooms.catalog.size("t3.small").eur_per_hour)
    _, workspace = open_workspace.create(here.rooms, ada, Launch("jupyter-vm", "heart"), price)
    workspace = here.settle(workspace.id)
    backend = here.rooms.backends["vm"]
    assert (workspace.backend, workspace.observed.state) == ("vm", RUNNING), backend.log(workspace.id)
    seen = backend.observe(workspace.id)
    look = "import os; x = 40; print(open('/project/note.txt').read(), os.environ['ATOLL_PROJECT'])"
    kernel, printed = cell(seen, None, look)
    assert printed == "of the project heart"

    hibernate(here.rooms, ada, workspace.id)
    assert here.settle(workspace.id).observed.state is FROZEN
    meter_workspaces(here.rooms)
    here.close()
    # The host starts anew: no process of the machine is left, and none was needed.
    machine = Machine(settings.home_dir / "vms", workspace.id)
    assert not machine.supervisor(machine.read("machine.json")["spec"]["token"]).alive

    here = Platform(settings)
    backend = here.rooms.backends["vm"]
    assert backend.observe(workspace.id).state is FROZEN
    meter_workspaces(here.rooms)
    # Asleep it costs the storage of its home and no machine.
    assert here.rooms.records.get(MachineMeter, workspace.id).point.use is Use.KEPT
    wake(here.rooms, ada, workspace.id)
    assert here.settle(workspace.id).observed.state is RUNNING
    _, printed = cell(wait_for(backend, workspace.id, RUNNING), kernel, "print(x + 2)")
    assert printed == "42"
    terminate(here.rooms, ada, workspace.id)
    assert here.settle(workspace.id).terminated_at is not None
    assert backend.list_machines() == ()
    here.close()

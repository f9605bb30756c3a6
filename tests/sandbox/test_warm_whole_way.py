"""A machine kept ready by the platform becomes a person's workspace, through everything but HTTP."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.machines.inside import ENVIRONMENTS, python_inside, wait_for

from atoll.flows import manage_products, open_workspace
from atoll.flows.change_workspace import terminate
from atoll.flows.claim_warm import waiting_machines
from atoll.flows.converge_workspace import converge_workspaces
from atoll.flows.keep_warm import keep_warm
from atoll.flows.open_workspace import Launch
from atoll.flows.serve_machine import MachineDesk
from atoll.model.person import Caller, Person, Project, Role, SubjectKind
from atoll.model.record import utc_now
from atoll.model.workspace import MachineState, Resource, Workspace
from atoll.settings import Settings
from atoll.wiring import gateway, machines, platform

PRODUCT = """\
name: tiny
title: A small one
environment: tiny
service: jupyter
sizes: [t3.nano]
needs: [mount]
idle: {action: none}
home_bytes: 268435456
warm_pool: {t3.nano: 1}
"""
LOOK = """
    import json, os, pathlib
    project = sorted(p.name for p in pathlib.Path('/project').iterdir())
    gateway = pathlib.Path('/run/gw/gw.sock').exists()
    environ = {k: v for k, v in os.environ.items() if k.startswith(('ATOLL', 'GIT'))}
    print(json.dumps([project, gateway, environ.get('ATOLL_PROJECT'), environ.get('GIT_AUTHOR_NAME')]))
"""


@pytest.fixture
def place(tmp_path):
    settings = Settings(
        home=tmp_path / "home", environments_dir=ENVIRONMENTS, host_vcpu=64, host_memory_bytes=2**40, query_workers=0
    )
    rooms = platform.build(settings, machines.backends(settings))
    desk = MachineDesk(rooms)
    gateways = gateway.build(rooms, desk, "http://127.0.0.1:9")
    around = machines.HostSurroundings(rooms, desk, gateways)
    gateways.start()
    yield rooms, around
    for seen in rooms.backends["sandbox"].list_machines():
        rooms.backends["sandbox"].destroy(seen.workspace)
    gateways.stop()
    platform.close(rooms)


def person(rooms, login, role):
    who = Person(id=f"per_{login}", login=login, display_name=login, roles=frozenset({role}), created_at=utc_now())
    rooms.records.put(who)
    return Caller(subject_kind=SubjectKind.PERSON, subject_id=who.id, name=login, roles=who.roles)


def test_what_waits_is_nobodys_and_then_its_persons(place):
    rooms, around = place
    backend = rooms.backends["sandbox"]
    root, ada = person(rooms, "root", Role.ADMIN), person(rooms, "ada", Role.SCIENTIST)
    rooms.records.put(
        Project(id="prj_h", name="heart", title="Heart", members=frozenset({ada.subject_id}), created_at=utc_now())
    )
    rooms.shares.place("heart", "note.txt", [b"of the project"])
    manage_products.publish_product(rooms, root, PRODUCT)
    keep_warm(rooms, around)
    (machine,) = waiting_machines(rooms)
    waiting = wait_for(backend, machine.id, MachineState.RUNNING)
    assert python_inside(waiting, LOOK) == (0, "[[], false, null, null]\n")
    keep_warm(rooms, around)

    price = Decimal(rooms.catalog.size("t3.nano").eur_per_hour)
    _, workspace = open_workspace.create(rooms, ada, Launch("tiny", "heart"), price)
    assert workspace.id == machine.id
    runner = platform.machine_runner(rooms, around)
    converge_workspaces(rooms)
    runner.run_open()
    workspace = rooms.records.get(Workspace, workspace.id)
    assert (workspace.observed.state, workspace.observed_generation) == (MachineState.RUNNING, 1)
    seen = backend.observe(workspace.id)
    assert not seen.anonymous
    assert python_inside(seen, LOOK) == (0, '[["note.txt"], true, "heart", "ada"]\n')
    assert python_inside(seen, "open('/project/mine', 'w').write('x')")[0] == 0

    terminate(rooms, ada, workspace.id)
    converge_workspaces(rooms)
    runner.run_open()
    assert rooms.records.get(Workspace, workspace.id).terminated_at is not None
    assert backend.list_machines() == ()
    left = [p for p in (rooms.settings.home_dir / "machines").iterdir() if not p.name.startswith(".")]
    assert left == []
    assert not (rooms.settings.home_dir / "gateways" / workspace.id).exists()
    assert rooms.records.find(Resource, where={"live": "live"}).records == ()

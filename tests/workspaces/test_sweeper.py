"""Ledger and backend are compared both ways."""

from __future__ import annotations

import pytest
from tests.workspaces.world import GRACE_SECONDS

from atoll.errors import Unavailable
from atoll.flows.sweep_machines import sweep_machines
from atoll.model.workspace import Desired, MachineState, Orphan, Resource
from atoll.ports.backend import MachineSpec


def spec(workspace, token):
    return MachineSpec(
        workspace=workspace,
        token=token,
        environment="jupyter",
        service="jupyter",
        base_url=f"/w/{workspace}/",
        vcpu=2,
        memory_bytes=2**33,
        home_bytes=2**33,
    )


def actions(world):
    return [entry.event.action for entry in world.rooms.audit.tail()]


def test_a_machine_of_nobody_is_told_then_after_a_grace_removed_but_never_its_home(world):
    world.backend.create(spec("wsp_foreign", "res_foreign"))
    world.sweep()
    assert "machine.orphan" in actions(world)
    world.clock.forward(GRACE_SECONDS - 1)
    world.sweep()
    assert "wsp_foreign" in world.backend.machines
    assert actions(world).count("machine.orphan") == 1
    world.clock.forward(2)
    world.sweep()
    assert "wsp_foreign" not in world.backend.machines
    assert "machine.remove" in actions(world)
    assert world.backend.homes == {"wsp_foreign"}
    world.sweep()
    assert not world.store.find(Orphan, where={"open_key": "open"}).records


def test_a_machine_that_comes_back_gets_its_grace_again(world):
    for _ in range(2):
        world.backend.create(spec("wsp_foreign", "res_foreign"))
        world.sweep()
        assert "wsp_foreign" in world.backend.machines
        world.backend.destroy("wsp_foreign")
        world.backend._used.clear()
        world.sweep()
        world.clock.forward(GRACE_SECONDS * 2)


def test_a_machine_made_after_the_end_is_ended_with_its_home(world):
    id = world.launch()
    world.rounds_until(world.quiet)
    world.wish(id, Desired.TERMINATED)
    world.rounds_until(world.quiet)
    entries = len(world.store.read(f"workspace/{id}"))
    world.backend.create(spec(id, "res_late"))
    for _ in range(4):
        world.round(GRACE_SECONDS)
    world.check_all_gone()
    # Its owner is told nothing of it, and pays nothing.
    assert len(world.store.read(f"workspace/{id}")) == entries


def test_a_standing_workspaces_own_machine_is_taken_back_into_the_ledger(world):
    """As after records came back from a backup."""
    id = world.launch()
    world.rounds_until(world.quiet)
    (row,) = world.store.find(Resource, where={"live": "live"}).records
    world.store.put(row.but(gone_at=world.clock.now()))
    world.sweep()
    assert [r.id for r in world.store.find(Resource, where={"live": "live"}).records] == [row.id]
    world.clock.forward(GRACE_SECONDS * 3)
    world.sweep()
    assert world.backend.truth(id) is MachineState.RUNNING


def test_a_row_without_a_machine_is_closed_after_a_grace(world):
    row = world.store.put(
        Resource(id="res_1", workspace="wsp_1", operation="op_1", backend="simulator", made_at=world.clock.now())
    )
    world.sweep()
    assert world.store.get(Resource, row.id).live == "live"
    world.clock.forward(GRACE_SECONDS)
    world.sweep()
    assert world.store.get(Resource, row.id).live is None


def test_a_backend_that_cannot_list_is_left_alone(world, monkeypatch):
    id = world.launch()
    world.rounds_until(world.quiet)
    world.clock.forward(GRACE_SECONDS * 3)

    def away():
        raise Unavailable("Away.")

    monkeypatch.setattr(world.backend, "list_machines", away)
    assert sweep_machines(world.rooms, GRACE_SECONDS) == 0
    assert world.backend.truth(id) is MachineState.RUNNING
    assert len(world.store.find(Resource, where={"live": "live"}).records) == 1


def test_a_machine_under_work_is_left_to_its_operation(world):
    id = world.launch()
    world.converge()
    world.backend.create(spec(id, "res_other"))
    assert sweep_machines(world.rooms, 0.0) == 0


@pytest.mark.parametrize("broken", ["wsp_a", "wsp_b"])
def test_one_machines_error_stops_no_other(world, monkeypatch, broken):
    for name in ("wsp_a", "wsp_b"):
        world.backend.create(spec(name, f"res_{name}"))
    world.sweep()
    world.clock.forward(GRACE_SECONDS + 1)
    destroy = world.backend.destroy

    def refuse(workspace):
        if workspace == broken:
            raise Unavailable("Away.")
        destroy(workspace)

    monkeypatch.setattr(world.backend, "destroy", refuse)
    world.sweep()
    assert set(world.backend.machines) == {broken}

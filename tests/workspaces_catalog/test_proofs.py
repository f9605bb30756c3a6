"""Who may have which machine tried, and what is kept of it."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from tests.workspaces_catalog.conftest import PRODUCT

from atoll.errors import Conflict, InvalidInput, NotFound, NotPermitted, Unavailable
from atoll.flows import make_proof, manage_products, open_workspace, prove_isolation
from atoll.flows.open_workspace import Launch
from atoll.flows.sweep_machines import sweep_machines
from atoll.model.workspace import MachineState, Resource
from atoll.operations import Runner
from atoll.ports.backend import Capabilities, MachineSpec, Probe
from atoll.providers.simulator import SimulatedBackend


@pytest.fixture
def running(house):
    _, workspace = open_workspace.create(house.rooms, house.ada, Launch("small", "heart"), Decimal("0.0369"))
    machine(house, workspace.id)
    return house.seen(workspace, "running")


def simulated(house, kind=SimulatedBackend, **more):
    backend = kind(house.rooms.clock, boot_seconds=0, **more)
    house.but(backends={"simulator": backend})
    return backend


def machine(house, workspace_id):
    spec = MachineSpec(workspace_id, workspace_id, "jupyter", "jupyter", "/", 1, 2**28, 2**28)
    simulated(house).create(spec)


def work(house):
    runner = Runner(house.rooms.operations, make_proof.stories(house.rooms), workers=0, lease_seconds=5)
    while runner.run_open():
        pass


class Leaky(SimulatedBackend):
    """Something comes through."""

    def probe(self, workspace, facts):
        return (*super().probe(workspace, facts), Probe("network", "reach it", held=False, detail="reached"))


def test_a_proof_is_kept_with_its_hash_in_the_audit_chain(house, running):
    view = prove_isolation.prove(house.rooms, house.ada, running.id)
    assert (view.proof.workspace, view.proof.evidence) == (running.id, None)
    work(house)
    kept = prove_isolation.show(house.rooms, house.ada, view.proof.id, running.id)
    assert kept.operation.finished_at is not None
    evidence = kept.proof.evidence
    assert evidence.passed
    assert (evidence.product, evidence.backend, evidence.fresh) == ("small@1", "simulator", False)
    assert {probe.group for probe in evidence.probes} == {"network", "files", "processes", "kernel", "neighbours"}
    assert kept.proof.sha256 == make_proof.evidence_sha256(evidence)
    assert make_proof.evidence_sha256(evidence.but(host="another")) != kept.proof.sha256
    (asked,) = house.audited("workspace.prove")
    (proved,) = house.audited("workspace.proof")
    assert asked.caller.name == "ada"
    assert proved.details["sha256"] == kept.proof.sha256
    assert proved.details["came_through"] == []


def test_what_comes_through_is_told(house):
    simulated(house, Leaky)
    view = prove_isolation.prove_fresh(house.rooms, house.admin)
    work(house)
    kept = prove_isolation.show(house.rooms, house.admin, view.proof.id).proof
    assert not kept.evidence.passed
    assert house.audited("workspace.proof")[0].details["came_through"] == ["reach it"]


def test_a_machine_made_for_a_proof_leaves_nothing(house):
    backend = simulated(house)
    view = prove_isolation.prove_fresh(house.rooms, house.ada, product="small", bombs=True)
    assert view.proof.workspace is None
    with pytest.raises(Conflict):
        prove_isolation.prove_fresh(house.rooms, house.ada)
    # No sweeper takes it while it is under way.
    assert sweep_machines(house.rooms, grace_seconds=0) == 0
    work(house)
    evidence = prove_isolation.show(house.rooms, house.ada, view.proof.id).proof.evidence
    assert evidence.fresh
    assert evidence.bombs
    assert backend.machines == {}
    assert backend.homes == set()
    (row,) = house.records.find(Resource).records
    assert row.gone_at is not None
    prove_isolation.prove_fresh(house.rooms, house.ada)


def test_a_machine_that_does_not_start_leaves_nothing(house):
    class Broken(SimulatedBackend):
        def probe(self, workspace, facts):
            raise Conflict("It does not run.")

    backend = simulated(house, Broken)
    view = prove_isolation.prove_fresh(house.rooms, house.ada)
    work(house)
    kept = prove_isolation.show(house.rooms, house.ada, view.proof.id)
    assert kept.operation.failure is not None
    assert kept.proof.evidence is None
    assert backend.machines == {}
    assert backend.homes == set()
    assert [row.live for row in house.records.find(Resource).records] == [None]


def test_a_proof_does_not_hold_its_workspace_up(house, running):
    prove_isolation.prove(house.rooms, house.ada, running.id)
    with pytest.raises(Conflict):
        prove_isolation.prove(house.rooms, house.ada, running.id)
    assert house.records.find(type(house.operations()[0])).records[0].subject == f"proof/{running.id}"


def test_who_may_have_a_workspace_tried(house, running):
    prove_isolation.prove(house.rooms, house.admin, running.id)
    work(house)
    prove_isolation.prove(house.rooms, house.ada, running.id, bombs=True)
    for caller, error in ((house.admin, NotPermitted), (house.bob, NotFound), (house.eve, NotFound)):
        with pytest.raises(error):
            prove_isolation.prove(house.rooms, caller, running.id, bombs=True)
    with pytest.raises(NotPermitted):
        prove_isolation.prove(house.rooms, house.ann, running.id)


def test_who_may_see_a_proof(house, running):
    fresh = prove_isolation.prove_fresh(house.rooms, house.bob).proof.id
    own = prove_isolation.prove(house.rooms, house.admin, running.id).proof.id
    for caller in (house.ada, house.ann, house.admin):
        assert prove_isolation.show(house.rooms, caller, own).proof.id == own
    for caller in (house.bob, house.ann, house.admin):
        assert prove_isolation.show(house.rooms, caller, fresh).proof.id == fresh
    for caller, proof in ((house.bob, own), (house.eve, own), (house.eve, fresh), (house.ada, "prf_none")):
        with pytest.raises(NotFound):
            prove_isolation.show(house.rooms, caller, proof)
    with pytest.raises(NotFound):
        prove_isolation.show(house.rooms, house.admin, fresh, running.id)
    listed = {
        c.name: [p.id for p in prove_isolation.list_proofs(house.rooms, c).records] for c in (house.bob, house.ann)
    }
    assert listed == {"bob": [fresh], "ann": [own, fresh]}
    of_workspace = prove_isolation.list_proofs(house.rooms, house.ada, workspace_id=running.id).records
    assert [proof.id for proof in of_workspace] == [own]


def test_what_cannot_be_tried_is_told(house, running):
    house.seen(running, "stopped")
    with pytest.raises(Conflict):
        prove_isolation.prove(house.rooms, house.ada, running.id)
    with pytest.raises(NotFound):
        prove_isolation.prove_fresh(house.rooms, house.ada, product="nothing")
    unable = dataclasses.replace(house.rooms.backends["simulator"].capabilities, probes=False)
    assert isinstance(unable, Capabilities)
    simulated(house, capabilities=unable)
    with pytest.raises(Unavailable):
        prove_isolation.prove_fresh(house.rooms, house.ada)
    house.seen(running, "running")
    with pytest.raises(Conflict):
        prove_isolation.prove(house.rooms, house.ada, running.id)


def test_a_product_that_needs_parameters_is_not_made_for_a_proof(house):
    text = PRODUCT.replace("name: small", "name: job").replace("  properties:", "  required: [lines]\n  properties:")
    manage_products.publish_product(house.rooms, house.admin, text)
    with pytest.raises(InvalidInput):
        prove_isolation.prove_fresh(house.rooms, house.ada, product="job")
    assert prove_isolation.prove_fresh(house.rooms, house.ada).proof.product == "small@1"


def test_a_neighbour_that_was_harmed_is_told(house, running):
    class Harmful(SimulatedBackend):
        def probe(self, workspace, facts):
            self.machines[running.id].end("It was harmed.")
            return super().probe(workspace, facts)

    backend = simulated(house, Harmful)
    backend.create(MachineSpec(running.id, "res_1", "jupyter", "jupyter", "/", 1, 2**28, 2**28))
    assert backend.observe(running.id).state is MachineState.RUNNING
    view = prove_isolation.prove_fresh(house.rooms, house.ada)
    work(house)
    evidence = prove_isolation.show(house.rooms, house.ada, view.proof.id).proof.evidence
    assert [probe.name for probe in evidence.probes if not probe.passed] == ["harm a neighbour"]

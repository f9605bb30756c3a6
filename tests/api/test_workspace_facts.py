"""What a workspace's page needs: place in the queue, the idle rule's reason, cost so far, uptime, mounts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.api.conftest import open_site

from atoll.flows.idle_workspaces import Visits, idle_workspaces
from atoll.flows.manage_products import ensure_shipped
from atoll.flows.meter_workspaces import meter_workspaces
from atoll.flows.queue_workspaces import admit_queued
from atoll.model.mount import DatasetMount, MountedBy
from atoll.model.workspace import MachineState, Observed, Workspace
from atoll.ports.records import Append
from atoll.providers.simulator import SimulatedBackend
from atoll.wiring import platform


@pytest.fixture
def machines(tmp_path):
    site, rooms = open_site(
        tmp_path / "home",
        lambda clock: {"simulator": SimulatedBackend(clock)},
        host_vcpu=2,
        host_memory_bytes=2**40,
        query_workers=0,
    )
    ensure_shipped(site.rooms)
    site.add_project("heart", "scientist")
    yield site
    platform.close(rooms)


def create(site, **body):
    asked = {"product": "jupyter", "project": "heart", "confirm_eur_per_hour": "0.0738", **body}
    return site.post("/workspaces", "scientist", **asked)


def seen(site, id, state):
    """As if the machine was seen so, as an operation writes it."""
    stored = site.rooms.records.get(Workspace, id)
    now = site.clock.now()
    entry = {"at": now.isoformat(), "from": stored.observed.state.value, "to": state, "because": ""}
    changed = stored.but(observed=Observed(state=MachineState(state), at=now), observed_generation=stored.generation)
    site.rooms.records.transact([Append(f"workspace/{id}", [entry])])
    site.rooms.records.put(changed)


def show(site, id):
    return site.get(f"/workspaces/{id}", "scientist").json()


def test_a_queued_launch_is_201_and_starts_in_its_turn(machines):
    first = create(machines).json()["workspace"]
    assert first["queue_place"] is None
    refused = create(machines)
    assert refused.status_code == 413
    quote = create(machines, queue=True, dry_run=True).json()["quote"]
    assert quote["waits"] == "The quota of this host is 2 vCPU; 2 are taken and this needs 2."
    made = create(machines, queue=True)
    assert made.status_code == 201
    waits = made.json()["workspace"]
    assert (waits["state"], waits["queue_place"], waits["changing"]) == ("queued", 1, True)
    assert waits["reason"].startswith("Place 1 in the queue.")
    assert create(machines, queue=True, size="m5.2xlarge", confirm_eur_per_hour="0.35").status_code == 413
    machines.rooms.records.put(
        machines.rooms.records.get(Workspace, first["id"]).but(terminated_at=machines.clock.now())
    )
    assert admit_queued(machines.rooms) == 1
    assert show(machines, waits["id"])["state"] == "provisioning"


def test_the_page_tells_cost_uptime_idleness_and_mounts(machines):
    id = create(machines).json()["workspace"]["id"]
    fresh = show(machines, id)
    assert (fresh["spent_eur"], fresh["uptime_seconds"], fresh["idle_reason"], fresh["mounts"]) == (
        "0.000000",
        None,
        "",
        [],
    )
    seen(machines, id, "running")
    mount = DatasetMount(id="k1", project="heart", dataset="trial", dataset_version="trial@3", grant="gra_1")
    machines.rooms.records.put(mount)
    machines.rooms.records.put(MountedBy(id=id, mounts=("k1", "gone"), told=True))
    meter_workspaces(machines.rooms)
    machines.clock.ahead += timedelta(minutes=10)
    idle_workspaces(machines.rooms, lambda _: Visits(connections=1, last_request=machines.clock.now()))
    shown = show(machines, id)
    assert shown["idle_reason"].startswith("kept alive because ")
    assert shown["idle_since"] is None
    assert 600 <= shown["uptime_seconds"] < 660
    # What came up since the last charge counts already.
    assert Decimal("0.0123") <= Decimal(shown["spent_eur"]) < Decimal("0.0135")
    machines.clock.ahead += timedelta(minutes=10)
    meter_workspaces(machines.rooms)
    assert Decimal("0.0246") <= Decimal(show(machines, id)["spent_eur"]) < Decimal("0.0262")
    assert shown["mounts"] == [
        {"path": "/data/trial", "dataset_version": "trial@3", "writable": False},
        {"path": "/project", "dataset_version": None, "writable": True},
    ]
    seen(machines, id, "frozen")
    rested = show(machines, id)
    # It was not the idle rule that put it to rest, so its last word is no reason for that.
    assert (rested["idle_reason"], rested["uptime_seconds"]) == ("", None)
    meter_workspaces(machines.rooms)
    total = Decimal(machines.get("/costs?by=workspace", "scientist").json()["total_eur"])
    assert total.quantize(Decimal("0.000001")) == Decimal(show(machines, id)["spent_eur"])

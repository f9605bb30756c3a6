"""Machines kept ready: made and taken back as the catalog says, launched once, paid by the platform while they wait."""

from __future__ import annotations

import dataclasses
import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from atoll.errors import ProductInvalid
from atoll.flows import manage_products, open_workspace
from atoll.flows.claim_warm import waiting_machines
from atoll.flows.keep_warm import GRACE_SECONDS, keep_warm
from atoll.flows.open_workspace import Launch
from atoll.flows.surroundings import BareSurroundings
from atoll.flows.sweep_machines import sweep_machines
from atoll.model.person import PLATFORM
from atoll.model.workspace import Orphan, Resource, WarmMachine, Workspace
from atoll.providers.simulator import SimulatedBackend
from atoll.providers.simulator.backend import CAPABILITIES

WARM = """\
name: small
title: A small machine
environment: jupyter
service: jupyter
sizes: [t3.small, t3.nano, m5.large]
needs: [mount, hibernate]
fallback: {hibernate: stop}
parameters:
  type: object
  additionalProperties: false
  properties:
    theme: {title: Theme, type: string, enum: [light, dark], default: light}
warm_pool: {t3.small: 2}
"""
SMALL = Decimal("0.0369")


@pytest.fixture
def warm(house):
    """A platform whose product keeps two ready."""
    backend = SimulatedBackend(house.rooms.clock, boot_seconds=1)
    house.but(backends={"simulator": backend})
    manage_products.publish_product(house.rooms, house.admin, WARM)
    house.backend = backend
    house.forward = lambda seconds: setattr(
        house.rooms.clock, "ahead", house.rooms.clock.ahead + timedelta(seconds=seconds)
    )
    house.keep = lambda: keep_warm(house.rooms, BareSurroundings(house.rooms))
    house.keep()
    house.forward(2)
    house.keep()
    return house


def launch(house, **asked):
    quote = Launch(**{"product": "small", "project": "heart", **asked})
    price = house.rooms.catalog.size(asked.get("size", "t3.small")).eur_per_hour
    return open_workspace.create(house.rooms, asked.pop("caller", house.ada), quote, price)


def ready(house):
    return [m for m in waiting_machines(house.rooms) if m.ready_at is not None and m.ending_at is None]


def emptied(house):
    """Nothing is left after the grace."""
    house.keep()
    house.forward(GRACE_SECONDS + 1)
    house.keep()
    return not house.backend.machines and not house.backend.homes and not waiting_machines(house.rooms)


def test_a_pool_is_filled_and_known_to_the_ledger_before_the_backend(warm):
    machines = ready(warm)
    assert [m.place for m in machines] == [0, 1]
    for machine in machines:
        assert warm.backend.machines[machine.id].spec.anonymous
        assert warm.records.get(Resource, machine.token).seen_at is not None
    assert warm.keep() == 0
    assert len(warm.audited("machine.make_ready")) == 2
    # Those that wait belong to somebody: the sweeper leaves them.
    sweep_machines(warm.rooms)
    warm.forward(GRACE_SECONDS + 1)
    sweep_machines(warm.rooms)
    assert warm.records.find(Orphan).records == ()
    assert len(ready(warm)) == 2


def test_a_launch_takes_a_ready_machine_with_its_id(warm):
    first = ready(warm)[0]
    quoted, workspace = launch(warm)
    assert (quoted.ready.id, workspace.id) == (first.id, first.id)
    assert warm.records.get(WarmMachine, first.id).claimed_at == workspace.created_at
    assert first.id not in {m.id for m in waiting_machines(warm.rooms)}
    warm.keep()
    warm.forward(2)
    warm.keep()
    assert [m.place for m in sorted(ready(warm), key=lambda m: m.place)] == [0, 1]


@pytest.mark.parametrize("other", [{"size": "t3.nano"}, {"parameters": {"theme": "dark"}}, {"product": "small@1"}])
def test_a_launch_of_something_else_takes_none(warm, other):
    quoted, workspace = launch(warm, **other)
    assert quoted.ready is None
    assert workspace.id not in warm.backend.machines
    assert len(ready(warm)) == 2


def test_two_launches_at_once_never_take_the_same(warm):
    made, errors = [], []

    def one(name):
        try:
            made.append(launch(warm, name=name)[1].id)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(made)) == 4
    assert len([m for m in made if m in warm.backend.machines]) == 2


def test_two_platforms_fill_a_pool_once(warm):
    for machine in ready(warm):
        launch(warm, name=f"w{machine.place}")
    threads = [threading.Thread(target=warm.keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(waiting_machines(warm.rooms)) == 2


@pytest.mark.parametrize("how", ["retired", "deprecated", "replaced"])
def test_a_version_that_is_launched_no_more_keeps_none(warm, how):
    if how == "replaced":
        manage_products.publish_product(warm.rooms, warm.admin, WARM.replace("t3.small: 2", "t3.small: 0"))
    else:
        for number in (1, 2):
            change = getattr(manage_products, f"{how.removesuffix('d')}_product")
            change(warm.rooms, warm.admin, f"small@{number}")
    assert emptied(warm)
    assert warm.records.find(Resource, where={"live": "live"}).records == ()
    assert len(warm.audited("machine.take_back")) == 2


def test_a_machine_of_an_old_build_or_that_ended_is_replaced(warm):
    before = {m.id for m in ready(warm)}
    warm.backend.restart_host()
    warm.keep()
    warm.forward(2)
    warm.keep()
    after = {m.id for m in ready(warm)}
    assert len(after) == 2
    assert not after & before
    assert before.isdisjoint(warm.backend.machines)


def test_what_waits_gives_way_and_no_launch_is_refused_for_it(warm):
    # Room for two small machines, which are there and wait.
    warm.settings(host_memory_bytes=2 * warm.rooms.catalog.size("t3.small").memory_bytes, host_vcpu=64)
    launch(warm, parameters={"theme": "dark"})
    warm.keep()
    assert [m.place for m in ready(warm)] == [0]
    launch(warm, name="second", parameters={"theme": "dark"})
    assert emptied(warm)


def test_waiting_is_paid_by_the_platform_and_running_by_its_person(warm):
    machine = ready(warm)[0]
    warm.forward(3600)
    warm.keep()
    warm.forward(60)
    launch(warm)
    lines = [e.body for e in warm.records.read(f"usage/{warm.rooms.clock.now():%Y-%m}")]
    mine = [line for line in lines if line.get("workspace") == machine.id]
    assert {line["user"] for line in mine} == {PLATFORM.name}
    seconds = sum(Decimal(line["quantity"]) for line in mine)
    assert 3650 < seconds < 3670
    assert sum(Decimal(line["amount_eur"]) for line in mine) == pytest.approx(
        SMALL * seconds / 3600, rel=Decimal("1e-6")
    )


def test_a_backend_that_cannot_keeps_none(house):
    backend = SimulatedBackend(house.rooms.clock, capabilities=dataclasses.replace(CAPABILITIES, warm=False))
    house.but(backends={"simulator": backend})
    manage_products.publish_product(house.rooms, house.admin, WARM)
    assert keep_warm(house.rooms, BareSurroundings(house.rooms)) == 0
    assert not backend.machines


def test_a_machine_found_after_its_end_is_taken_away_with_its_home(warm):
    """An order to make it that took effect after its record was closed."""
    machine = ready(warm)[0]
    spec = warm.backend.machines[machine.id].spec
    for number in (1, 2):
        manage_products.retire_product(warm.rooms, warm.admin, f"small@{number}")
    assert emptied(warm)
    warm.backend._used.clear()
    warm.backend.create(spec)
    sweep_machines(warm.rooms)
    warm.forward(GRACE_SECONDS + 1)
    sweep_machines(warm.rooms)
    assert emptied(warm)
    assert warm.records.find(Workspace).records == ()


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (("warm_pool: {t3.small: 2}", "warm_pool: {m5.xlarge: 1}"), "`sizes`"),
        (("warm_pool: {t3.small: 2}", "warm_pool: {t3.small: 99}"), "warm_pool"),
        (("properties:", "required: [rows]\n  properties:\n    rows: {title: Rows, type: integer}"), "default"),
    ],
)
def test_a_pool_that_cannot_be_is_a_finding(house, change, finding):
    with pytest.raises(ProductInvalid) as refused:
        house.rooms.catalog.check(WARM.replace(*change))
    assert finding in str([*refused.value.findings])

"""A launch: its price, its room, who may, and that two never take one last place."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from atoll.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    LimitExceeded,
    NotFound,
    NotPermitted,
    Unavailable,
)
from atoll.flows import change_workspace, manage_products, open_workspace
from atoll.flows.open_workspace import Launch
from atoll.model.workspace import Desired, MachineState, Workspace
from atoll.providers.simulator import SimulatedBackend

SMALL = Decimal("0.0369")


def launch(house, caller=None, price=SMALL, **asked):
    asked = {"product": "small", "project": "heart", **asked}
    return open_workspace.create(house.rooms, caller or house.ada, Launch(**asked), price)[1]


def test_a_quote_tells_the_price_and_writes_nothing(house):
    quote = open_workspace.quote(house.rooms, house.ada, Launch("small", "heart"))
    assert quote.size.name == "t3.small"
    assert quote.size.eur_per_hour == SMALL
    assert quote.eur_per_working_month == Decimal("6.40")
    assert (quote.name, quote.backend, quote.warnings) == ("small-1", "simulator", ())
    assert quote.parameters == {"theme": "light"}
    assert house.records.find(Workspace).records == ()
    assert house.audited("workspace.create") == []


def test_a_launch_is_wanted_and_on_record_and_calls_no_backend(house):
    workspace = launch(house, name="mine", size="m5.large", price=Decimal("0.0875"), parameters={"lines": 3})
    assert workspace.desired is Desired.RUNNING
    assert workspace.observed.state is MachineState.ABSENT
    assert (workspace.generation, workspace.observed_generation) == (1, 0)
    assert (workspace.owner, workspace.owner_login, workspace.project) == ("per_ada", "ada", "heart")
    assert (workspace.product, workspace.size, workspace.backend) == ("small@1", "m5.large", "simulator")
    assert workspace.eur_per_hour == Decimal("0.0875")
    assert workspace.parameters == {"theme": "light", "lines": 3}
    assert (workspace.expires_at - workspace.created_at).days == 30
    assert house.rooms.backends["simulator"].machines == {}
    (event,) = house.audited("workspace.create")
    assert event.target == f"workspace/{workspace.id}"
    assert event.details["eur_per_hour"] == "0.0875"


@pytest.mark.parametrize("price", [None, Decimal("0.03"), Decimal("0.04")])
def test_without_the_price_in_force_nothing_is_launched(house, price):
    with pytest.raises(Conflict, match=r"0\.0369"):
        launch(house, price=price)
    assert house.records.find(Workspace).records == ()


def test_who_may_launch_what_where(house):
    with pytest.raises(NotFound, match="project"):
        launch(house, project="lung")
    with pytest.raises(NotFound):
        launch(house, project="no-such")
    for caller in (house.admin, house.ann):
        with pytest.raises(NotPermitted):
            launch(house, caller)
    text = house.rooms.catalog.latest("small").text
    manage_products.publish_product(house.rooms, house.admin, text, frozenset({"lung"}))
    with pytest.raises(NotFound, match="product"):
        launch(house)
    launch(house, house.eve, project="lung")


def test_what_cannot_be_launched_is_refused_with_what_can(house):
    with pytest.raises(InvalidInput, match=r"t3\.small, t3\.nano, m5\.large"):
        launch(house, size="r5.large")
    with pytest.raises(NotFound):
        launch(house, product="no-such")
    with pytest.raises(NotFound):
        launch(house, product="small@9")
    with pytest.raises(InvalidInput, match="lines must be at least 1"):
        launch(house, parameters={"lines": 0})
    with pytest.raises(NotFound, match="backend"):
        launch(house, backend="moon")


def test_deprecated_warns_and_retired_refuses(house):
    manage_products.deprecate_product(house.rooms, house.admin, "small@1")
    quote = open_workspace.quote(house.rooms, house.ada, Launch("small", "heart"))
    assert quote.warnings == ("small@1 is deprecated; it will be retired.",)
    standing = launch(house)
    manage_products.retire_product(house.rooms, house.admin, "small@1")
    with pytest.raises(Conflict, match="retired"):
        launch(house)
    # What was launched from it goes on.
    house.seen(standing, "stopped")
    change_workspace.stop(house.rooms, house.ada, standing.id)
    assert change_workspace.wake(house.rooms, house.ada, standing.id).desired is Desired.RUNNING


def test_names_are_the_owners_own(house):
    assert launch(house).name == "small-1"
    assert launch(house).name == "small-2"
    assert launch(house, house.bob).name == "small-1"
    launch(house, name="mine")
    with pytest.raises(Conflict, match="name"):
        launch(house, name="mine")
    with pytest.raises(InvalidInput, match="name"):
        launch(house, name="Mine!")


def test_without_a_backend_no_machine_can_run(house):
    house.but(backends={})
    with pytest.raises(Unavailable):
        launch(house)


def test_a_backend_that_lacks_something_is_taken_last_and_said_why(house):
    import dataclasses

    from atoll.model.workspace import HibernateKind

    clock = house.rooms.clock
    full = house.rooms.backends["simulator"].capabilities
    poor = dataclasses.replace(full, hibernate=HibernateKind.NONE)
    bare = dataclasses.replace(full, mount=False)
    backends = {
        "bare": SimulatedBackend(clock, capabilities=bare),
        "poor": SimulatedBackend(clock, capabilities=poor),
        "full": SimulatedBackend(clock, capabilities=full),
    }
    house.but(backends=backends)
    assert launch(house).backend == "full"
    quote = open_workspace.quote(house.rooms, house.ada, Launch("small", "heart", backend="poor"))
    assert quote.warnings == ("Backend poor cannot hibernate, so it is stopped instead; what is in memory is lost.",)
    with pytest.raises(Conflict, match="bare lacks mount"):
        launch(house, backend="bare")


def test_each_quota_names_itself_and_its_figures(house):
    house.settings(person_vcpu=2.0)
    launch(house)
    launch(house)
    with pytest.raises(LimitExceeded, match="the person ada is 2 vCPU; 2 are taken and this needs 1"):
        launch(house)
    launch(house, house.bob)

    house.settings(person_vcpu=100.0, project_vcpu=3.5)
    with pytest.raises(LimitExceeded, match=r"the project heart is 3\.5 vCPU; 3 are taken"):
        launch(house, house.bob)
    launch(house, house.bob, size="t3.nano", price=Decimal("0.0092"))

    house.settings(project_vcpu=100.0, host_memory_bytes=8 * 2**30)
    with pytest.raises(
        LimitExceeded, match=r"this host is 8 GiB memory; 6\.5 GiB are taken and this needs 2 GiB"
    ) as full:
        launch(house, house.eve, project="lung")
    assert "smaller size" in full.value.todo


def test_what_is_stopped_gives_its_room_back_and_what_hibernates_keeps_its_memory(house):
    house.settings(person_vcpu=1.0, person_memory_bytes=3 * 2**30)
    first = launch(house)
    with pytest.raises(LimitExceeded):
        launch(house)
    house.seen(first, "running")
    change_workspace.hibernate(house.rooms, house.ada, first.id)
    with pytest.raises(LimitExceeded, match="vCPU"):
        launch(house)  # it still runs
    house.seen(first, "frozen")
    with pytest.raises(LimitExceeded, match="memory"):
        launch(house)
    change_workspace.stop(house.rooms, house.ada, first.id)
    house.seen(first, "stopped")
    launch(house)
    with pytest.raises(LimitExceeded):
        change_workspace.wake(house.rooms, house.ada, first.id)


def test_a_machine_of_which_nothing_is_known_keeps_its_room(house):
    house.settings(person_vcpu=1.0)
    first = launch(house)
    change_workspace.stop(house.rooms, house.ada, first.id)
    house.seen(first, "unknown")
    with pytest.raises(LimitExceeded):
        launch(house)


def test_of_many_launches_at_once_just_those_that_fit_go_through(house):
    house.settings(person_vcpu=3.0)
    refused, broken = [], []
    ready = threading.Barrier(8)

    def go():
        ready.wait()
        try:
            launch(house)
        except LimitExceeded as full:
            refused.append(full)
        except (Conflict, AlreadyExists) as other:
            broken.append(other)

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    standing = house.records.find(Workspace).records
    assert broken == []
    assert len(standing) == 3
    assert len(refused) == 5
    assert {ws.name for ws in standing} == {"small-1", "small-2", "small-3"}

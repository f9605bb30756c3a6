"""Launches that wait for room: their order, why they wait, that they start by themselves, and that all can end."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.errors import Conflict, LimitExceeded
from atoll.flows import change_workspace, manage_products, open_workspace, read_workspace
from atoll.flows.converge_workspace import converge_workspaces
from atoll.flows.open_workspace import Launch
from atoll.flows.queue_workspaces import admit_queued
from atoll.model.budget import Budget, BudgetHolder, BudgetRule, Spending
from atoll.model.person import Project
from atoll.model.workspace import Desired, Workspace
from atoll.workspaces.queue import Waiting, line_up
from atoll.workspaces.quotas import Amount, Quota

PRICES = {"t3.small": Decimal("0.0369"), "m5.large": Decimal("0.0875"), "t3.nano": Decimal("0.0092")}


def launch(house, caller=None, size="t3.small", *, queue=True, project="heart"):
    asked = Launch("small", project, size=size, queue=queue)
    return open_workspace.create(house.rooms, caller or house.ada, asked, PRICES[size])[1]


def shown(house, workspace, caller=None):
    return read_workspace.show(house.rooms, caller or house.admin, workspace.id)


def now(house, workspace):
    return house.records.get(Workspace, workspace.id)


@pytest.fixture
def full(house):
    """A host of two vCPU, of which one machine takes both."""
    house.settings(host_vcpu=2)
    return house, launch(house, size="m5.large")


def test_without_asking_for_it_a_launch_is_refused_and_where_there_is_room_none_waits(full):
    house, first = full
    assert not first.queued
    with pytest.raises(LimitExceeded, match="The quota of this host is 2 vCPU; 2 are taken and this needs 2"):
        launch(house, queue=False, size="m5.large")


def test_a_queued_one_shows_its_place_and_why_and_nothing_is_made_of_it(full):
    house, _ = full
    second, third = launch(house), launch(house, house.bob, size="t3.nano")
    assert (shown(house, second).state.word, shown(house, second).queue_place) == ("queued", 1)
    assert shown(house, second).state.reason == (
        "Place 1 in the queue. The quota of this host is 2 vCPU; 2 are taken and this needs 1."
    )
    assert shown(house, third).queue_place == 2
    assert shown(house, second).changing
    assert admit_queued(house.rooms) == 0
    converge_workspaces(house.rooms)
    converge_workspaces(house.rooms, unmet_only=True)
    assert [operation.subject for operation in house.operations()] == [f"workspace/{full[1].id}"]
    listed = read_workspace.list_workspaces(house.rooms, house.admin).views
    assert [view.queue_place for view in listed] == [2, 1, None]


def test_it_starts_by_itself_in_its_order_when_there_is_room(full):
    house, first = full
    second, third, fourth = launch(house), launch(house, house.bob, size="m5.large"), launch(house)
    house.seen(first, "running")
    change_workspace.terminate(house.rooms, house.ada, first.id)
    # It still runs: its room is not free yet.
    assert admit_queued(house.rooms) == 0
    house.records.put(now(house, first).but(terminated_at=house.rooms.clock.now()))
    assert admit_queued(house.rooms) == 1
    assert (now(house, second).queued, now(house, second).generation) == (False, 2)
    assert shown(house, second).state.word == "provisioning"
    # The large one needs more than is left, and the small one behind it does not pass.
    assert "came before it for room of this host" in shown(house, fourth).state.reason
    assert (shown(house, third).queue_place, shown(house, fourth).queue_place) == (1, 2)
    converge_workspaces(house.rooms)
    assert {o.subject for o in house.operations()} == {f"workspace/{second.id}"}
    with pytest.raises(LimitExceeded, match="came before it"):
        launch(house, queue=False)
    (event,) = house.audited("workspace.admit")
    assert event.target == f"workspace/{second.id}"


def test_one_persons_full_quota_holds_up_no_other_person(house):
    house.settings(person_vcpu=1)
    launch(house)
    waits = launch(house)
    assert waits.queued
    assert not launch(house, house.bob).queued
    assert "the person ada" in shown(house, waits).state.reason


def test_what_can_never_fit_is_refused_at_once(full):
    house, _ = full
    house.settings(project_vcpu=1)
    with pytest.raises(LimitExceeded, match="the project heart is 1 vCPU; 0 are taken and this needs 2"):
        launch(house, size="m5.large")


def test_a_queued_one_can_be_ended_and_stopped_and_nothing_else(full):
    house, _ = full
    one, two = launch(house), launch(house, house.bob)
    for order in (
        lambda: change_workspace.hibernate(house.rooms, house.ada, one.id),
        lambda: change_workspace.resize(house.rooms, house.ada, one.id, "t3.nano", PRICES["t3.nano"]),
    ):
        with pytest.raises(Conflict, match="waits for room"):
            order()
    assert change_workspace.wake(house.rooms, house.ada, one.id).queued
    change_workspace.terminate(house.rooms, house.ada, one.id)
    assert shown(house, one).state.word == "terminating"
    assert shown(house, two).queue_place == 1
    converge_workspaces(house.rooms)
    assert f"workspace/{one.id}" in {o.subject for o in house.operations() if o.story == "terminate_workspace"}
    assert change_workspace.stop(house.rooms, house.bob, two.id).desired is Desired.STOPPED
    assert shown(house, two).state.word != "queued"


def test_its_time_begins_when_it_starts(full):
    house, first = full
    waits = launch(house)
    house.rooms.clock.ahead += (waits.expires_at - waits.created_at) / 2
    house.records.put(now(house, first).but(terminated_at=house.rooms.clock.now()))
    assert admit_queued(house.rooms) == 1
    assert now(house, waits).expires_at > waits.expires_at


def test_whoever_may_launch_no_more_is_ended_when_the_turn_comes(full):
    house, first = full
    left, retired, fine = launch(house), launch(house, house.bob, size="t3.nano"), launch(house, house.bob)
    project = house.records.get(Project, "prj_heart")
    house.records.put(project.but(members=project.members - {house.ada.subject_id}))
    house.records.put(now(house, first).but(terminated_at=house.rooms.clock.now()))
    assert admit_queued(house.rooms) == 2
    assert now(house, left).desired is Desired.TERMINATED
    assert "might not launch it any more" in now(house, left).desired_because
    assert not now(house, retired).queued
    assert not now(house, fine).queued


def test_a_retired_product_is_not_started(full):
    house, first = full
    waits = launch(house)
    manage_products.retire_product(house.rooms, house.admin, "small@1")
    house.records.put(now(house, first).but(terminated_at=house.rooms.clock.now()))
    assert admit_queued(house.rooms) == 0
    assert now(house, waits).desired is Desired.TERMINATED


def test_a_budget_that_is_used_up_bars_its_own_and_nobody_else(full):
    house, first = full
    barred, passes = launch(house), launch(house, house.bob)
    month = house.rooms.clock.now().strftime("%Y-%m")
    house.records.put(Spending(id=month, by_user={"ada": Decimal(10)}))
    rule = BudgetRule(eur_per_month=Decimal(5))
    set_at = house.rooms.clock.now()
    house.records.put(
        Budget(id="user/ada", holder=BudgetHolder.USER, name="ada", rule=rule, set_by="root", set_at=set_at)
    )
    house.records.put(now(house, first).but(terminated_at=set_at))
    assert admit_queued(house.rooms) == 1
    assert now(house, barred).queued
    assert not now(house, passes).queued
    assert "budget of ada" in shown(house, barred).state.reason


def test_many_processes_admit_no_more_than_there_is_room_for(full):
    house, first = full
    waiting = [launch(house, caller) for caller in (house.ada, house.bob, house.ada, house.bob)]
    house.records.put(now(house, first).but(terminated_at=house.rooms.clock.now()))
    threads = [threading.Thread(target=admit_queued, args=(house.rooms,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    admit_queued(house.rooms)
    assert [now(house, one).queued for one in waiting] == [False, False, True, True]


AMOUNTS = st.builds(Amount, st.integers(1, 4).map(float), st.integers(1, 4))
LINES = st.lists(st.tuples(AMOUNTS, st.sampled_from("abc"), st.sampled_from("xy")), max_size=12)


@given(LINES, AMOUNTS, AMOUNTS, AMOUNTS)
def test_whoever_starts_fits_and_overtakes_nobody_who_needs_the_same(line, person, project, host):
    def quota(whose, limit):
        return Quota(whose, Amount(limit.vcpu * 2, limit.memory_bytes * 2), Amount(), "")

    waiting = [
        Waiting(str(n), asked, (quota(p, person), quota(q, project), quota("host", host)))
        for n, (asked, p, q) in enumerate(line)
    ]
    places = line_up(waiting)
    assert [place.id for place in places] == [one.id for one in waiting]
    taken: dict[str, Amount] = {}
    held: set[str] = set()
    for one, place in zip(waiting, places, strict=True):
        mine = {quota.whose for quota in one.quotas}
        fits = all(
            taken.get(q.whose, Amount()).vcpu + one.asked.vcpu <= q.limit.vcpu
            and taken.get(q.whose, Amount()).memory_bytes + one.asked.memory_bytes <= q.limit.memory_bytes
            for q in one.quotas
        )
        assert place.starts == (fits and not held & mine)
        assert bool(place.reason) != place.starts
        if place.starts:
            for whose in mine:
                taken[whose] = taken.get(whose, Amount()) + one.asked
        elif not fits:
            held |= {q.whose for q in one.quotas if _full(q, taken, one.asked)}


def _full(quota, taken, asked):
    after = taken.get(quota.whose, Amount()) + asked
    return after.vcpu > quota.limit.vcpu or after.memory_bytes > quota.limit.memory_bytes

"""What is wanted of a workspace: by whom, from which state, and that only the record is written."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from atoll.access import permissions
from atoll.errors import Conflict, InvalidInput, LimitExceeded, NotFound, NotPermitted
from atoll.flows import change_workspace as change
from atoll.flows import open_workspace, read_workspace, share_workspace
from atoll.flows.open_workspace import Launch
from atoll.model.person import Project
from atoll.model.workspace import Desired, HibernateKind, Workspace
from atoll.providers.simulator import SimulatedBackend


@pytest.fixture
def running(house):
    _, workspace = open_workspace.create(house.rooms, house.ada, Launch("small", "heart"), Decimal("0.0369"))
    return house.seen(workspace, "running")


VERBS = {
    "stop": change.stop,
    "hibernate": change.hibernate,
    "wake": change.wake,
    "extend": change.extend,
    "terminate": change.terminate,
    "resize": lambda rooms, caller, id: change.resize(rooms, caller, id, "t3.nano", Decimal("0.0092")),
    "share": lambda rooms, caller, id: share_workspace.share(rooms, caller, id, "bob"),
    "unshare": lambda rooms, caller, id: share_workspace.unshare(rooms, caller, id, "bob"),
    "show": read_workspace.show,
    "log": read_workspace.log,
}


def outcome(call, *arguments):
    try:
        call(*arguments)
    except (NotFound, NotPermitted) as refused:
        return type(refused).__name__
    except Conflict:
        return "let through"
    return "let through"


#: Of somebody else's workspace. `sharer` is a member it is shared with, `member` one it is not.
OTHERS = {
    "member": dict.fromkeys(VERBS, "NotFound"),
    "sharer": {**dict.fromkeys(VERBS, "NotPermitted"), "show": "let through", "log": "let through"},
    "stranger": dict.fromkeys(VERBS, "NotFound"),
    "admin": {
        **dict.fromkeys(VERBS, "NotPermitted"),
        **dict.fromkeys(("show", "log", "stop", "terminate"), "let through"),
    },
    "auditor": {**dict.fromkeys(VERBS, "NotPermitted"), "show": "let through", "log": "let through"},
}


@pytest.mark.parametrize("who", OTHERS)
def test_what_others_may_do_to_a_workspace(house, running, who):
    callers = {
        "member": house.bob,
        "sharer": house.bob,
        "stranger": house.eve,
        "admin": house.admin,
        "auditor": house.ann,
    }
    if who == "sharer":
        share_workspace.share(house.rooms, house.ada, running.id, "bob")
    found = {verb: outcome(call, house.rooms, callers[who], running.id) for verb, call in VERBS.items()}
    assert found == OTHERS[who]


def test_who_left_the_project_may_end_their_machine_but_not_run_it(house, running):
    share_workspace.share(house.rooms, house.ada, running.id, "bob")
    heart = house.records.get(Project, "prj_heart")
    house.records.put(heart.but(members=frozenset()))
    with pytest.raises(NotFound):
        read_workspace.show(house.rooms, house.bob, running.id)
    with pytest.raises(NotPermitted, match="no longer a member"):
        change.wake(house.rooms, house.ada, running.id)
    change.hibernate(house.rooms, house.ada, running.id)
    assert change.terminate(house.rooms, house.ada, running.id).desired is Desired.TERMINATED


def test_each_wish_is_a_generation_with_its_reason_and_its_entry(house, running):
    stopped = change.stop(house.rooms, house.ada, running.id)
    assert (stopped.desired, stopped.generation) == (Desired.STOPPED, 2)
    assert stopped.desired_because == "Asked by ada."
    assert change.stop(house.rooms, house.ada, running.id) == stopped
    ended = change.terminate(house.rooms, house.admin, running.id)
    assert (ended.generation, ended.desired_because) == (3, "Asked by root.")
    assert change.terminate(house.rooms, house.ada, running.id) == ended
    (entry,) = house.audited("workspace.terminate")
    assert (entry.caller.name, entry.details["owner"]) == ("root", "ada")
    assert len(house.audited("workspace.stop")) == 1
    assert house.rooms.backends["simulator"].machines == {}


@pytest.mark.parametrize("desired", list(Desired))
@pytest.mark.parametrize("state", ["absent", "starting", "running", "frozen", "stopped", "unknown"])
def test_terminate_is_legal_from_every_state(house, running, desired, state):
    house.seen(house.records.put(running.but(desired=desired)), state)
    assert change.terminate(house.rooms, house.ada, running.id).desired is Desired.TERMINATED


def test_what_is_terminated_is_nothing_else_any_more(house, running):
    change.terminate(house.rooms, house.ada, running.id)
    for verb in ("stop", "hibernate", "wake", "extend", "resize", "share"):
        with pytest.raises(Conflict, match="terminated"):
            VERBS[verb](house.rooms, house.ada, running.id)


def test_hibernate_and_wake(house, running):
    assert change.hibernate(house.rooms, house.ada, running.id).desired is Desired.HIBERNATED
    house.seen(running, "frozen")
    assert change.wake(house.rooms, house.ada, running.id).desired is Desired.RUNNING
    # On its way already: nothing new is wanted.
    assert change.wake(house.rooms, house.ada, running.id).generation == 3
    change.stop(house.rooms, house.ada, running.id)
    with pytest.raises(Conflict, match="no state to keep"):
        change.hibernate(house.rooms, house.ada, running.id)


def test_where_hibernation_is_missing_the_products_fallback_is_taken(house, running):
    full = house.rooms.backends["simulator"].capabilities
    poor = dataclasses.replace(full, hibernate=HibernateKind.NONE)
    house.but(backends={"simulator": SimulatedBackend(house.rooms.clock, capabilities=poor)})
    stopped = change.hibernate(house.rooms, house.ada, running.id)
    assert stopped.desired is Desired.STOPPED
    assert stopped.desired_because == "Hibernation was asked by ada; simulator cannot, so it is stopped."


def test_resize_asks_for_the_price_a_size_of_the_product_and_room(house, running):
    with pytest.raises(Conflict, match=r"0\.0875"):
        change.resize(house.rooms, house.ada, running.id, "m5.large", Decimal("0.0369"))
    with pytest.raises(InvalidInput, match=r"t3\.nano"):
        change.resize(house.rooms, house.ada, running.id, "r5.large", Decimal("0.115"))
    house.settings(person_memory_bytes=4 * 2**30)
    with pytest.raises(LimitExceeded, match="4 GiB memory; 0 GiB are taken"):
        change.resize(house.rooms, house.ada, running.id, "m5.large", Decimal("0.0875"))
    house.settings(person_memory_bytes=8 * 2**30)
    resized = change.resize(house.rooms, house.ada, running.id, "m5.large", Decimal("0.0875"))
    assert (resized.size, resized.eur_per_hour, resized.generation) == ("m5.large", Decimal("0.0875"), 2)
    assert read_workspace.show(house.rooms, house.ada, running.id).changing


def test_a_machine_that_cannot_be_resized_live_is_stopped_first(house, running):
    full = house.rooms.backends["simulator"].capabilities
    house.but(
        backends={
            "simulator": SimulatedBackend(house.rooms.clock, capabilities=dataclasses.replace(full, resize="stopped"))
        }
    )
    with pytest.raises(Conflict, match="cannot be resized while it stands"):
        change.resize(house.rooms, house.ada, running.id, "t3.nano", Decimal("0.0092"))
    change.stop(house.rooms, house.ada, running.id)
    house.seen(running, "stopped")
    assert change.resize(house.rooms, house.ada, running.id, "t3.nano", Decimal("0.0092")).size == "t3.nano"


def test_an_expired_workspace_wakes_once_it_is_extended(house, running):
    change.stop(house.rooms, house.ada, running.id)
    house.seen(running, "stopped")
    with pytest.raises(Conflict, match="as long"):
        change.extend(house.rooms, house.ada, running.id, 5)
    with pytest.raises(InvalidInput, match="1 to 30 days"):
        change.extend(house.rooms, house.ada, running.id, 31)
    house.rooms.clock.ahead = timedelta(days=31)
    with pytest.raises(Conflict, match="expired"):
        change.wake(house.rooms, house.ada, running.id)
    extended = change.extend(house.rooms, house.ada, running.id, 10)
    assert 9 < (extended.expires_at - house.rooms.clock.now()) / timedelta(days=1) <= 10
    assert extended.generation == 2  # nothing is asked of the machine
    assert change.wake(house.rooms, house.ada, running.id).desired is Desired.RUNNING


def test_only_members_are_shared_with(house, running):
    for login in ("eve", "no-such"):
        with pytest.raises(NotFound, match="in the project"):
            share_workspace.share(house.rooms, house.ada, running.id, login)
    with pytest.raises(Conflict):
        share_workspace.share(house.rooms, house.ada, running.id, "ada")
    assert share_workspace.share(house.rooms, house.ada, running.id, "bob").shared_with == {"bob"}
    assert read_workspace.show(house.rooms, house.bob, running.id).inside
    assert share_workspace.unshare(house.rooms, house.ada, running.id, "bob").shared_with == frozenset()
    with pytest.raises(NotFound):
        read_workspace.show(house.rooms, house.bob, running.id)
    assert len(house.audited("workspace.share")) == 1


def test_operators_see_a_machine_from_outside_only(house, running):
    assert not read_workspace.show(house.rooms, house.admin, running.id).inside
    assert read_workspace.log(house.rooms, house.admin, running.id).output is None


def test_lists_hold_what_one_may_see(house, running):
    _, other = open_workspace.create(house.rooms, house.eve, Launch("small", "lung"), Decimal("0.0369"))

    def ids(caller, **asked):
        return {view.workspace.id for view in read_workspace.list_workspaces(house.rooms, caller, **asked).views}

    assert ids(house.ada) == {running.id}
    assert ids(house.bob) == set()
    assert ids(house.admin) == {running.id, other.id}
    assert ids(house.admin, project="lung") == {other.id}
    share_workspace.share(house.rooms, house.ada, running.id, "bob")
    assert ids(house.bob) == {running.id}
    ended = house.records.get(Workspace, running.id)
    house.records.put(ended.but(desired=Desired.TERMINATED, terminated_at=house.rooms.clock.now()))
    assert ids(house.ada) == set()
    assert ids(house.ada, ended=True) == {running.id}


def test_a_change_finds_its_place_between_pollers(house, running, monkeypatch):
    """What is observed is written all the time; a wish must not be lost by it."""
    first = []
    record = house.rooms.audit.record

    def meddle(event, *writes):
        if not first:
            first.append(event)
            house.seen(running, "running", detail="Seen meanwhile.")
        return record(event, *writes)

    monkeypatch.setattr(house.rooms.audit, "record", meddle)
    stopped = change.stop(house.rooms, house.ada, running.id)
    assert stopped.desired is Desired.STOPPED
    assert stopped.observed.detail == "Seen meanwhile."
    assert len(house.audited("workspace.stop")) == 1


def test_the_machine_itself_is_reached_by_those_inside_as_long_as_they_are_members(house, running):
    heart = house.records.get(Project, "prj_heart")
    shared = share_workspace.share(house.rooms, house.ada, running.id, "bob")
    permissions.open_workspace(house.ada, shared, heart)
    permissions.open_workspace(house.bob, shared, heart)
    left = heart.but(members=frozenset())
    for caller, workspace, project in (
        (house.bob, running, heart),
        (house.admin, shared, heart),
        (house.ann, shared, heart),
        (house.eve, shared, heart),
        (house.ada, shared, left),
        (house.bob, shared, left),
    ):
        with pytest.raises((NotFound, NotPermitted)):
            permissions.open_workspace(caller, workspace, project)

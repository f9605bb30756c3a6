"""The idle rule and schedules on record: what is wanted, why, and never against a running cell."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, time, timedelta

import pytest
from tests.flows.mounting import add_people, workspace
from tests.workspaces.notebook_server import serving

from atoll.errors import Unavailable
from atoll.flows.idle_workspaces import Visits, idle_workspaces, why
from atoll.flows.schedule_workspaces import schedule_workspaces, set_hours
from atoll.model.person import Caller, Project, Role, SubjectKind
from atoll.model.schedule import Hours, WeeklyHours
from atoll.model.workspace import (
    Desired,
    HibernateKind,
    MachineState,
    Observed,
    Product,
    ProductVersion,
    Workspace,
)
from atoll.ports.backend import Capabilities, Figures, Observation

ADA = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_ada", name="ada", roles=frozenset({Role.SCIENTIST}))
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


class SetClock:
    def __init__(self):
        self.at = START

    def now(self):
        return self.at


class Machines:
    """As much of a backend as judging asks: figures, what is seen, what it can."""

    def __init__(self, socket):
        self.capabilities = Capabilities(HibernateKind.MEMORY, "live", False, True, "", "")
        self.socket = socket
        self.cpu_seconds = 0.0
        self.away = False

    def figures(self, workspace):
        return Figures(cpu_seconds=self.cpu_seconds, memory_bytes=0, processes=1, home_bytes=0)

    def observe(self, workspace):
        if self.away:
            raise Unavailable("The backend does not answer.")
        return Observation(workspace, "t", MachineState.RUNNING, socket=self.socket)


@pytest.fixture
def lab(rooms, tmp_path):
    machines = Machines(tmp_path / "jup.sock")
    made = dataclasses.replace(rooms, clock=SetClock(), backends={"sandbox": machines})
    add_people(made)
    add_product(made)
    with serving(machines.socket) as told:
        yield made, machines, told


def add_product(rooms, service="jupyter", **more):
    product = Product(name="jupyter", title="J", environment="jupyter", service=service, sizes=("t3.small",), **more)
    version = next(iter(rooms.records.find(ProductVersion).records), None)
    record = ProductVersion(
        id="jupyter@1",
        version=version.version if version else 0,
        name="jupyter",
        number=1,
        text="",
        product=product,
        published_by="root",
        published_at=START,
    )
    rooms.records.put(record)


def running(rooms, **more):
    return workspace(rooms, observed=Observed(state=MachineState.RUNNING, at=START), observed_generation=1, **more)


def later(rooms, **by):
    rooms.clock.at += timedelta(**by)


def now_as_text(rooms):
    return rooms.clock.now().isoformat()


def state(rooms):
    return rooms.records.get(Workspace, "wsp_1")


def test_it_hibernates_when_nothing_was_done_for_the_time_of_the_rule(lab):
    rooms, _, told = lab
    running(rooms)
    told.kernel("idle", START.isoformat())
    later(rooms, minutes=59)
    assert idle_workspaces(rooms) == 0
    assert why(rooms, "wsp_1").startswith("kept alive because ")
    assert state(rooms).desired is Desired.RUNNING
    later(rooms, minutes=2)
    assert idle_workspaces(rooms) == 1
    found = state(rooms)
    assert (found.desired, found.generation) == (Desired.HIBERNATED, 2)
    assert found.desired_because == why(rooms, "wsp_1")
    assert found.desired_because.startswith("hibernated because nothing runs and ")
    (event,) = [e.event for e in rooms.audit.tail(10) if e.event.action == "workspace.hibernate"]
    assert (event.caller.name, event.details["reason"]) == ("platform", found.desired_because)
    assert idle_workspaces(rooms) == 0, "it is on its way"


@pytest.mark.parametrize("action", ["hibernate", "stop"])
def test_a_running_cell_keeps_it_alive_for_days(lab, action):
    rooms, _, told = lab
    add_product(rooms, idle={"action": action})
    running(rooms)
    told.kernel("busy", START.isoformat())
    later(rooms, days=5)
    assert idle_workspaces(rooms) == 0
    assert why(rooms, "wsp_1") == "kept alive because a cell runs in fit.ipynb"


def test_a_cell_that_begins_while_it_is_judged_is_seen(lab):
    rooms, _, told = lab
    running(rooms)
    told.kernel("idle", START.isoformat())
    later(rooms, hours=2)

    def begin():
        if len(told.paths) == 3:
            told.kernel("busy", now_as_text(rooms))

    told.on_ask = begin
    assert idle_workspaces(rooms) == 0
    assert state(rooms).desired is Desired.RUNNING


def test_cpu_of_one_core_counts_between_passes(lab):
    rooms, machines, _ = lab
    running(rooms)
    idle_workspaces(rooms)
    later(rooms, hours=2)
    machines.cpu_seconds = 0.5 * 7200
    assert idle_workspaces(rooms) == 0
    assert why(rooms, "wsp_1") == "kept alive because it uses 50% of a core, 10% or more"
    later(rooms, minutes=30)
    assert idle_workspaces(rooms) == 0
    assert why(rooms, "wsp_1").startswith("kept alive because it last computed 30 min ago")
    later(rooms, minutes=31)
    assert idle_workspaces(rooms) == 1


def test_pages_and_requests_that_the_proxy_sees_count(lab):
    rooms, _, _ = lab
    running(rooms)
    later(rooms, hours=2)
    assert idle_workspaces(rooms, lambda _: Visits(connections=1)) == 0
    assert why(rooms, "wsp_1") == "kept alive because a page is open to it"
    recent = rooms.clock.now() - timedelta(minutes=5)
    assert idle_workspaces(rooms, lambda _: Visits(last_request=recent)) == 0
    assert idle_workspaces(rooms) == 1


def test_what_cannot_be_asked_is_kept(lab):
    rooms, machines, told = lab
    running(rooms)
    later(rooms, days=1)
    told.answers["kernels"] = (500, b"")
    assert idle_workspaces(rooms) == 0
    assert why(rooms, "wsp_1") == "kept alive because its kernels could not be asked"
    machines.away = True
    assert idle_workspaces(rooms) == 0
    assert state(rooms).desired is Desired.RUNNING


def test_a_job_is_never_idle(lab):
    rooms, _, _ = lab
    add_product(rooms, service="batch")
    running(rooms)
    later(rooms, days=1)
    assert idle_workspaces(rooms) == 0
    assert why(rooms, "wsp_1") == "kept alive because its job runs"


@pytest.mark.parametrize(("fallback", "desired"), [({"hibernate": "stop"}, Desired.STOPPED), ({}, Desired.RUNNING)])
def test_where_a_backend_cannot_hibernate_the_product_decides(lab, fallback, desired):
    rooms, machines, _ = lab
    machines.capabilities = dataclasses.replace(machines.capabilities, hibernate=HibernateKind.NONE)
    add_product(rooms, fallback=fallback)
    running(rooms)
    later(rooms, days=1)
    idle_workspaces(rooms)
    assert state(rooms).desired is desired


def test_only_machines_that_run_as_wanted_are_judged(lab):
    rooms, _, _ = lab
    running(rooms, desired=Desired.STOPPED)
    later(rooms, days=1)
    assert idle_workspaces(rooms) == 0
    assert why(rooms, "wsp_1") == ""


# --- hours

OFFICE = WeeklyHours(hours=(Hours(weekdays=frozenset(range(1, 6)), start=time(9), end=time(17)),))


def test_hours_wake_once_and_rest_when_nothing_runs(lab):
    rooms, _, told = lab
    running(rooms, desired=Desired.HIBERNATED)
    set_hours(rooms, ADA, "wsp_1", OFFICE)
    assert schedule_workspaces(rooms) == 0
    later(rooms, hours=1, minutes=1)
    assert schedule_workspaces(rooms) == 1
    assert state(rooms).desired is Desired.RUNNING
    # Who stops it within its hours is left in peace until the next day.
    rooms.records.put(state(rooms).but(desired=Desired.STOPPED))
    later(rooms, hours=2)
    assert schedule_workspaces(rooms) == 0
    later(rooms, days=1)
    assert schedule_workspaces(rooms) == 1
    awake = state(rooms)
    assert awake.desired is Desired.RUNNING
    rooms.records.put(
        awake.but(observed=Observed(state=MachineState.RUNNING, at=START), observed_generation=awake.generation)
    )
    rooms.clock.at = datetime(2026, 3, 3, 17, 1, tzinfo=UTC)
    told.kernel("busy", now_as_text(rooms))
    assert idle_workspaces(rooms) == 0
    told.kernel("idle", START.isoformat())
    assert idle_workspaces(rooms) == 1
    assert state(rooms).desired is Desired.HIBERNATED


def test_hours_set_while_they_go_on_wake_nothing(lab):
    rooms, _, _ = lab
    running(rooms, desired=Desired.STOPPED)
    later(rooms, hours=3)
    set_hours(rooms, ADA, "wsp_1", OFFICE)
    assert schedule_workspaces(rooms) == 0
    assert state(rooms).desired is Desired.STOPPED


def test_hours_of_one_who_left_the_project_start_nothing(lab):
    rooms, _, _ = lab
    running(rooms, desired=Desired.STOPPED)
    set_hours(rooms, ADA, "wsp_1", OFFICE)
    rooms.records.put(rooms.records.get(Project, "prj_heart").but(members=frozenset()))
    later(rooms, hours=2)
    assert schedule_workspaces(rooms) == 0
    assert state(rooms).desired is Desired.STOPPED
    (event,) = [e.event for e in rooms.audit.tail(10) if e.event.action == "workspace.start"]
    assert (event.allowed, event.details["error_code"]) == (False, "not_permitted")
    assert schedule_workspaces(rooms) == 0
    assert len([e for e in rooms.audit.tail(20) if e.event.action == "workspace.start"]) == 1


# --- end of life


def test_warned_once_then_rested_then_terminated(lab):
    rooms, _, _ = lab
    running(rooms)
    later(rooms, days=27)
    assert schedule_workspaces(rooms) == 1
    assert schedule_workspaces(rooms) == 0
    assert [e.event.action for e in rooms.audit.tail(1)] == ["workspace.warn"]
    later(rooms, days=3)
    assert schedule_workspaces(rooms) == 1
    rested = state(rooms)
    assert rested.desired is Desired.HIBERNATED
    assert "it is terminated on 2026-04-04 08:00 UTC unless extended" in rested.desired_because
    assert schedule_workspaces(rooms) == 0
    later(rooms, days=3)
    assert schedule_workspaces(rooms) == 1
    assert state(rooms).desired is Desired.TERMINATED
    assert schedule_workspaces(rooms) == 0


def test_an_extension_in_time_keeps_it_and_is_warned_of_anew(lab):
    rooms, _, _ = lab
    running(rooms)
    later(rooms, days=28)
    schedule_workspaces(rooms)
    rooms.records.put(state(rooms).but(expires_at=rooms.clock.now() + timedelta(days=30)))
    later(rooms, days=10)
    assert schedule_workspaces(rooms) == 0
    assert state(rooms).desired is Desired.RUNNING
    later(rooms, days=18)
    assert schedule_workspaces(rooms) == 1
    assert len([e for e in rooms.audit.tail(20) if e.event.action == "workspace.warn"]) == 2

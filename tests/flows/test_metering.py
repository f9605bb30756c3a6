"""Usage of machines on record: every second once, in one process or several, killed or not."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from tests.flows.mounting import add_people, workspace

from atoll.errors import Unavailable, VersionConflict
from atoll.flows.meter_workspaces import meter_workspace, meter_workspaces
from atoll.model.ledger import Metric
from atoll.model.meter import MachineMeter, Use
from atoll.model.workspace import Workspace
from atoll.ports.backend import Figures
from atoll.ports.records import Append

GB = 10**9


class SetClock:
    def __init__(self):
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self):
        return self.at


class Home:
    """The one thing of a backend that metering asks: how large the home is."""

    def __init__(self):
        self.home_bytes = GB
        self.away = False

    def figures(self, workspace):
        if self.away:
            raise Unavailable("The backend does not answer.")
        return Figures(cpu_seconds=0, memory_bytes=0, processes=0, home_bytes=self.home_bytes)


@pytest.fixture
def money(rooms):
    clock = SetClock()
    usage = type(rooms.usage)(rooms.records, clock, rooms.usage._books)
    made = dataclasses.replace(rooms, clock=clock, usage=usage, backends={"sandbox": Home()})
    add_people(made)
    return made


def pass_time(rooms, **by):
    rooms.clock.at += timedelta(**by)


def seen(rooms, state, id="wsp_1", **more):
    body = {"from": "", "to": state, "because": "seen", "at": rooms.clock.now().isoformat(), **more}
    rooms.records.transact([Append(f"workspace/{id}", (body,))])


def used(rooms, metric=Metric.MACHINE_SECONDS, month="2026-03"):
    return [r for r in rooms.usage.records_of(month) if r.metric is metric]


def seconds(rooms):
    return sum((r.quantity for r in used(rooms)), Decimal(0))


def test_running_is_paid_by_size_and_standing_by_home(money):
    workspace(money)
    seen(money, "starting")
    pass_time(money, seconds=2)
    seen(money, "running")
    pass_time(money, hours=1)
    seen(money, "frozen")
    pass_time(money, hours=23)
    meter_workspaces(money)
    (ran,) = used(money)
    assert (ran.quantity, ran.amount_eur) == (3600, Decimal("0.36"))
    assert (ran.user, ran.project, ran.product, ran.workspace) == ("ada", "heart", "jupyter@1", "wsp_1")
    assert (ran.until - ran.since).total_seconds() == 3600
    stored = used(money, Metric.MACHINE_STORED_BYTE_DAYS)
    assert [s.quantity for s in stored][-1] == pytest.approx(Decimal(23 * GB) / 24)
    report = money.usage.report("2026-03", "workspace")
    assert {line.key for line in report.lines} == {"wsp_1"}


def test_passes_at_any_time_charge_every_second_once(money):
    workspace(money)
    seen(money, "running")
    for minutes in (1, 7, 0, 30, 2, 61):
        pass_time(money, minutes=minutes)
        meter_workspaces(money)
        meter_workspaces(money)
    pass_time(money, minutes=1)
    seen(money, "stopped")
    meter_workspaces(money)
    assert seconds(money) == 102 * 60
    ends = [(r.since, r.until) for r in used(money)]
    assert all(before[1] == after[0] for before, after in pairwise(ends))
    assert len(ends) < 6, "what goes on is put into a record every five minutes at most"


def test_two_processes_never_charge_twice(money, monkeypatch):
    place = workspace(money)
    seen(money, "running")
    meter_workspaces(money)
    pass_time(money, hours=1)
    original = money.records.transact
    raced = []

    def between(writes):
        if not raced:
            raced.append(True)
            meter_workspace(money, place)
        original(writes)

    monkeypatch.setattr(money.records, "transact", between)
    with pytest.raises(VersionConflict):
        meter_workspace(money, place)
    assert seconds(money) == 3600


def test_killed_before_the_transaction_and_run_again(money, monkeypatch):
    workspace(money)
    seen(money, "running")
    pass_time(money, hours=2)
    original = money.records.transact

    def die(writes):
        if any(isinstance(write, Append) and write.stream.startswith("usage/") for write in writes):
            raise KeyboardInterrupt
        original(writes)

    monkeypatch.setattr(money.records, "transact", die)
    with pytest.raises(KeyboardInterrupt):
        meter_workspaces(money)
    monkeypatch.undo()
    meter_workspaces(money)
    assert seconds(money) == 7200


def test_one_that_came_and_went_between_two_passes_is_paid(money):
    meter_workspaces(money)
    pass_time(money, minutes=1)
    place = workspace(money)
    seen(money, "running")
    pass_time(money, seconds=20)
    seen(money, "absent")
    money.records.put(place.but(terminated_at=money.clock.now()))
    pass_time(money, seconds=20)
    meter_workspaces(money)
    assert seconds(money) == 20
    meter = money.records.get(MachineMeter, "wsp_1")
    assert meter.closed
    pass_time(money, hours=1)
    meter_workspaces(money)
    assert seconds(money) == 20
    assert money.records.get(MachineMeter, "wsp_1") == meter


def test_terminated_is_the_end_even_if_nobody_saw_it(money):
    place = workspace(money)
    seen(money, "running")
    pass_time(money, minutes=10)
    money.records.put(place.but(terminated_at=money.clock.now()))
    pass_time(money, minutes=10)
    meter_workspaces(money)
    assert seconds(money) == 600


def test_unknown_waits_and_is_resolved(money):
    workspace(money)
    seen(money, "running")
    pass_time(money, minutes=10)
    seen(money, "unknown")
    pass_time(money, hours=1)
    meter_workspaces(money)
    assert seconds(money) == 600
    seen(money, "running")
    meter_workspaces(money)
    assert seconds(money) == 4200


def test_a_new_size_has_its_price_from_when_it_is_seen(money):
    place = workspace(money)
    seen(money, "running")
    pass_time(money, hours=1)
    meter_workspaces(money)
    money.records.put(money.records.get(Workspace, place.id).but(eur_per_hour=Decimal("0.72")))
    pass_time(money, seconds=1)
    meter_workspaces(money)
    pass_time(money, hours=1)
    meter_workspaces(money)
    assert [(r.quantity, r.amount_eur.quantize(Decimal("0.0001"))) for r in used(money)] == [
        (3600, Decimal("0.3600")),
        (1, Decimal("0.0001")),
        (3600, Decimal("0.7200")),
    ]


def test_the_price_that_an_entry_tells_holds_from_there(money):
    workspace(money, eur_per_hour=Decimal("0.72"))
    seen(money, "running", eur_per_hour="0.36")
    pass_time(money, hours=1)
    seen(money, "stopped", eur_per_hour="0.72")
    seen(money, "running", eur_per_hour="0.72")
    pass_time(money, hours=1)
    seen(money, "stopped")
    meter_workspaces(money)
    assert [r.amount_eur for r in used(money)] == [Decimal("0.36"), Decimal("0.72")]


def test_the_time_of_the_store_is_taken_where_an_entry_tells_none(rooms):
    add_people(rooms)
    place = workspace(rooms)
    rooms.records.transact([Append("workspace/wsp_1", ({"from": "absent", "to": "running", "because": ""},))])
    rooms.records.transact([Append("workspace/wsp_1", ({"from": "running", "to": "stopped", "because": ""},))])
    assert meter_workspace(rooms, place)
    first, second = rooms.records.read("workspace/wsp_1")
    (record,) = used(rooms, month=f"{rooms.clock.now():%Y-%m}")
    assert (record.since, record.until) == (max(first.at, place.created_at), second.at)


def test_a_backend_that_is_away_leaves_the_home_as_last_seen(money):
    workspace(money)
    seen(money, "running")
    pass_time(money, hours=24)
    meter_workspaces(money)
    money.backends["sandbox"].away = True
    pass_time(money, hours=24)
    meter_workspaces(money)
    assert [r.quantity for r in used(money, Metric.MACHINE_STORED_BYTE_DAYS)] == [GB, GB]
    assert seconds(money) == 48 * 3600


def test_the_error_of_one_stops_no_other(money, monkeypatch):
    workspace(money)
    workspace(money, "wsp_2")
    seen(money, "running")
    seen(money, "running", "wsp_2")
    pass_time(money, hours=1)
    original = money.records.read

    def read(stream, **more):
        if stream == "workspace/wsp_1":
            raise Unavailable("The store does not answer.")
        return original(stream, **more)

    monkeypatch.setattr(money.records, "read", read)
    meter_workspaces(money)
    assert {r.workspace for r in used(money)} == {"wsp_2"}
    monkeypatch.undo()
    meter_workspaces(money)
    assert seconds(money) == 7200


def test_many_transitions_are_taken_in_parts(money):
    workspace(money)
    for _ in range(50):
        seen(money, "running")
        pass_time(money, seconds=1)
        seen(money, "frozen")
        pass_time(money, seconds=1)
    meter_workspaces(money)
    assert seconds(money) == 50
    assert money.records.get(MachineMeter, "wsp_1").point.use is Use.KEPT

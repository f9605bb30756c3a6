"""A budget warns, then hibernates, then lets nothing be launched; forgotten machines are told with their price."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.flows.mounting import add_people, workspace

from atoll.errors import BudgetExceeded, NotFound, NotPermitted, VersionConflict
from atoll.flows import manage_budgets, watch_budgets
from atoll.flows.meter_workspaces import meter_workspaces
from atoll.ledger import spending
from atoll.model.budget import BudgetHolder, BudgetRule, BudgetStage
from atoll.model.ledger import Metric
from atoll.model.person import Caller, Role, SubjectKind
from atoll.model.workspace import Desired, Workspace
from atoll.ports.records import Append

ADMIN = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_root", name="root", roles=frozenset({Role.ADMIN}))
ADA = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_ada", name="ada", roles=frozenset({Role.SCIENTIST}))
BEN = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_ben", name="ben", roles=frozenset({Role.SCIENTIST}))
ANN = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_ann", name="ann", roles=frozenset({Role.AUDITOR}))
GRACE = BudgetRule(eur_per_month=Decimal(100), hibernate_at=Decimal(1), block_at=Decimal("1.2"))


class SetClock:
    def __init__(self):
        self.at = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def now(self):
        return self.at


@pytest.fixture
def money(rooms):
    clock = SetClock()
    usage = type(rooms.usage)(rooms.records, clock, rooms.usage._books)
    made = dataclasses.replace(rooms, clock=clock, usage=usage)
    add_people(made)
    add_people(made, "lung", "ben")
    return made


def spend(rooms, eur, user="ada", project="heart"):
    charge = rooms.usage.charge(
        metric=Metric.MACHINE_SECONDS, quantity=Decimal(eur), unit_price_eur=Decimal(1), user=user, project=project
    )
    rooms.records.transact([charge])


def acts(rooms):
    return [entry.event.action for entry in rooms.audit.tail(1000) if entry.event.caller.name == "platform"]


def desired(rooms, id="wsp_1"):
    return rooms.records.get(Workspace, id).desired


def set_budget(rooms, rule=GRACE, holder=BudgetHolder.PROJECT, name="heart"):
    return manage_budgets.set_budget(rooms, ADMIN, holder, name, rule)


def test_each_threshold_in_its_order_once(money):
    workspace(money)
    workspace(money, "wsp_lung", "lung", "ben")
    set_budget(money)
    assert watch_budgets.watch_budgets(money) == 0
    told = []
    for eur, expected in ((49, []), (1, ["budget.warn"]), (29, []), (1, ["budget.warn"]), (19, [])):
        spend(money, eur)
        watch_budgets.watch_budgets(money)
        watch_budgets.watch_budgets(money)
        told += expected
        assert acts(money) == told
    assert desired(money) is Desired.RUNNING
    spend(money, 1)
    watch_budgets.watch_budgets(money)
    assert acts(money)[2:] == ["workspace.hibernate", "budget.hibernate"]
    hibernated = money.records.get(Workspace, "wsp_1")
    assert (hibernated.desired, hibernated.generation) == (Desired.HIBERNATED, 2)
    assert hibernated.desired_because == (
        "The budget of project heart for 2026-03 is used up: 100.00 of 100.00 EUR are spent."
    )
    assert desired(money, "wsp_lung") is Desired.RUNNING
    assert money.audit.verify().intact


def test_between_hibernation_and_block_one_may_wake_and_after_it_nothing_runs(money):
    place = workspace(money)
    set_budget(money)
    spend(money, 100)
    watch_budgets.watch_budgets(money)
    watch_budgets.check_launch(money, user="ada", project="heart")
    money.records.put(money.records.get(Workspace, place.id).but(desired=Desired.RUNNING, generation=3))
    watch_budgets.watch_budgets(money)
    assert desired(money) is Desired.RUNNING
    spend(money, 20)
    watch_budgets.watch_budgets(money)
    assert desired(money) is Desired.HIBERNATED
    with pytest.raises(BudgetExceeded, match="project heart for 2026-03 is used up: 120"):
        watch_budgets.check_launch(money, user="ada", project="heart")
    money.records.put(money.records.get(Workspace, place.id).but(desired=Desired.RUNNING, generation=5))
    watch_budgets.watch_budgets(money)
    assert desired(money) is Desired.HIBERNATED
    assert acts(money).count("budget.block") == 1
    # A larger budget lets it run again; so does a new month.
    set_budget(money, BudgetRule(eur_per_month=Decimal(1000)))
    watch_budgets.check_launch(money, user="ada", project="heart")
    set_budget(money)
    money.clock.at += timedelta(days=30)
    watch_budgets.check_launch(money, user="ada", project="heart")


def test_a_persons_budget_holds_in_every_project(money):
    workspace(money)
    workspace(money, "wsp_2", "heart", "ben")
    set_budget(money, BudgetRule(eur_per_month=Decimal(10)), BudgetHolder.USER, "ada")
    spend(money, 6, project="lung")
    spend(money, 5, project="heart")
    spend(money, 500, user="ben")
    watch_budgets.watch_budgets(money)
    assert (desired(money), desired(money, "wsp_2")) == (Desired.HIBERNATED, Desired.RUNNING)
    with pytest.raises(BudgetExceeded):
        watch_budgets.check_launch(money, user="ada", project="lung")
    watch_budgets.check_launch(money, user="ben", project="heart")


def test_the_sums_are_those_of_the_report(money):
    for index in range(30):
        spend(money, f"{index}.01", user=["ada", "ben"][index % 2], project=["heart", "lung", None][index % 3])
        if index % 7 == 0:
            spending.spending_of(money.records, "2026-03")
    summed = spending.spending_of(money.records, "2026-03")
    for by, sums in (("user", summed.by_user), ("project", summed.by_project)):
        lines = money.usage.report("2026-03", by).lines
        assert {line.key: line.amount_eur for line in lines if line.key != "-"} == sums


def test_two_watchers_sum_once(money, monkeypatch):
    spend(money, 7)
    original = money.records.put
    raced = []

    def put(record):
        if not raced:
            raced.append(True)
            spending.spending_of(money.records, "2026-03")
        return original(record)

    monkeypatch.setattr(money.records, "put", put)
    assert spending.spending_of(money.records, "2026-03").by_user == {"ada": Decimal(7)}


def test_a_workspace_changed_in_between_is_looked_at_anew(money, monkeypatch):
    workspace(money)
    set_budget(money, BudgetRule(eur_per_month=Decimal(10)))
    spend(money, 11)
    original = money.audit.record

    def record(event, *writes):
        if event.action == "workspace.hibernate":
            raise VersionConflict("The workspace was written by somebody else.")
        return original(event, *writes)

    monkeypatch.setattr(money.audit, "record", record)
    watch_budgets.watch_budgets(money)
    monkeypatch.undo()
    assert desired(money) is Desired.RUNNING
    watch_budgets.watch_budgets(money)
    assert desired(money) is Desired.HIBERNATED


@pytest.mark.parametrize(
    "facts",
    [
        {"eur_per_month": 0},
        {"eur_per_month": "0.001"},
        {"warn_at": ["0.8", "0.5"]},
        {"warn_at": ["0"]},
        {"warn_at": ["1"]},
        {"hibernate_at": "1.1", "block_at": "1"},
        {"block_at": "NaN"},
    ],
)
def test_a_rule_that_does_not_hold_is_refused(facts):
    with pytest.raises(ValueError, match=r"."):
        BudgetRule.model_validate({"eur_per_month": 10, **facts})
    assert BudgetRule.model_validate({"eur_per_month": 10}).block_at == 1


def test_who_sees_and_sets(money):
    set_budget(money)
    set_budget(money, holder=BudgetHolder.USER, name="ben")
    spend(money, 60)
    for caller, expected in (
        (ADMIN, {"heart", "ben"}),
        (ANN, {"heart", "ben"}),
        (ADA, {"heart"}),
        (BEN, {"ben"}),
    ):
        assert {found.name for found in manage_budgets.list_budgets(money, caller)} == expected
    (mine,) = manage_budgets.list_budgets(money, ADA)
    assert (mine.spent_eur, mine.part, mine.stage) == (60, Decimal("0.6"), BudgetStage.WARNED)
    for caller in (ADA, ANN):
        with pytest.raises(NotPermitted):
            manage_budgets.set_budget(money, caller, BudgetHolder.USER, "ada", GRACE)
    with pytest.raises(NotFound):
        set_budget(money, name="nothing")
    with pytest.raises(NotFound):
        set_budget(money, holder=BudgetHolder.USER, name="nobody")


def test_forgotten_machines_the_dearest_first(money):
    for number, (state, login, project) in enumerate(
        (
            ("stopped", "ada", "heart"),
            ("running", "ada", "heart"),
            ("running", "ben", "lung"),
            ("absent", "ada", "heart"),
        )
    ):
        workspace(money, f"wsp_{number}", project, login)
        body = {"from": "", "to": state, "because": "", "at": money.clock.now().isoformat()}
        money.records.transact([Append(f"workspace/wsp_{number}", (body,))])
    money.clock.at += timedelta(days=20)
    workspace(money, "wsp_new")
    meter_workspaces(money)
    mine = manage_budgets.list_forgotten(money, ADA)
    assert [(m.workspace, m.use, m.days, m.eur_per_day) for m in mine] == [
        ("wsp_1", "running", 20, Decimal("8.64")),
        ("wsp_0", "kept", 20, Decimal(0)),
    ]
    assert {m.workspace for m in manage_budgets.list_forgotten(money, ANN)} == {"wsp_0", "wsp_1", "wsp_2"}
    assert manage_budgets.list_forgotten(money, ADA, days=21) == ()

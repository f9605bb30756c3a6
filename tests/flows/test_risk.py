"""A delivery in which people could be recognised waits whole; the report of a version is kept."""

from __future__ import annotations

import pytest
from tests.flows.test_admission import rows_of
from tests.flows.trial import CONTRACT, LAB, REVIEWER, admit, hand_over, put_in_force

from atoll.errors import Conflict, NotFound
from atoll.flows import assess_risk, receive_delivery
from atoll.flows.replay_delivery import reject, replay
from atoll.model.delivery import DeliveryState
from atoll.model.person import PLATFORM
from atoll.model.risk import RiskState


def asking(policy: str, text: str = CONTRACT) -> str:
    return text.replace('    files: ["subjects*.csv"]\n', f'    files: ["subjects*.csv"]\n    risk: {policy}\n')


HOLDS = asking("{quasi_identifiers: [AGE], min_k: 3, max_risk: 0.5}")
WARNS = asking("{quasi_identifiers: [AGE], min_k: 3, max_risk: 0.5, above: warn}")


def people(first: int, ages: list[str]) -> bytes:
    return "\n".join(
        ["ID,NAME,AGE,SEEN", *(f"S-{first + n},N,{age},2020-02-01" for n, age in enumerate(ages))]
    ).encode()


def staged(rooms):
    return list((rooms.settings.home / "lake").rglob("*.parquet"))


def shown(rooms, delivery):
    return receive_delivery.show(rooms, LAB, delivery.id)


def test_above_the_threshold_all_waits_and_enters_once_others_came(trial):
    put_in_force(trial, HOLDS)
    delivery = hand_over(
        trial,
        {
            "subjects.csv": people(1, ["30", "30", "41", "old"]),
            "visits.csv": b"ID,VISIT,AT\nS-1,1,2020-02-01T10:00:00Z\n",
        },
    )
    admit(trial)
    view = shown(trial, delivery)
    outcome = view.delivery.outcome
    assert view.state is DeliveryState.HELD
    assert (outcome.rows_in, outcome.rows_committed, outcome.rows_quarantined) == (5, 0, 5)
    assert {file.rule for file in outcome.files} == {"risk"}
    assert "3 of 3 people stand in groups of fewer than 3 by age; the smallest group has 1" in outcome.files[0].message
    assert staged(trial) == [], "nothing treated stays in the lake"
    with pytest.raises(NotFound):
        assess_risk.show_risk(trial, PLATFORM, "trial")
    # Others of the same age: this one is admitted, and now the first is within the threshold, too.
    other = hand_over(trial, {"subjects-2.csv": people(10, ["41", "41", "41", "30", "30", "30"])})
    admit(trial)
    assert shown(trial, other).state is DeliveryState.COMMITTED
    replay(trial, REVIEWER, delivery.id)
    admit(trial)
    view = shown(trial, delivery)
    after = view.delivery.outcome
    assert (view.state, after.rows_committed, after.rows_quarantined) == (DeliveryState.COMMITTED, 4, 1)
    assert rows_of(trial, "trial", "subjects").height == 9
    risk = assess_risk.show_risk(trial, PLATFORM, "trial")
    assert (risk.state, risk.number, risk.passes) == (RiskState.READY, 2, True)
    assert (risk.tables[0].people, risk.tables[0].smallest_group, risk.tables[0].counted_by) == (9, 4, "subject_id")
    assert assess_risk.show_risk(trial, PLATFORM, "trial", 1).tables[0].people == 6


def test_rows_held_one_by_one_stay_held_when_their_replay_is(trial):
    put_in_force(trial, HOLDS)
    first = hand_over(trial, {"subjects.csv": people(1, ["30", "30", "30", "old"])})
    admit(trial)
    assert shown(trial, first).delivery.outcome.rows_quarantined == 1
    put_in_force(trial, HOLDS.replace("min: 0, max: 120}", "min: 0, max: 120, description: years}"))
    put_in_force(
        trial,
        HOLDS.replace("{treat: keep, type: integer, min: 0, max: 120}", "{treat: map, to: {'30': '30', old: '99'}}"),
    )
    replay(trial, REVIEWER, first.id)
    admit(trial)
    view = shown(trial, first)
    outcome = view.delivery.outcome
    assert (view.state, outcome.rows_in, outcome.rows_committed, outcome.rows_quarantined) == (
        DeliveryState.COMMITTED,
        4,
        3,
        1,
    )
    (row,) = receive_delivery.quarantined(trial, LAB, first.id)
    assert (row.row, row.column) == (4, "AGE")


def test_a_contract_that_warns_lets_it_enter_and_says_so(trial):
    put_in_force(trial, WARNS)
    delivery = hand_over(trial, {"subjects.csv": people(1, ["30", "31", "32"])})
    admit(trial)
    assert shown(trial, delivery).state is DeliveryState.COMMITTED
    risk = assess_risk.show_risk(trial, PLATFORM, "trial")
    assert (risk.passes, risk.tables[0].unique_people, len(risk.tables[0].exceeded)) == (False, 3, 2)


def test_what_entered_before_is_assessed_once_a_contract_asks(trial):
    hand_over(trial, {"subjects.csv": people(1, ["30", "30", "30"])})
    admit(trial)
    assert assess_risk.show_risk(trial, PLATFORM, "trial").state is RiskState.NONE
    assert assess_risk.assess_datasets(trial) == 0
    put_in_force(trial, HOLDS)
    assert assess_risk.show_risk(trial, PLATFORM, "trial").state is RiskState.PENDING
    assert (assess_risk.assess_datasets(trial), assess_risk.assess_datasets(trial)) == (1, 0)
    risk = assess_risk.show_risk(trial, PLATFORM, "trial")
    assert (risk.state, risk.contract, risk.passes) == (RiskState.READY, "trial@2", True)


def test_a_held_delivery_can_be_rejected_for_good(trial):
    put_in_force(trial, HOLDS)
    delivery = hand_over(trial, {"subjects.csv": people(1, ["30"])})
    admit(trial)
    reject(trial, REVIEWER, delivery.id, "sent by mistake")
    assert shown(trial, delivery).state is DeliveryState.REJECTED
    with pytest.raises(Conflict):
        replay(trial, REVIEWER, delivery.id)

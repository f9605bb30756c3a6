"""What a contract asks of all rows together holds a delivery whole, and a replay lets it in."""

from __future__ import annotations

import pytest
from tests.flows.trial import CONTRACT, LAB, REVIEWER, SUBJECTS, VISITS, admit, hand_over, put_in_force

from atoll.flows import receive_delivery
from atoll.flows.replay_delivery import replay
from atoll.model.delivery import DeliveryState

UNIQUE = CONTRACT.replace("as: subject_id, required: true,", "as: subject_id, required: true, unique: true,", 1)
SECOND = CONTRACT.index("  visits:")
REFERS = CONTRACT[:SECOND] + CONTRACT[SECOND:].replace("required: true,", "required: true, references: subjects.ID,", 1)
STRICT = CONTRACT.replace('    files: ["subjects*.csv"]\n', '    files: ["subjects*.csv"]\n    max_held: 0.3\n')


def outcome(rooms, delivery):
    view = receive_delivery.show(rooms, LAB, delivery.id)
    whole = view.delivery.outcome
    assert whole.rows_in == whole.rows_committed + whole.rows_quarantined
    return view.state, {file.rule for file in whole.files}, whole


def test_a_value_that_may_stand_once(trial):
    put_in_force(trial, UNIQUE)
    first = hand_over(trial, {"subjects.csv": b"ID,NAME,AGE,SEEN\nS-1,A,1,2020-02-01\nS-2,B,1,2020-02-01\n"})
    admit(trial)
    assert outcome(trial, first)[0] is DeliveryState.COMMITTED
    twice = hand_over(trial, {"subjects-2.csv": b"ID,NAME,AGE,SEEN\nS-2,B,1,2020-02-01\nS-3,C,1,2020-02-01\n"})
    admit(trial)
    state, rules, whole = outcome(trial, twice)
    assert (state, rules, whole.rows_committed) == (DeliveryState.HELD, {"unique"}, 0)
    assert "2 rows have a value in subjects.subject_id that another row has" in whole.files[0].message
    within = hand_over(trial, {"subjects-3.csv": b"ID,NAME,AGE,SEEN\nS-8,B,1,2020-02-01\nS-8,C,1,2020-02-01\n"})
    admit(trial)
    assert outcome(trial, within)[0] is DeliveryState.HELD


def test_what_is_referred_to_must_be_there(trial):
    put_in_force(trial, REFERS)
    alone = hand_over(trial, {"visits.csv": VISITS})
    admit(trial)
    state, rules, whole = outcome(trial, alone)
    assert (state, rules) == (DeliveryState.HELD, {"references"})
    assert (
        "3 rows have a value in visits.subject_id that does not stand in subjects.subject_id" in whole.files[0].message
    )
    hand_over(trial, {"subjects.csv": SUBJECTS})
    admit(trial)
    replay(trial, REVIEWER, alone.id)  # under the same contract: what it waits for has come
    admit(trial)
    state, _, whole = outcome(trial, alone)
    assert (state, whole.rows_committed) == (DeliveryState.COMMITTED, 3)


@pytest.mark.parametrize(("most", "state"), [("0.3", DeliveryState.HELD), ("0.34", DeliveryState.COMMITTED)])
def test_too_many_bad_rows_hold_all(trial, most, state):
    put_in_force(trial, STRICT.replace("0.3", most))
    delivery = hand_over(trial, {"subjects.csv": SUBJECTS, "visits.csv": VISITS})
    admit(trial)
    found, rules, whole = outcome(trial, delivery)
    assert found is state
    if state is DeliveryState.HELD:
        assert rules == {"bad_rows"}
        assert "1 of 3 rows break the contract" in whole.files[0].message
    put_in_force(trial, CONTRACT.replace("max: 120", "max: 121"))
    replay(trial, REVIEWER, delivery.id)
    admit(trial)
    assert outcome(trial, delivery)[2].rows_committed == 5

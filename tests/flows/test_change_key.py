"""A domain's key is rotated or destroyed by two persons, and what it means is said and true."""

from __future__ import annotations

import pytest
from tests.flows.test_admission import rows_of
from tests.flows.trial import AUTHOR, LAB, REVIEWER, admit, hand_over

from atoll.deid import DomainKey
from atoll.errors import Conflict, NotFound, NotPermitted
from atoll.flows import change_key, receive_delivery
from atoll.model.delivery import DeliveryState
from atoll.model.key_change import KeyAct, KeyChangeState
from atoll.model.person import Caller, SubjectKind

PERSON = b"ID,NAME,AGE,SEEN\nS-1,Ada,36,2020-02-01\n"


def admitted(rooms, name):
    delivery = hand_over(rooms, {name: PERSON})
    admit(rooms)
    return receive_delivery.show(rooms, LAB, delivery.id)


def test_a_rotated_key_gives_another_pseudonym_and_needs_two(trial):
    admitted(trial, "subjects.csv")
    before = trial.keyring.keys("person")
    change = change_key.ask(trial, AUTHOR, "person", KeyAct.ROTATE, "a laptop was lost")
    assert any("another pseudonym" in line for line in change.meaning)
    assert any("can still be opened" in line for line in change.meaning)
    assert "trial" in change.meaning[0]
    with pytest.raises(NotPermitted, match="themselves"):
        change_key.approve(trial, AUTHOR, change.id, "fine")
    with pytest.raises(Conflict, match="waits already"):
        change_key.ask(trial, REVIEWER, "person", KeyAct.DESTROY, "another wish")
    assert trial.keyring.keys("person") == before
    done = change_key.approve(trial, REVIEWER, change.id, "agreed")
    after = trial.keyring.keys("person")
    assert (done.state, done.new_key_id) == (KeyChangeState.DONE, after.key_id)
    assert before.pseudonym_key != after.pseudonym_key
    assert before.offset_key != after.offset_key
    with pytest.raises(Conflict, match="decided already"):
        change_key.approve(trial, REVIEWER, change.id, "again")
    admitted(trial, "subjects-2.csv")
    assert rows_of(trial, "trial", "subjects")["subject_id"].n_unique() == 2
    assert {"key.ask", "key.rotate"} <= {entry.event.action for entry in trial.audit.tail(50)}


def test_a_destroyed_key_is_gone_and_admission_says_so(trial):
    change = change_key.ask(trial, AUTHOR, "person", KeyAct.DESTROY, "the study is over")
    change_key.approve(trial, REVIEWER, change.id, "agreed")
    assert trial.records.get(DomainKey, "person").sealed == ""
    with pytest.raises(Conflict, match="destroyed"):
        trial.keyring.keys("person")
    (state,) = change_key.domains(trial, AUTHOR)
    assert (state.key_id, state.datasets) == (None, ("trial",))
    view = admitted(trial, "subjects.csv")
    assert view.state is DeliveryState.FAILED
    assert "was destroyed" in view.operation.failure.message
    with pytest.raises(Conflict):
        change_key.ask(trial, AUTHOR, "person", KeyAct.DESTROY, "again")
    again = change_key.ask(trial, AUTHOR, "person", KeyAct.ROTATE, "the study goes on")
    change_key.approve(trial, REVIEWER, again.id, "agreed")
    assert trial.keyring.keys("person").key_id


def test_a_change_is_never_done_to_another_key_than_was_asked(trial):
    change = change_key.ask(trial, AUTHOR, "person", KeyAct.DESTROY, "over")
    key = trial.records.get(DomainKey, "person")
    trial.records.put(trial.keyring.rotated(key))
    with pytest.raises(Conflict, match="another key by now"):
        change_key.approve(trial, REVIEWER, change.id, "agreed")
    assert trial.keyring.keys("person")
    assert change_key.refuse(trial, REVIEWER, change.id, "stale").state is KeyChangeState.REFUSED


def test_who_asked_may_take_it_back_and_others_may_not(trial):
    change = change_key.ask(trial, AUTHOR, "person", KeyAct.ROTATE, "why not")
    with pytest.raises(NotPermitted):
        change_key.withdraw(trial, REVIEWER, change.id)
    assert change_key.withdraw(trial, AUTHOR, change.id).state is KeyChangeState.WITHDRAWN
    with pytest.raises(NotFound):
        change_key.meaning(trial, AUTHOR, "nobody", KeyAct.ROTATE)
    with pytest.raises(NotPermitted):
        change_key.domains(trial, Caller(subject_kind=SubjectKind.PERSON, subject_id="per_x", name="x"))

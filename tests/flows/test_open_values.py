"""Encrypted values: two persons open them, the one named gets them once, and nobody reads them otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.flows.test_admission import rows_of
from tests.flows.trial import AUTHOR, REVIEWER, add_lab, admit, hand_over, put_in_force

from atoll.deid import DomainKey
from atoll.errors import Conflict, InvalidInput, NotFound, NotPermitted
from atoll.flows import change_key, open_values
from atoll.model.key_change import KeyAct
from atoll.model.opening import OpeningState
from atoll.model.person import Caller, Person, Role, SubjectKind

CONTRACT = """\
dataset: trial
title: A trial whose names two persons can open
domains:
  person: {description: Subjects}
  sealed: {description: Names}
tables:
  subjects:
    files: ["subjects*.csv"]
    format: csv
    subject: ID
    columns:
      ID: {treat: pseudonymize, domain: person, as: subject_id}
      NAME: {treat: encrypt, domain: sealed}
      PHONE: {treat: encrypt, domain: sealed, as: telephone}
"""
FILE = b"ID,NAME,PHONE\nS-1,Ada Quux,061\nS-2,Ben Quux,062\nS-3,,\n"
THIRD = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_third", name="third", roles=frozenset({Role.STEWARD}))


@pytest.fixture
def sealed(rooms):
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    hand_over(rooms, {"subjects.csv": FILE})
    admit(rooms)
    return rooms


def asked(rooms, **more):
    which = more or {"whole": True}
    return open_values.ask(rooms, AUTHOR, dataset="trial", table="subjects", reason="an unexpected finding", **which)


def later(rooms, monkeypatch, **time):
    now = rooms.clock.now() + timedelta(**time)
    monkeypatch.setattr(type(rooms.clock), "now", lambda self: now)


def test_two_persons_open_and_one_gets_them_once(sealed, tmp_path):
    lake = rows_of(sealed, "trial", "subjects")
    assert "Quux" not in lake.write_csv()
    whom = lake["subject_id"][1]
    opening = asked(sealed, subjects=(whom,), columns=("name",))
    assert (opening.cells, opening.recipient) == (1, "author")
    with pytest.raises(Conflict, match="approved it yet"):
        open_values.take(sealed, AUTHOR, opening.id)
    with pytest.raises(NotPermitted, match="Nobody decides"):
        open_values.approve(sealed, AUTHOR, opening.id, "fine")
    open_values.approve(sealed, REVIEWER, opening.id, "agreed")
    for stranger in (REVIEWER, THIRD):
        with pytest.raises(NotPermitted, match="another person"):
            open_values.take(sealed, stranger, opening.id)
    (opened,) = open_values.take(sealed, AUTHOR, opening.id)
    assert (opened.subject, opened.column, opened.value) == (whom, "name", "Ben Quux")
    assert opened.encrypted == lake["name"][1]
    with pytest.raises(Conflict, match="handed once"):
        open_values.take(sealed, AUTHOR, opening.id)
    with pytest.raises(Conflict, match="waits no more"):
        open_values.approve(sealed, THIRD, opening.id, "again")
    told = [entry.event for entry in sealed.audit.tail(20) if entry.event.action.startswith("opening.")]
    assert {event.action for event in told} == {"opening.ask", "opening.approve", "opening.take"}
    kept = b"".join(path.read_bytes() for path in sealed.settings.home_dir.glob("records.db*"))
    assert b"Quux" not in kept, "what was opened is written nowhere"


def test_values_and_whole_tables_may_be_asked_for(sealed):
    lake = rows_of(sealed, "trial", "subjects")
    one = asked(sealed, values=(lake["telephone"][0],))
    everything = asked(sealed)
    for opening in (one, everything):
        open_values.approve(sealed, REVIEWER, opening.id, "agreed")
    assert [cell.value for cell in open_values.take(sealed, AUTHOR, one.id)] == ["061"]
    assert sorted(cell.value for cell in open_values.take(sealed, AUTHOR, everything.id)) == [
        "061",
        "062",
        "Ada Quux",
        "Ben Quux",
    ]


def test_who_gets_them_does_not_decide_and_may_be_somebody_else(sealed):
    now = sealed.clock.now()
    for login, active, role in (
        ("doctor", True, "scientist"),
        ("gone", False, "scientist"),
        ("admin", True, "admin"),
    ):
        person = Person(
            id=f"per_{login}", login=login, display_name=login, active=active, roles=frozenset({role}), created_at=now
        )
        sealed.records.put(person)
    for nobody in ("gone", "admin"):
        with pytest.raises(InvalidInput, match="may not be given"):
            asked(sealed, whole=True, recipient=nobody)
    with pytest.raises(NotFound):
        asked(sealed, whole=True, recipient="unheard")
    opening = asked(sealed, whole=True, recipient="doctor")
    doctor = Caller(
        subject_kind=SubjectKind.PERSON, subject_id="per_doctor", name="doctor", roles=frozenset({Role.SCIENTIST})
    )
    twice = doctor.but(roles=frozenset({Role.STEWARD}))
    with pytest.raises(NotPermitted, match="would get"):
        open_values.approve(sealed, twice, opening.id, "mine")
    assert open_values.openings(sealed, doctor).records == (opening,)
    other = doctor.but(subject_id="per_other", name="other")
    assert open_values.openings(sealed, other).records == ()
    for deed in (open_values.show, open_values.take):
        with pytest.raises(NotFound):
            deed(sealed, other, opening.id)
    open_values.approve(sealed, REVIEWER, opening.id, "agreed")
    with pytest.raises(NotPermitted):
        open_values.take(sealed, AUTHOR, opening.id)
    assert len(open_values.take(sealed, doctor, opening.id)) == 4


def test_time_ends_requests_and_results(sealed, monkeypatch):
    opening, late = asked(sealed), asked(sealed)
    open_values.approve(sealed, REVIEWER, opening.id, "agreed")
    later(sealed, monkeypatch, hours=25)
    assert open_values.show(sealed, AUTHOR, opening.id).state_at(sealed.clock.now()) is OpeningState.EXPIRED
    with pytest.raises(Conflict, match="is over"):
        open_values.take(sealed, AUTHOR, opening.id)
    later(sealed, monkeypatch, days=7)
    with pytest.raises(Conflict, match="expired"):
        open_values.approve(sealed, REVIEWER, late.id, "too late")


def test_refused_and_withdrawn_ones_open_nothing(sealed):
    refused, withdrawn = asked(sealed), asked(sealed)
    assert open_values.refuse(sealed, REVIEWER, refused.id, "no need").state is OpeningState.REFUSED
    with pytest.raises(NotPermitted):
        open_values.withdraw(sealed, REVIEWER, withdrawn.id)
    assert open_values.withdraw(sealed, AUTHOR, withdrawn.id).state is OpeningState.WITHDRAWN
    for opening in (refused, withdrawn):
        with pytest.raises(Conflict, match="It was"):
            open_values.take(sealed, AUTHOR, opening.id)


def test_a_rotated_key_opens_and_a_destroyed_one_never(sealed):
    def change(act):
        made = change_key.ask(sealed, AUTHOR, "sealed", act, "due")
        change_key.approve(sealed, REVIEWER, made.id, "agreed")

    change(KeyAct.ROTATE)
    opening = asked(sealed, columns=("name",), whole=True)
    open_values.approve(sealed, REVIEWER, opening.id, "agreed")
    assert len(open_values.take(sealed, AUTHOR, opening.id)) == 2
    waiting = asked(sealed)
    open_values.approve(sealed, REVIEWER, waiting.id, "agreed")
    change(KeyAct.DESTROY)
    assert sealed.records.get(DomainKey, "person").sealed, "the domain of pseudonyms stands"
    with pytest.raises(Conflict, match="nobody can open"):
        open_values.take(sealed, AUTHOR, waiting.id)
    with pytest.raises(Conflict, match="nobody can open"):
        asked(sealed)


def test_what_cannot_be_opened_is_told(sealed):
    cases = [
        ({}, InvalidInput),
        ({"whole": True, "subjects": ("x",)}, InvalidInput),
        ({"subjects": ("nobody",)}, InvalidInput),
        ({"values": ("enc1:AAAA",)}, InvalidInput),
        ({"whole": True, "columns": ("subject_id",)}, InvalidInput),
        ({"whole": True, "table": "visits"}, NotFound),
    ]
    for which, error in cases:
        with pytest.raises(error):
            open_values.ask(sealed, AUTHOR, **{"dataset": "trial", "table": "subjects", "reason": "x", **which})
    auditor = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_a", name="a", roles=frozenset({Role.AUDITOR}))
    with pytest.raises(NotPermitted):
        open_values.ask(sealed, auditor, dataset="trial", table="subjects", reason="x", whole=True)
    opening = asked(sealed)
    assert open_values.show(sealed, auditor, opening.id) == opening

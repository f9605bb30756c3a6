"""Killed between any two steps, the airlock converges; and what machines and contracts add to it."""

from __future__ import annotations

import dataclasses

import pytest
from tests.flows.trial import CONTRACT, put_in_force

from atoll.errors import InvalidInput, Unavailable
from atoll.flows import check_airlock, request_airlock, review_airlock
from atoll.model.airlock import AirlockRequest, AirlockState, Decision, Direction
from atoll.model.operation import Operation
from atoll.model.person import Caller, Person, Project, Role, SubjectKind
from atoll.ports.records import Put
from atoll.wiring import platform


def person(name, role):
    return Caller(subject_kind=SubjectKind.PERSON, subject_id=f"per_{name}", name=name, roles=frozenset({role}))


ADA = person("ada", Role.SCIENTIST)
REX, SUE = person("rex", Role.STEWARD), person("sue", Role.STEWARD)


@pytest.fixture
def heart(rooms):
    now = rooms.clock.now()
    rooms.records.transact(
        [
            Put(Person(id="per_ada", login="ada", display_name="A", roles=ADA.roles, created_at=now)),
            Put(Project(id="prj", name="heart", title="H", members=frozenset({"per_ada"}), created_at=now)),
        ]
    )
    return rooms


def submitted(rooms, content=b"group,n\nA,120\n", direction=Direction.OUT):
    made = request_airlock.open_request(rooms, ADA, project="heart", direction=direction, purpose="p", destination="d")
    request_airlock.put_file(rooms, ADA, made.id, 0, "t.csv", [content])
    return request_airlock.submit(rooms, ADA, made.id).id


def run(rooms):
    platform.runner(rooms).run_open()


def now_of(rooms, id):
    return rooms.records.get(AirlockRequest, id)


def approve(rooms, id):
    for who in (REX, SUE):
        files = now_of(rooms, id).files
        said = [Decision(index=n, sha256=f.sha256, approve=True, reason="r") for n, f in enumerate(files)]
        review_airlock.review(rooms, who, id, said)


def due(rooms):
    """Let every operation that waits for another attempt have it now."""
    for operation in rooms.operations.open():
        rooms.records.put(operation.but(retry_at=None))


class Dies:
    """A part that does its work and then fails, the first time."""

    def __init__(self, part, name):
        self._part, self._name, self.left = part, name, 1

    def __getattr__(self, name):
        real = getattr(self._part, name)
        if name != self._name:
            return real

        def call(*args, **kwargs):
            done = real(*args, **kwargs)
            if self.left:
                self.left -= 1
                raise Unavailable("the process died here")
            return done

        return call


@pytest.mark.parametrize("part", [("airlock", "whole"), ("audit", "record")])
def test_checks_that_die_are_done_once(heart, part):
    id = submitted(heart)
    run(dataclasses.replace(heart, **{part[0]: Dies(getattr(heart, part[0]), part[1])}))
    due(heart)
    run(heart)
    assert now_of(heart, id).state is AirlockState.REVIEW
    assert [e.event.action for e in heart.audit.tail(100)].count("airlock.check") == 1
    assert heart.operations.open() == ()


@pytest.mark.parametrize("part", [("shares", "place"), ("audit", "record")])
def test_placing_that_dies_places_once(heart, part):
    id = submitted(heart, direction=Direction.IN)
    run(heart)
    approve(heart, id)
    run(dataclasses.replace(heart, **{part[0]: Dies(getattr(heart, part[0]), part[1])}))
    due(heart)
    run(heart)
    found = now_of(heart, id)
    assert found.state is AirlockState.PLACED
    assert found.placed == {0: f"/project/incoming/{id}/t.csv"}
    assert [e.event.action for e in heart.audit.tail(100)].count("airlock.place") == 1
    events = [e for e in heart.records.read("flows") if e.body["job"]["name"] == "transfer.heart"]
    assert len(events) == 1


def test_what_cannot_be_placed_goes_back_to_who_asked(heart):
    id = submitted(heart, direction=Direction.IN)
    run(heart)
    heart.shares.place("heart", f"incoming/{id}/t.csv", [b"somebody was here first"])
    approve(heart, id)
    for _ in range(6):
        run(heart)
        due(heart)
    assert now_of(heart, id).state is AirlockState.REFUSED
    request_airlock.put_file(heart, ADA, id, 0, "t2.csv", [b"a,b\n"])
    assert now_of(heart, id).state is AirlockState.DRAFT


def test_withdrawn_while_it_is_checked_it_stays_so(heart):
    id = submitted(heart)
    request_airlock.withdraw(heart, ADA, id)
    run(heart)
    assert now_of(heart, id).state is AirlockState.WITHDRAWN
    assert heart.operations.open() == ()


def test_checks_that_cannot_be_done_give_the_request_back(heart):
    id = submitted(heart)
    (heart.settings.airlock_path / now_of(heart, id).files[0].blob).write_bytes(b"broken")
    run(heart)
    assert now_of(heart, id).state is AirlockState.DRAFT
    (operation,) = heart.records.find(Operation).records
    assert operation.failure is not None and operation.failure.error_code == "integrity_broken"


def test_pseudonyms_of_the_contracts_in_force_do_not_leave(heart):
    put_in_force(heart, CONTRACT.replace("as: subject_id,", "as: subject_id, prefix: SUB-, length: 20,"))
    assert {(p.prefix, p.length) for p in check_airlock._pseudonyms(heart)} >= {("SUB-", 20)}
    id = submitted(heart, b"note,n\nSUB-0123456789abcdef0123,120\n")
    run(heart)
    assert now_of(heart, id).state is AirlockState.RETURNED
    assert "pseudonym" in {f.check for f in now_of(heart, id).files[0].findings or ()}


def test_a_table_that_differs_by_few_from_a_release_of_the_project_is_told(heart):
    first = submitted(heart, b"group,n\nA,120\nB,50\n")
    run(heart)
    approve(heart, first)
    second = submitted(heart, b"group,n\nA,123\nB,50\n")
    run(heart)
    (finding,) = [f for f in now_of(heart, second).files[0].findings or () if f.check == "difference"]
    assert first in finding.message and "123" not in finding.message


def test_a_workspace_that_is_not_the_callers_is_not_named(heart):
    with pytest.raises(InvalidInput):
        request_airlock.open_request(
            heart, ADA, project="heart", direction=Direction.OUT, purpose="p", destination="d", workspace="wsp_x"
        )

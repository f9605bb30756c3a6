"""The life of an airlock request: whatever is done in whatever order, nothing leaves without two approvals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atoll.access import airlock_policies as policies
from atoll.access.airlock_policies import TRANSITIONS, Act
from atoll.errors import AtollError, Conflict, InvalidInput, NotPermitted
from atoll.model.airlock import (
    FINAL,
    AirlockFile,
    AirlockFinding,
    AirlockRequest,
    AirlockState,
    Decision,
    Direction,
    Severity,
)
from atoll.model.person import Caller, Person, Project, Role, SubjectKind

NOW = datetime(2030, 1, 1, tzinfo=UTC)
RELEASE = timedelta(days=14)
PEOPLE = ("asker", "member", "one", "two", "three")
INSIDERS = frozenset({"asker", "member"})


def caller(name):
    return Caller(subject_kind=SubjectKind.PERSON, subject_id=name, name=name, roles=frozenset({Role.STEWARD}))


def project(*more):
    return Project(id="p", name="heart", title="", members=INSIDERS | set(more), created_at=NOW)


def file(name="a.csv", content="0"):
    return AirlockFile(name=name, size_bytes=1, sha256=content * 64, blob=content * 32, sealed_key="", added_at=NOW)


def request(direction=Direction.OUT, **fields):
    return AirlockRequest(
        id="air_1",
        project="heart",
        direction=direction,
        purpose="p",
        destination="d",
        requester_id="asker",
        requester="asker",
        opened_at=NOW,
        changed_at=NOW,
        **fields,
    )


def looked_at(of, *, refused=()):
    def findings(index):
        bad = AirlockFinding(check="small_cells", severity=Severity.REFUSE, file=index, message="m")
        return (bad,) if index in refused else ()

    return [one.but(form="csv", findings=findings(n)) for n, one in enumerate(of.files)]


def in_review(direction=Direction.OUT, files=1):
    made = request(direction)
    for n in range(files):
        made = policies.with_file(made, n, file(f"{n}.csv", str(n)), NOW)
    made = policies.submitted(made, "op_1", NOW)
    return policies.checked(made, looked_at(made), NOW)


def decide(of, who, *, approve=(True,), of_project=None):
    said = [
        Decision(index=n, sha256=one.sha256, approve=approve[n % len(approve)], reason="r")
        for n, one in enumerate(of.files)
    ]
    return policies.reviewed(of, caller(who), of_project or project(), said, now=NOW, release=RELEASE)


def test_two_approvals_release_and_what_one_refuses_stays():
    made = decide(decide(in_review(files=2), "one"), "two", approve=(True, False))
    assert made.state is AirlockState.RELEASED
    assert policies.approved(made) == {0}
    assert [(g.index, g.person_id) for g in made.grants] == [(0, "asker")]
    assert decide(decide(in_review(), "one"), "two", approve=(False,)).state is AirlockState.REFUSED
    assert decide(decide(in_review(Direction.IN), "one"), "two").state is AirlockState.PLACING


@pytest.mark.parametrize("who", ["asker", "member"])
def test_who_asked_or_is_of_the_project_does_not_review(who):
    with pytest.raises(NotPermitted):
        decide(in_review(), who)


def test_nobody_reviews_twice_and_a_later_member_counts_no_more():
    once = decide(in_review(), "one")
    with pytest.raises(Conflict):
        decide(once, "one")
    # The first reviewer joined the project: two others are needed.
    again = decide(once, "two", of_project=project("one"))
    assert again.state is AirlockState.REVIEW
    assert decide(again, "three", of_project=project("one")).state is AirlockState.RELEASED


def test_a_review_is_of_all_files_of_this_content_with_a_reason():
    made = in_review(files=2)
    good = [Decision(index=n, sha256=f.sha256, approve=True, reason="r") for n, f in enumerate(made.files)]
    for bad, error in (
        (good[:1], InvalidInput),
        ([good[0], good[0]], InvalidInput),
        ([good[0], good[1].but(sha256="f" * 64)], Conflict),
        ([good[0], good[1].but(reason=" ")], InvalidInput),
    ):
        with pytest.raises(error):
            policies.reviewed(made, caller("one"), project(), bad, now=NOW, release=RELEASE)


def test_other_bytes_are_approved_by_nobody():
    made = decide(decide(in_review(), "one"), "two")
    changed = made.but(files=(made.files[0].but(sha256="f" * 64),))
    assert policies.approved(changed) == frozenset()
    with pytest.raises(NotPermitted):
        policies.fetchable(changed, caller("asker"), 0, NOW)


def test_a_release_is_fetched_once_by_the_named_person_in_time():
    made = decide(decide(in_review(), "one"), "two")
    for who in ("member", "one"):
        with pytest.raises(NotPermitted):
            policies.fetchable(made, caller(who), 0, NOW)
    with pytest.raises(Conflict):
        policies.fetchable(made, caller("asker"), 0, NOW + RELEASE)
    grant = policies.fetchable(made, caller("asker"), 0, NOW)
    used = policies.fetched(made, grant, NOW)
    with pytest.raises(Conflict, match="fetched already"):
        policies.fetchable(used, caller("asker"), 0, NOW)
    person = Person(id="member", login="member", display_name="", roles=frozenset(), created_at=NOW)
    more = policies.granted(used, caller("two"), project(), 0, person, NOW + RELEASE, NOW)
    assert policies.fetchable(more, caller("member"), 0, NOW)
    with pytest.raises(Conflict):
        policies.fetchable(more, caller("asker"), 0, NOW)
    with pytest.raises(NotPermitted):
        policies.granted(used, caller("asker"), project(), 0, person, NOW + RELEASE, NOW)
    with pytest.raises(InvalidInput):
        policies.granted(used, caller("two"), project(), 0, person.but(id="one"), NOW + RELEASE, NOW)
    assert policies.expired(more, NOW + RELEASE).state is AirlockState.EXPIRED


def test_every_state_leads_to_an_end_and_only_ends_are_ends():
    leaves = {state: {to for (at, _), to in TRANSITIONS.items() if at is state} for state in AirlockState}
    for state in AirlockState:
        assert (leaves[state] == set()) == (state in FINAL), state
        reached, waiting = {state}, [state]
        while waiting:
            for to in leaves[waiting.pop()] - reached:
                reached.add(to)
                waiting.append(to)
        assert reached & FINAL, state
    # In every state but the ends and what the platform is doing, who asked can do something.
    asker = {Act.CHANGE, Act.SUBMIT, Act.WITHDRAW, Act.FETCH}
    for state in set(AirlockState) - FINAL - {AirlockState.PLACING}:
        assert any((state, act) in TRANSITIONS for act in asker), state
    assert {act for (_, act), to in TRANSITIONS.items() if to in (AirlockState.RELEASED, AirlockState.PLACING)} == {
        Act.RELEASE,
        Act.ADMIT,
        Act.GRANT,
        Act.FETCH,
    }


_PERSON = st.sampled_from(PEOPLE)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 2), st.sampled_from("0123")),
        st.tuples(st.just("remove"), st.integers(0, 2)),
        st.tuples(st.just("submit")),
        st.tuples(st.just("check"), st.sets(st.integers(0, 2), max_size=1)),
        st.tuples(st.just("check_fail")),
        st.tuples(st.just("review"), _PERSON, st.tuples(st.booleans(), st.booleans())),
        st.tuples(st.just("review"), _PERSON, st.just((True, True))),
        st.tuples(st.just("join"), _PERSON),
        st.tuples(st.just("fetch"), _PERSON, st.integers(0, 2)),
        st.tuples(st.just("grant"), _PERSON, _PERSON),
        st.tuples(st.just("place")),
        st.tuples(st.just("place_fail")),
        st.tuples(st.just("expire")),
        st.tuples(st.just("withdraw")),
    ),
    max_size=30,
)


@settings(max_examples=300)
@given(direction=st.sampled_from(Direction), steps=_STEPS)
def test_nothing_is_released_without_two_different_qualified_approvals_of_its_content(direction, steps):
    made, members = request(direction), set(INSIDERS)
    #: What really happened: who approved which content while neither asking nor of the project.
    approvals: dict[tuple[int, str], set[str]] = {}
    fetches: dict[str, int] = {}
    for step in steps:
        before = made
        now_project = Project(id="p", name="heart", title="", members=frozenset(members), created_at=NOW)
        try:
            made = _do(made, step, now_project, members, approvals, fetches)
        except AtollError:
            assert made is before
        if made.state is not before.state:
            assert any(at is before.state and to is made.state for (at, _), to in TRANSITIONS.items())
        for index in policies.approved(made):
            content = made.files[index].sha256
            assert len(approvals.get((made.round, content), set())) >= 2
            assert not made.files[index].refused
    assert all(count == 1 for count in fetches.values())


def _do(made, step, of, members, approvals, fetches):
    kind, *rest = step
    if kind == "put":
        return policies.with_file(made, rest[0], file(f"{rest[0]}.csv", rest[1]), NOW)
    if kind == "remove":
        return policies.without_file(made, rest[0], NOW)
    if kind == "submit":
        return policies.submitted(made, "op", NOW)
    if kind == "check":
        return policies.checked(made, looked_at(made, refused=rest[0]), NOW)
    if kind == "check_fail":
        return policies.unchecked(made, NOW)
    if kind == "review":
        who, approve = rest
        done = decide(made, who, approve=approve, of_project=of)
        assert who != "asker" and who not in of.members
        for n, one in enumerate(made.files):
            if approve[n % 2]:
                approvals.setdefault((made.round, one.sha256), set()).add(who)
        return done
    if kind == "join":
        members.add(rest[0])
        return made
    if kind == "fetch":
        grant = policies.fetchable(made, caller(rest[0]), rest[1], NOW)
        assert grant.person_id == rest[0] and made.direction is Direction.OUT
        fetches[grant.id] = fetches.get(grant.id, 0) + 1
        return policies.fetched(made, grant, NOW)
    if kind == "grant":
        person = Person(id=rest[1], login=rest[1], display_name="", roles=frozenset(), created_at=NOW)
        return policies.granted(made, caller(rest[0]), of, 0, person, NOW + RELEASE, NOW)
    if kind == "place":
        return policies.placed(made, dict.fromkeys(policies.approved(made), "x"), NOW)
    if kind == "place_fail":
        return policies.not_placed(made, NOW)
    if kind == "expire":
        return policies.expired(made, NOW + RELEASE)
    return policies.withdrawn(made, NOW)

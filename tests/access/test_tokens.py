from __future__ import annotations

import re
from datetime import timedelta

import pytest

from atoll.access import tokens
from atoll.access.tokens import TokenRefused
from atoll.model.person import ApiToken, Person, Role, Source, SubjectKind


@pytest.fixture
def person(records, clock):
    return records.put(
        Person(
            id="per_1",
            login="ada",
            display_name="Ada",
            roles=frozenset({Role.STEWARD}),
            created_at=clock.now(),
        )
    )


def given(records, clock, subject_id="per_1", kind=SubjectKind.PERSON, **lifetime):
    token, secret = tokens.mint(
        subject_kind=kind,
        subject_id=subject_id,
        label="test",
        now=clock.now(),
        expires_at=clock.now() + timedelta(**(lifetime or {"days": 1})),
    )
    return records.put(token), secret


def test_a_secret_is_long_random_and_not_on_record(records, clock, person):
    token, secret = given(records, clock)
    assert re.fullmatch(r"atoll_[A-Za-z0-9_-]{43}", secret)
    assert secret not in records.get(ApiToken, token.id).model_dump_json()
    assert len({given(records, clock)[1] for _ in range(20)}) == 20


def test_the_caller_is_who_the_token_speaks_for(records, clock, person):
    token, secret = given(records, clock)
    caller = tokens.authenticate(records, clock, secret, address="10.0.0.9", request_id="req_1")
    assert (caller.name, caller.subject_id, caller.token_id) == ("ada", "per_1", token.id)
    assert (caller.address, caller.request_id, caller.roles) == ("10.0.0.9", "req_1", {Role.STEWARD})


def test_a_source_has_no_roles(records, clock):
    records.put(Source(id="src_1", name="lab", title="Lab", datasets=frozenset({"d"}), created_at=clock.now()))
    _, secret = given(records, clock, "src_1", SubjectKind.SOURCE)
    caller = tokens.authenticate(records, clock, secret)
    assert (caller.name, caller.subject_kind, caller.roles) == ("lab", SubjectKind.SOURCE, frozenset())


def refusal(records, clock, secret):
    with pytest.raises(TokenRefused) as refused:
        tokens.authenticate(records, clock, secret)
    assert secret not in str(refused.value)
    return refused.value.reason


@pytest.mark.parametrize("secret", ["", "atoll_", "atoll_short", "x" * 49, "atoll_" + "é" * 43])
def test_what_is_no_token_is_refused(records, clock, secret):
    with pytest.raises(TokenRefused) as refused:
        tokens.authenticate(records, clock, secret)
    assert refused.value.reason == "malformed"


def test_a_token_of_another_platform_is_unknown(records, clock, person):
    assert refusal(records, clock, "atoll_" + "A" * 43) == "unknown"


def test_a_token_ends_at_its_time_and_not_before(records, clock, person):
    _, secret = given(records, clock, seconds=60)
    clock.move(seconds=59)
    assert tokens.authenticate(records, clock, secret).name == "ada"
    clock.move(seconds=1)
    assert refusal(records, clock, secret) == "expired"


def test_a_revoked_token_is_refused(records, clock, person):
    token, secret = given(records, clock)
    records.put(token.but(revoked_at=clock.now()))
    assert refusal(records, clock, secret) == "revoked"


def test_the_tokens_of_the_deactivated_stop_and_roles_are_read_each_time(records, clock, person):
    _, secret = given(records, clock)
    person = records.put(person.but(roles=frozenset({Role.AUDITOR})))
    assert tokens.authenticate(records, clock, secret).roles == {Role.AUDITOR}
    records.put(person.but(active=False))
    assert refusal(records, clock, secret) == "deactivated"


def test_a_token_whose_person_is_gone_is_refused(records, clock):
    _, secret = given(records, clock, "per_gone")
    assert refusal(records, clock, secret) == "gone"

"""Who leaves the issuer leaves here: asked again by refresh tokens, at the provider that gives a new one each time."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from tests.services.oidc import OidcProvider
from tests.sign_on.test_oidc import CALLBACK, open_clinic, sign_on

from atoll.errors import Unavailable
from atoll.flows.ask_issuer import ask_issuer
from atoll.model.person import Person
from atoll.model.vouched import Vouched
from atoll.ports.identity import AnswerLost
from atoll.wiring import platform

GROUPS = ["/atoll/science"]
PEOPLE = {
    f"sub-{n}": {"name": n.title(), "preferred_username": n, "groups": GROUPS} for n in ("ada", "bo", "cy", "dot")
}


@pytest.fixture(scope="module")
def provider():
    provider = OidcProvider(CALLBACK, PEOPLE)
    provider.start(kid="first")
    yield provider
    provider.stop()


@pytest.fixture
def clinic(provider, tmp_path):
    provider.tell(PEOPLE)
    site, rooms = open_clinic(provider, tmp_path)
    site.add_project("trial")
    yield site
    platform.close(rooms)


def in_there(clinic, provider, *who):
    browsers = [sign_on(clinic, provider, f"sub-{one}")[0] for one in who]
    assert all(signed_in(browser) for browser in browsers)
    return browsers


def signed_in(browser):
    return browser.send("GET", "/session").status_code == 200


def later(clinic, **time):
    clinic.clock.ahead += timedelta(**(time or {"seconds": 50}))
    return ask_issuer(clinic.rooms)


def person(clinic, login):
    return clinic.rooms.records.find(Person, where={"login": login}).records[0]


def vouched(clinic, login):
    return clinic.rooms.records.get(Vouched, person(clinic, login).id)


def test_a_leaver_is_out_within_a_minute_and_nobody_else(clinic, provider):
    ada, bo = in_there(clinic, provider, "ada", "bo")
    for _ in range(3):
        assert later(clinic) == 0
    assert signed_in(ada) and signed_in(bo)
    provider.tell({name: of for name, of in PEOPLE.items() if name != "sub-bo"})
    assert later(clinic) == 1
    assert signed_in(ada) and not signed_in(bo)
    assert person(clinic, "bo").left_at is not None
    assert clinic.audited("person.leave")[-1].target == f"person/{person(clinic, 'bo').id}"
    # Back in the directory, and signed on again.
    provider.tell(PEOPLE)
    (bo,) = in_there(clinic, provider, "bo")
    assert later(clinic) == 0 and signed_in(bo)


def test_groups_are_followed_and_who_is_in_none_has_left(clinic, provider):
    (ada,) = in_there(clinic, provider, "ada")
    provider.tell(PEOPLE | {"sub-ada": PEOPLE["sub-ada"] | {"groups": ["/other"]}})
    later(clinic)
    assert not signed_in(ada) and not person(clinic, "ada").active


def test_tokens_are_kept_sealed_and_a_new_one_each_time(clinic, provider):
    in_there(clinic, provider, "ada")
    seen = set()
    for _ in range(3):
        seen.add(vouched(clinic, "ada").sealed)
        later(clinic)
    assert len(seen) == 3
    assert "refresh_token" not in repr(vouched(clinic, "ada"))
    assert person(clinic, "ada").vouched_until > clinic.rooms.clock.now() + timedelta(hours=36)


def test_several_processes_ask_once(clinic, provider):
    """A token used twice would be taken for stolen, and everybody for a leaver."""
    ada, bo = in_there(clinic, provider, "ada", "bo")
    for _ in range(3):
        clinic.clock.ahead += timedelta(seconds=50)
        threads = [threading.Thread(target=ask_issuer, args=(clinic.rooms,)) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert signed_in(ada) and signed_in(bo) and later(clinic) == 0


def test_an_issuer_that_is_away_makes_no_leaver_until_the_grace_is_over(clinic, provider):
    (ada,) = in_there(clinic, provider, "ada")
    later(clinic)
    provider.stop()
    try:
        for _ in range(2):
            with pytest.raises(Unavailable):
                later(clinic, hours=1)
        assert person(clinic, "ada").active
        with pytest.raises(Unavailable):
            later(clinic, hours=clinic.rooms.settings.oidc_grace_hours)
        assert not person(clinic, "ada").active and not signed_in(ada)
    finally:
        provider.start(kid="again")


def test_an_issuer_that_has_forgotten_everybody_is_not_believed(clinic, provider):
    browsers = in_there(clinic, provider, "ada", "bo", "cy")
    provider.stop()
    provider.start(kid="empty")
    with pytest.raises(Unavailable, match="everybody"):
        later(clinic)
    assert all(map(signed_in, browsers))


def test_an_answer_that_was_lost_makes_nobody_a_leaver_but_asks_for_a_sign_in(clinic, provider, monkeypatch):
    """The provider has used the token up, and what it gave for it never arrived."""
    (ada,) = in_there(clinic, provider, "ada")
    issuer = clinic.rooms.sign_on.issuer
    renew = issuer.renew

    def lost(token):
        renew(token)
        raise AnswerLost("The connection broke.")

    monkeypatch.setattr(issuer, "renew", lost)
    with pytest.raises(Unavailable):
        later(clinic)
    monkeypatch.setattr(issuer, "renew", renew)
    assert signed_in(ada)
    with pytest.raises(Unavailable):
        later(clinic)
    assert person(clinic, "ada").active and not signed_in(ada)
    (ada,) = in_there(clinic, provider, "ada")
    assert later(clinic) == 0 and signed_in(ada)


def test_an_issuer_that_no_longer_knows_atoll_makes_no_leaver(clinic, provider, monkeypatch):
    in_there(clinic, provider, "ada")
    issuer = clinic.rooms.sign_on.issuer
    monkeypatch.setattr(issuer._options.client_secret, "_secret_value", "another")
    with pytest.raises(Unavailable):
        later(clinic)
    assert person(clinic, "ada").active


def test_a_process_that_died_while_it_asked_is_taken_over(clinic, provider):
    (ada,) = in_there(clinic, provider, "ada")
    held = vouched(clinic, "ada")
    clinic.clock.ahead += timedelta(seconds=50)
    clinic.rooms.records.put(held.but(asking=True, asked_at=clinic.rooms.clock.now()))
    assert later(clinic, seconds=30) == 0 and vouched(clinic, "ada").asking
    assert later(clinic, seconds=40) == 0 and not vouched(clinic, "ada").asking
    assert signed_in(ada)

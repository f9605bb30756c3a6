"""A second factor from its set-up to its loss, and one's own password."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from tests.api.test_sessions import GOOD, Browser

from atoll.access.throttle import FREE_PER_LOGIN
from atoll.model.second_factor import SecondFactor


class Phone:
    """Shows codes, at the platform's time."""

    def __init__(self, site, secret):
        self._site, self._totp = site, pyotp.TOTP(secret)

    def code(self):
        return self._totp.at(self._site.clock.now())


@pytest.fixture
def ada(fresh_site):
    answer = fresh_site.post("/people", "admin", login="ada", display_name="Ada", roles=["scientist"], password=GOOD)
    fresh_site.ids["ada"] = answer.json()["id"]
    browser = Browser(fresh_site)
    assert browser.sign_in().status_code == 201
    return browser


@pytest.fixture
def phone(ada, fresh_site):
    made = ada.send("POST", "/me/second-factor")
    assert made.status_code == 201
    phone = Phone(fresh_site, made.json()["secret"])
    confirmed = ada.send("POST", "/me/second-factor/confirm", json={"code": phone.code()})
    assert confirmed.status_code == 200, confirmed.text
    phone.recovery = confirmed.json()["recovery_codes"]
    fresh_site.clock.ahead += timedelta(seconds=60)
    return phone


def test_it_is_asked_for_once_it_is_confirmed(ada, fresh_site):
    secret = ada.send("POST", "/me/second-factor").json()["secret"]
    assert Browser(fresh_site).sign_in().status_code == 201
    wrong = ada.send("POST", "/me/second-factor/confirm", json={"code": "000000"})
    assert wrong.status_code == 422
    phone = Phone(fresh_site, secret)
    assert ada.send("POST", "/me/second-factor/confirm", json={"code": phone.code()}).status_code == 200
    assert ada.send("GET", "/session").json()["second_factor"] is True
    refused = Browser(fresh_site).sign_in()
    assert (refused.status_code, refused.json()["code"]) == (401, "second_factor_required")
    assert "set-cookie" not in refused.headers
    token = fresh_site.post("/sign-in", None, login="ada", password=GOOD)
    assert token.json()["code"] == "second_factor_required"


def test_without_the_right_password_nobody_is_told_that_there_is_one(phone, fresh_site):
    assert Browser(fresh_site).sign_in(password="x" * 20).json()["code"] == "not_authenticated"


def test_a_code_is_good_once(phone, fresh_site):
    code = phone.code()
    assert Browser(fresh_site).sign_in(code=code).status_code == 201
    assert Browser(fresh_site).sign_in(code=code).status_code == 401
    fresh_site.clock.ahead += timedelta(seconds=30)
    assert Browser(fresh_site).sign_in(code=phone.code()).status_code == 201


def test_a_recovery_code_is_good_once_and_on_record(phone, fresh_site):
    assert Browser(fresh_site).sign_in(code=phone.recovery[0]).status_code == 201
    assert Browser(fresh_site).sign_in(code=phone.recovery[0]).status_code == 401
    assert [event.details for event in fresh_site.audited("second_factor.recover")] == [{"left": 9}]


def test_only_the_sealed_secret_and_hashes_are_kept(phone, fresh_site):
    kept = fresh_site.rooms.records.get(SecondFactor, fresh_site.ids["ada"]).model_dump_json()
    trail = "".join(entry.model_dump_json() for entry in fresh_site.rooms.audit.tail(200))
    for secret in (phone._totp.secret, *phone.recovery, phone.recovery[0].replace("-", "")):
        assert secret not in kept and secret not in trail


def test_codes_cannot_be_guessed_from_many_addresses(phone, fresh_site):
    """Whoever tries codes has the password; the brake on codes does not look at the address."""
    from atoll.errors import NotAuthenticated, TooManyAttempts
    from atoll.flows.sign_in import Attempt, prove

    refused = []
    for number in range(FREE_PER_LOGIN + 1):
        attempt = Attempt(login="ada", password=GOOD, code="000000", address=f"192.0.2.{number}")
        with pytest.raises((NotAuthenticated, TooManyAttempts)) as caught:
            prove(fresh_site.rooms, fresh_site.app.state.door, attempt)
        refused.append(caught.type)
    assert refused == [NotAuthenticated] * FREE_PER_LOGIN + [TooManyAttempts]


def test_it_is_taken_away_with_a_code_only(ada, phone, fresh_site):
    for body in ({"code": "000000"}, {"code": phone.recovery[0][:-1]}):
        assert ada.send("DELETE", "/me/second-factor", json=body).status_code == 422
    assert ada.send("DELETE", "/me/second-factor").status_code == 422
    assert ada.send("DELETE", "/me/second-factor", json={"code": phone.code()}).status_code == 204
    assert Browser(fresh_site).sign_in().status_code == 201
    assert ada.send("DELETE", "/me/second-factor", json={"code": "000000"}).status_code == 404


def test_who_lost_it_asks_an_administrator_who_cannot_do_so_for_themselves(phone, fresh_site):
    assert fresh_site.send("DELETE", f"/people/{fresh_site.ids['admin']}/second-factor", "admin").status_code == 403
    assert fresh_site.send("DELETE", f"/people/{fresh_site.ids['ada']}/second-factor", "admin").status_code == 204
    assert Browser(fresh_site).sign_in().status_code == 201
    assert len(fresh_site.audited("second_factor.remove")) == 1


def test_a_person_changes_their_password(ada, fresh_site):
    other = Browser(fresh_site)
    other.sign_in()
    fresh_site.tokens["ada"] = other.send("POST", "/tokens", json={"label": "script"}).json()["token"]
    new = "another four words here"
    assert ada.send("POST", "/me/password", json={"current": "wrong", "new": new}).status_code == 422
    assert ada.send("POST", "/me/password", json={"current": GOOD, "new": "short"}).status_code == 422
    assert ada.send("POST", "/me/password", json={"current": GOOD, "new": new}).status_code == 204
    assert ada.send("GET", "/session").status_code == 200
    assert other.send("GET", "/session").status_code == 401
    assert fresh_site.get("/me", "ada").status_code == 401
    assert Browser(fresh_site).sign_in().status_code == 401
    assert Browser(fresh_site).sign_in(password=new).status_code == 201
    assert fresh_site.post("/me/password", "scientist", current="x", new=new).status_code == 409


def test_guessing_elsewhere_keeps_nobody_waiting(ada, fresh_site):
    """The same address even: a browser in which the owner signed in before is counted apart."""
    guesser = Browser(fresh_site)
    for _ in range(FREE_PER_LOGIN):
        assert guesser.sign_in(password="wrong wrong wrong").status_code == 401
    assert guesser.sign_in().status_code == 429
    # The session that is open goes on, and the known browser signs in anew.
    assert ada.send("GET", "/session").status_code == 200
    assert ada.sign_in().status_code == 201
    # The word in other letters is the same login.
    assert guesser.sign_in(login=" ADA").status_code == 429
    # Somebody else's cookie is no help to the guesser.
    fresh_site.post("/people", "admin", login="mallory", display_name="M", roles=[], password=GOOD + "!")
    assert guesser.sign_in(login="mallory", password=GOOD + "!").status_code == 201
    # It has waited its second meanwhile, and guesses once more.
    fresh_site.clock.ahead += timedelta(seconds=2)
    assert guesser.sign_in(password="wrong wrong wrong").status_code == 401
    assert guesser.sign_in().status_code == 429
    # And a known browser can be guessed from no faster than any other.
    for _ in range(FREE_PER_LOGIN):
        assert ada.sign_in(password="wrong wrong wrong").status_code == 401
    assert ada.sign_in().status_code == 429

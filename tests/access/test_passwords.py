from __future__ import annotations

import threading

import pytest

from atoll.access import passwords, policies
from atoll.access.passwords import LocalAccounts, hash_password
from atoll.errors import InvalidInput, Unavailable
from atoll.model.person import Person

GOOD = "four words make one"


@pytest.fixture
def ada(records, clock):
    return records.put(
        Person(
            id="per_1",
            login="ada",
            display_name="Ada",
            roles=frozenset(),
            password_hash=hash_password(GOOD),
            created_at=clock.now(),
        )
    )


def test_the_hash_is_argon2id_and_salted(ada):
    assert ada.password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hash_password(GOOD) != ada.password_hash


def test_the_right_password_and_no_other(records, ada):
    accounts = LocalAccounts(records)
    assert accounts.authenticate("ada", GOOD).login == "ada"
    for login, password in [("ada", GOOD + " "), ("ada", ""), ("bob", GOOD), ("", ""), ("ADA", GOOD)]:
        assert accounts.authenticate(login, password) is None


def test_the_inactive_the_passwordless_and_those_of_other_directories_do_not_sign_in(records, ada):
    accounts = LocalAccounts(records)
    ada = records.put(ada.but(active=False))
    assert accounts.authenticate("ada", GOOD) is None
    assert not accounts.is_active("ada")
    ada = records.put(ada.but(active=True, password_hash=None))
    assert accounts.authenticate("ada", "a password that nobody has") is None
    records.put(ada.but(origin="ldap", password_hash=hash_password(GOOD)))
    assert accounts.authenticate("ada", GOOD) is None


@pytest.mark.parametrize("login", ["bob", "ada"])
def test_whatever_is_wrong_costs_exactly_one_hash(records, ada, monkeypatch, login):
    verified = []
    real = passwords._HASHER.verify

    class Counting:
        def verify(self, stored, password):
            verified.append(stored)
            return real(stored, password)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    assert LocalAccounts(records).authenticate(login, "wrong") is None
    assert len(verified) == 1
    # The same parameters, so the same work.
    assert verified[0].split("$")[3] == ada.password_hash.split("$")[3]


def test_a_long_line_turns_people_away_instead_of_holding_threads():
    held = [passwords._IN_LINE.acquire(blocking=False) for _ in range(10)]
    try:
        assert all(held)
        with pytest.raises(Unavailable):
            hash_password(GOOD)
    finally:
        for _ in held:
            passwords._IN_LINE.release()
    assert hash_password(GOOD)


def test_hashing_from_many_threads_works(records, ada):
    accounts = LocalAccounts(records)
    found = []
    threads = [threading.Thread(target=lambda: found.append(accounts.authenticate("ada", GOOD))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [identity.login for identity in found] == ["ada"] * 6


@pytest.mark.parametrize("password", ["short", "a" * 30, "x" * 257, "it is ADA, hello there", ""])
def test_poor_passwords_are_refused_without_being_told(password):
    with pytest.raises(InvalidInput) as refused:
        policies.good_password(password, "ada")
    assert not password or password not in str(refused.value)


def test_a_good_password_is_taken():
    policies.good_password(GOOD, "ada")

"""People of a real directory: found, proved, with their groups; and what a directory must not be able to do."""

from __future__ import annotations

import socket
import threading

import pytest
from pydantic import SecretStr
from tests.services.certificates import Authority
from tests.services.slapd import BASE, SEARCHER, SEARCHER_PASSWORD, Slapd

from atoll.errors import InvalidInput, Unavailable
from atoll.providers.ldap import LdapDirectory, LdapOptions

GOOD = "ada's four words"


@pytest.fixture(scope="module")
def slapd():
    server = Slapd()
    try:
        server.plant()
        ada = server.add_person("ada", GOOD, "Ada Example")
        server.add_person("no-password")
        science = server.add_group("science", ada)
        trial = server.add_group("trial", science)
        # A loop: each is a member of the other.
        server.add_group("loop-a", trial, f"cn=loop-b,ou=groups,{BASE}")
        server.add_group("loop-b", f"cn=loop-a,ou=groups,{BASE}")
        server.add_group("others", f"uid=no-password,ou=people,{BASE}")
        server.change(
            f"dn: cn=posix,ou=groups,{BASE}\nobjectClass: posixGroup\ncn: posix\ngidNumber: 7\nmemberUid: ada\n"
        )
        yield server
    finally:
        server.close()


def directory(slapd, **more):
    given = {
        "urls": (slapd.ldaps,),
        "base": f"ou=people,{BASE}",
        "group_base": f"ou=groups,{BASE}",
        "ca_file": slapd.ca_file,
        "bind_dn": SEARCHER,
        "bind_password": SecretStr(SEARCHER_PASSWORD),
        "timeout_seconds": 2.0,
        **more,
    }
    return LdapDirectory(LdapOptions(**given))


def group(name):
    return f"cn={name},ou=groups,{BASE}"


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_person_with_every_group_through_groups_of_groups_and_loops(slapd, scheme):
    """`ldap` is raised to TLS first: this server takes no password without."""
    ada = directory(slapd, urls=(getattr(slapd, scheme),)).authenticate("ada", GOOD)
    assert (ada.login, ada.display_name) == ("ada", "Ada Example")
    assert ada.groups == tuple(sorted(map(group, ("science", "trial", "loop-a", "loop-b", "posix"))))
    assert len(ada.subject) == 36


def test_logins_are_found_whatever_their_case_and_come_out_small(slapd):
    assert directory(slapd).authenticate("ADA", GOOD).login == "ada"


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ada", "wrong"),
        ("ada", ""),
        ("ada", "\0"),
        ("ada", GOOD + "\0"),
        ("", GOOD),
        ("absent", GOOD),
        ("no-password", "x"),
        # Filters of somebody else's making.
        ("*", GOOD),
        ("a*", GOOD),
        ("ada)(uid=*", GOOD),
        ("ada)(|(uid=*", GOOD),
        ("*)(objectClass=*", GOOD),
        ("ada\\2a", GOOD),
        ("{login}", GOOD),
    ],
)
def test_who_does_not_come_in(slapd, login, password):
    assert directory(slapd).authenticate(login, password) is None


def test_names_by_template_without_an_account_to_search_with(slapd):
    own = directory(
        slapd, bind_dn="", bind_password=SecretStr(""), user_dn=f"uid={{login}},ou=people,{BASE}", group_base=""
    )
    assert own.authenticate("ada", GOOD).display_name == "Ada Example"
    for login in ("ada,ou=people", "ada+cn=x", "*", "absent", f"ada,ou=people,{BASE}"):
        assert own.authenticate(login, GOOD) is None
    assert own.authenticate("ada", "") is None


def test_who_is_still_there(slapd):
    here = directory(slapd)
    subject = here.authenticate("ada", GOOD).subject
    found = here.find([subject, "00000000-0000-0000-0000-000000000000", "*", "x)(uid=*"], groups=True)
    assert set(found) == {subject}
    assert group("trial") in found[subject].groups
    assert here.find([], groups=False) == {}
    assert here.is_active("ada") and not here.is_active("absent") and not here.is_active("*")
    narrowed = directory(slapd, active_filter="(!(cn=Ada Example))")
    assert narrowed.find([subject], groups=False) == {}
    assert narrowed.authenticate("ada", GOOD) is None


def test_two_of_a_login_are_nobody(slapd):
    wide = directory(slapd, user_filter="(|(uid={login})(uid=no-password))")
    assert wide.authenticate("ada", GOOD) is None


def test_the_next_server_is_asked_when_one_does_not_answer(slapd):
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        url = f"ldaps://localhost:{dead.getsockname()[1]}"
        assert directory(slapd, urls=(url, slapd.ldaps)).authenticate("ada", GOOD) is not None
        with pytest.raises(Unavailable):
            directory(slapd, urls=(url,)).authenticate("ada", GOOD)


def test_a_server_that_says_nothing_is_left_after_the_time_out(slapd):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ldap://localhost:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable):
            directory(slapd, urls=(url,), timeout_seconds=0.5).authenticate("ada", GOOD)


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
def test_a_server_that_cannot_prove_its_name_gets_no_password(slapd, tmp_path, scheme):
    stranger = Authority(tmp_path, "Another authority").ca_file
    with pytest.raises(Unavailable):
        directory(slapd, urls=(getattr(slapd, scheme),), ca_file=stranger).authenticate("ada", GOOD)


def test_a_certificate_for_another_name_is_refused(slapd):
    """The certificate is for localhost and 127.0.0.1; this name leads to the same server."""
    port = slapd.ldaps.rsplit(":", 1)[1]
    with pytest.raises(Unavailable):
        directory(slapd, urls=(f"ldaps://127.0.0.2:{port}",)).authenticate("ada", GOOD)
    assert directory(slapd, urls=(f"ldaps://127.0.0.1:{port}",)).authenticate("ada", GOOD) is not None


def test_a_reference_to_another_server_is_never_followed(slapd):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.2)
        port = elsewhere.getsockname()[1]

        def listen():
            try:
                heard.append(elsewhere.accept())
            except OSError:
                return

        slapd.change(
            f"dn: ou=far,ou=people,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: far\n"
            f"ref: ldap://127.0.0.1:{port}/ou=people,{BASE}??sub\n"
        )
        listener = threading.Thread(target=listen)
        listener.start()
        assert directory(slapd).authenticate("ada", GOOD) is not None
        assert directory(slapd).authenticate("absent", GOOD) is None
        listener.join()
    assert heard == []


def test_an_account_to_search_with_that_is_refused_is_no_answer_about_people(slapd):
    with pytest.raises(Unavailable, match="the account to search with"):
        directory(slapd, bind_password=SecretStr("wrong")).authenticate("ada", GOOD)
    with pytest.raises(Unavailable):
        directory(slapd, base=f"ou=absent,{BASE}").find(["x"], groups=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"urls": ("http://directory.example",)},
        {"kind": "novell"},
        {"bind_password": SecretStr("")},
        {"user_dn": "uid={uid},dc=x"},
        {"user_filter": "(uid={login"},
    ],
)
def test_settings_that_cannot_hold_are_refused_at_the_start(slapd, wrong):
    with pytest.raises(InvalidInput):
        directory(slapd, **wrong)

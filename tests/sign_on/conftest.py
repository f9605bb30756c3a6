"""A platform whose people come from a real directory, and browsers at it."""

from __future__ import annotations

import pytest
from tests.api.conftest import open_site
from tests.api.test_sessions import Browser
from tests.services.slapd import BASE, SEARCHER, SEARCHER_PASSWORD, Slapd

from atoll.flows.manage_products import ensure_shipped
from atoll.providers.simulator import SimulatedBackend
from atoll.wiring import platform

WORDS = "ada's own four words"
GROUP_MAP = f"""
groups:
  - group: "CN=Scientists, OU=groups, {BASE}"
    roles: [scientist]
  - group: "cn=trial-team,ou=groups,{BASE}"
    projects: [trial]
  - group: "cn=trial-leads,ou=groups,{BASE}"
    leads: [trial]
  - group: "cn=operators,ou=groups,{BASE}"
    roles: [admin]
"""


class Hospital:
    """The directory with its people and groups, and the platform beside it."""

    def __init__(self, slapd, site):
        self.slapd, self.site = slapd, site

    def add(self, uid, *groups, password=WORDS):
        dn = self.slapd.add_person(uid, password)
        for group in groups:
            self.join(dn, group)
        return dn

    def join(self, dn, group):
        self.slapd.change(f"dn: cn={group},ou=groups,{BASE}\nchangetype: modify\nadd: member\nmember: {dn}\n")

    def part(self, dn, group):
        self.slapd.change(f"dn: cn={group},ou=groups,{BASE}\nchangetype: modify\ndelete: member\nmember: {dn}\n")

    def browser(self, uid, password=WORDS):
        browser = Browser(self.site)
        browser.answer = browser.sign_in(uid, password)
        return browser

    def person(self, login):
        people = self.site.get("/people", "admin").json()["items"]
        return next((person for person in people if person["login"] == login), None)

    def members(self, name):
        return self.site.get(f"/projects/{name}", "admin").json()["members"]


def open_hospital(slapd, home, **settings):
    (home / "groups.yaml").write_text(GROUP_MAP)
    return open_site(
        home / "atoll",
        lambda clock: {"simulator": SimulatedBackend(clock)},
        ldap_urls=(slapd.ldaps,),
        ldap_ca_file=slapd.ca_file,
        ldap_base=f"ou=people,{BASE}",
        ldap_group_base=f"ou=groups,{BASE}",
        ldap_bind_dn=SEARCHER,
        ldap_bind_password=SEARCHER_PASSWORD,
        ldap_timeout_seconds=10.0,
        group_map=home / "groups.yaml",
        directory_seconds=4.0,
        person_vcpu=64,
        host_vcpu=1000,
        host_memory_bytes=2**40,
        query_workers=0,
        **settings,
    )


@pytest.fixture(scope="module")
def slapd():
    server = Slapd()
    try:
        server.plant()
        for group in ("scientists", "trial-team", "trial-leads", "operators", "unmapped"):
            server.add_group(group, f"cn=nobody,{BASE}")
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def hospital(slapd, tmp_path_factory):
    site, rooms = open_hospital(slapd, tmp_path_factory.mktemp("hospital"))
    ensure_shipped(site.rooms)
    site.add_project("trial")
    site.add_project("other")
    yield Hospital(slapd, site)
    platform.close(rooms)

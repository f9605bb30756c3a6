"""The directory of the stage, a real slapd, with people who sign in by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.slapd import BASE, SEARCHER, SEARCHER_PASSWORD, Slapd
from tests.web.stage import PROJECT

#: Made by the story that needs it.
OTHER_PROJECT = "lung-study"
WORDS = "words of the hospital's own"
#: Who they are there, and in which groups.
PEOPLE = {
    "ada": ("scientists", "heart-team"),
    "bea": ("scientists", "lung-team"),
    "stella": ("stewards",),
    "rita": ("stewards",),
    "otto": ("operators",),
    "anna": ("auditors",),
}
_ROLES = {"scientists": "scientist", "stewards": "steward", "operators": "admin", "auditors": "auditor"}
_PROJECTS = {"heart-team": PROJECT, "lung-team": OTHER_PROJECT}


@contextmanager
def hospital(root: Path) -> Iterator[dict[str, str]]:
    """The settings of a platform whose people come from the directory too, while the block lasts."""
    slapd = Slapd()
    try:
        slapd.plant()
        names = {uid: slapd.add_person(uid, WORDS) for uid in PEOPLE}
        for group in (*_ROLES, *_PROJECTS):
            slapd.add_group(group, *(names[uid] for uid, groups in PEOPLE.items() if group in groups))
        told = [{"group": f"cn={group},ou=groups,{BASE}", "roles": [role]} for group, role in _ROLES.items()]
        told += [{"group": f"cn={group},ou=groups,{BASE}", "projects": [name]} for group, name in _PROJECTS.items()]
        groups_file = root / "groups.yaml"
        # JSON is YAML.
        groups_file.write_text(json.dumps({"groups": told}))
        yield {
            "ATOLL_LDAP_URLS": json.dumps([slapd.ldaps]),
            "ATOLL_LDAP_CA_FILE": str(slapd.ca_file),
            "ATOLL_LDAP_BASE": f"ou=people,{BASE}",
            "ATOLL_LDAP_GROUP_BASE": f"ou=groups,{BASE}",
            "ATOLL_LDAP_BIND_DN": SEARCHER,
            "ATOLL_LDAP_BIND_PASSWORD": SEARCHER_PASSWORD,
            "ATOLL_GROUP_MAP": str(groups_file),
        }
    finally:
        slapd.close()

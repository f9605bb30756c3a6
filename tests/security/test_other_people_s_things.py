"""Every id in the API by every caller: what is not theirs looks, to the letter, as if it were not there."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute

from atoll.api.security import Requires, access_of

#: Kinds of things that belong to somebody: who sees them beside the owner, by role (others: nobody).
SEEN_BY = {
    "projects": {"admin", "steward", "auditor"},
    "queries": set(),
    "saved-queries": set(),
    "grants": {"steward", "auditor"},
    "grant-requests": {"steward", "auditor"},
    "workspaces": {"admin", "auditor"},
    "proofs": {"admin", "auditor"},
    "airlock-requests": {"steward", "auditor"},
    "tokens": {"admin"},
    "deliveries": {"steward", "auditor"},
    "openings": {"steward", "auditor"},
}
#: Kinds that belong to nobody: scopes alone decide, and `test_matrix` tries those.
SHARED = {
    "people",
    "sources",
    "contracts",
    "contract-proposals",
    "datasets",
    "products",
    "budgets",
    "operations",
    "costs",
    "keys",
    "key-changes",
    "erasures",
}
OUTSIDERS = ("outsider", "nobody", "admin", "steward", "auditor", "rival", "lab", None)
#: So that the request's form is right and the thing itself is looked for.
BODIES = {
    "resize_workspace": {"size": "m5.large", "confirm_eur_per_hour": "1"},
    "extend_workspace": {"days": 1},
    "change_saved_query": {"name": "x", "sql": "select 1"},
    "add_repository": {"name": "planted"},
    "grant_release": {"index": 0},
    "wake_workspace": {},
    "approve_opening": {"reason": "x"},
    "refuse_opening": {"reason": "x"},
    "approve_grant_request": {"reason": "x"},
    "refuse_grant_request": {"reason": "x"},
}


def own_things(app):
    for route in app.routes:
        if isinstance(route, APIRoute) and "{" in route.path:
            segment = route.path.removeprefix("/api/v1/").split("/")[0]
            if segment not in SHARED:
                yield segment, route


def call(owned, route, who, id):
    path = re.sub(r"\{(id|name)\}", id, route.path, count=1)
    path = re.sub(r"\{index\}", "0", path)
    path = path.replace("{login}", "mate").replace("{repo}", "notes")
    path = re.sub(r"\{\w+\}", "absent", path)
    (method,) = route.methods
    body = {"json": BODIES.get(route.operation_id, {})} if method in ("POST", "PUT", "PATCH") else {}
    answer = owned.site.client.request(method, path, headers=owned.site.head(who), **body)
    text = re.sub(r"req_\w+", "", answer.text).replace(id, "ID")
    return answer.status_code, text


def test_every_kind_of_thing_is_here(owned):
    kinds = {segment for segment, _ in own_things(owned.site.app)}
    assert kinds <= set(owned.ids), "Say in SHARED that a kind belongs to nobody, or add one of it to conftest.py."
    assert set(owned.ids) == set(SEEN_BY)


@pytest.mark.parametrize("who", OUTSIDERS)
def test_what_is_not_theirs_is_not_there(owned, who):
    tried, wrong = 0, []
    for segment, route in own_things(owned.site.app):
        if who in SEEN_BY[segment] or (segment == "deliveries" and who == "lab"):
            continue
        theirs, absent = (call(owned, route, who, id) for id in (owned.ids[segment], "absent0"))
        tried += 1
        if theirs != absent or theirs[0] < 400:
            wrong.append((route.operation_id, theirs, absent))
    assert wrong == []
    assert tried > 5


def test_the_owner_s_things_are_there_for_the_owner(owned):
    """So that the test above cannot pass because nothing is there at all."""
    for segment, id in owned.ids.items():
        if segment in ("tokens", "saved-queries"):
            continue
        who = "lab" if segment == "deliveries" else "scientist"
        answer = owned.site.get(f"/{segment}/{id}", who)
        assert answer.status_code == 200, (segment, answer.text)
    mine = {token["id"] for token in owned.site.get("/tokens", "scientist").json()["items"]}
    assert owned.ids["tokens"] in mine
    assert owned.ids["tokens"] not in owned.site.get("/tokens", "outsider").text


def test_lists_show_outsiders_nothing_of_it(owned):
    """Every list without a parameter that must be given, asked for by those who own nothing in it."""
    seen = []
    for route in owned.site.app.routes:
        access = access_of(route)
        if not isinstance(access, Requires) or "{" in route.path or route.methods != {"GET"}:
            continue
        if route.operation_id in ("follow_events", "stream_events", "watch_events", "show_events", "list_events"):
            continue
        text = owned.site.client.get(route.path, headers=owned.site.head("outsider"), params={"limit": 100}).text
        for segment, id in owned.ids.items():
            marker = f'"{id}"' if segment == "projects" else id
            if marker in text:
                seen.append((route.operation_id, segment))
    assert seen == []


def test_those_who_run_machines_reach_no_data(owned):
    """Operators see that a workspace is there; they get no ticket into it, no query, no result, no preview."""
    site, ids = owned.site, owned.ids
    for who in ("admin", "auditor"):
        assert site.get(f"/workspaces/{ids['workspaces']}", who).status_code == 200
        assert site.post(f"/workspaces/{ids['workspaces']}/ticket", who).status_code == 403
        assert site.post("/queries", who, project="heart", sql="select 1").status_code == 403
        assert site.get(f"/queries/{ids['queries']}/rows", who).status_code == 403

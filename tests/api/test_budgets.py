"""Budgets over HTTP."""

from __future__ import annotations


def test_a_budget_is_set_changed_and_seen(site):
    site.add_project("kidney", "scientist")
    set_ = site.send("PUT", "/budgets/project/kidney", "admin", json={"eur_per_month": "250"})
    assert set_.status_code == 200, set_.text
    assert (set_.json()["spent_eur"], set_.json()["stage"], set_.json()["rule"]["block_at"]) == ("0", "within", "1")
    changed = site.send("PUT", "/budgets/project/kidney", "admin", json={"eur_per_month": "300", "block_at": "1.5"})
    assert changed.json()["rule"]["eur_per_month"] == "300"
    site.send("PUT", "/budgets/user/auditor", "admin", json={"eur_per_month": "5"})
    names = {
        who: {item["name"] for item in site.get("/budgets", who).json()["items"]} for who in ("scientist", "auditor")
    }
    assert names == {"scientist": {"kidney"}, "auditor": {"kidney", "auditor"}}
    assert [event.target for event in site.audited("budget.set")].count("budget/project/kidney") == 2


def test_what_does_not_hold_is_refused(site):
    for path, body in (
        ("/budgets/project/absent", {"eur_per_month": "1"}),
        ("/budgets/user/absent", {"eur_per_month": "1"}),
    ):
        assert site.send("PUT", path, "admin", json=body).status_code == 404
    for body in ({}, {"eur_per_month": "-1"}, {"eur_per_month": "1", "warn_at": ["2"]}):
        assert site.send("PUT", "/budgets/user/scientist", "admin", json=body).status_code == 422
    assert site.send("PUT", "/budgets/team/x", "admin", json={"eur_per_month": "1"}).status_code == 422


def test_forgotten_machines_and_new_keys_of_costs(site):
    assert site.get("/costs/forgotten?days=0", "scientist").json()["items"] == []
    assert site.get("/costs/forgotten?days=-1", "scientist").status_code == 422
    for by in ("product", "workspace"):
        assert site.get(f"/costs?by={by}", "scientist").json()["by"] == by

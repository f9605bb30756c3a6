"""Budgets hold for queries, too: a warning first, then none is run."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.api.asking import ALL, fill
from tests.api.conftest import open_site

from atoll.flows.watch_budgets import watch_budgets
from atoll.model.ledger import Metric
from atoll.wiring import platform


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    site, rooms = open_site(tmp_path_factory.mktemp("home"))
    yield fill(site)
    platform.close(rooms)


def spend(house, user, project, eur):
    """As much as that by queries."""
    per_second = Decimal("0.09") / 3600
    quantity = Decimal(eur) / per_second
    charge = house.rooms.usage.charge(metric=Metric.QUERY_SECONDS, quantity=quantity, user=user, project=project)
    house.rooms.records.transact([charge])


def ask(house, path="/queries"):
    return house.post(path, "scientist", project="heart", sql=ALL, **({"format": "json"} if path == "/queries" else {}))


@pytest.mark.parametrize(("holder", "name", "eur"), [("project", "heart", 1000), ("user", "scientist", 10_000)])
def test_a_used_up_budget_lets_no_query_run(house, holder, name, eur):
    rule = {"eur_per_month": str(eur), "warn_at": ["0.5"], "hibernate_at": "1", "block_at": "1"}
    assert house.send("PUT", f"/budgets/{holder}/{name}", "admin", json=rule).status_code == 200
    assert ask(house).status_code == 200
    spend(house, "scientist", "heart", eur * 6 // 10)
    watch_budgets(house.rooms)
    assert house.audited("budget.warn")[-1].target == f"budget/{holder}/{name}"
    assert ask(house).status_code == 200  # a warning stops nothing
    spend(house, "scientist", "heart", eur // 2)
    refused = ask(house)
    assert (refused.status_code, refused.json()["code"]) == (413, "budget_exceeded"), refused.text
    assert "used up" in refused.json()["message"]
    assert house.audited("query.fail")[-1].details == {"error_code": "budget_exceeded"}
    larger = {**rule, "eur_per_month": "1000000"}
    assert house.send("PUT", f"/budgets/{holder}/{name}", "admin", json=larger).status_code == 200
    assert ask(house).status_code == 200
    [line] = [
        li
        for li in house.get(f"/costs?by={holder}", "auditor").json()["lines"]
        if li["key"] == name and li["metric"] == "query_seconds"
    ]
    assert Decimal(line["amount_eur"]) >= eur

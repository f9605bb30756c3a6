"""The catalog and workspaces by HTTP: shapes, statuses, and what each caller is told."""

from __future__ import annotations

import pytest
from tests.api.conftest import open_site

from atoll.flows.manage_products import ensure_shipped
from atoll.providers.simulator import SimulatedBackend
from atoll.wiring import platform

TEXT = """\
name: bench
title: A bench
environment: jupyter
service: batch
sizes: [t3.nano]
idle: {action: none}
"""


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """A site with a simulated backend, the shipped products, and the scientist in a project."""
    site, rooms = open_site(
        tmp_path_factory.mktemp("home"),
        lambda clock: {"simulator": SimulatedBackend(clock)},
        person_vcpu=8,
        host_vcpu=100,
        host_memory_bytes=2**40,
        query_workers=0,
    )
    ensure_shipped(site.rooms)
    site.add_person("mate", {"scientist"})
    site.add_project("heart", "scientist", "mate")
    yield site
    platform.close(rooms)


def create(site, who="scientist", **body):
    return site.post("/workspaces", who, **{"product": "jupyter", "project": "heart", **body})


@pytest.fixture
def workspace(machines):
    made = create(machines, confirm_eur_per_hour="0.0738").json()["workspace"]
    yield made
    machines.post(f"/workspaces/{made['id']}/terminate", "scientist")
    stored = machines.rooms.records.get(_kind(), made["id"])
    machines.rooms.records.put(stored.but(terminated_at=machines.clock.now()))


def _kind():
    from atoll.model.workspace import Workspace

    return Workspace


def test_sizes_and_products_tell_their_prices(machines):
    sizes = {size["name"]: size for size in machines.get("/sizes", "scientist").json()["items"]}
    assert sizes["m5.2xlarge"] == {
        "name": "m5.2xlarge",
        "family": "m5",
        "vcpu": 8.0,
        "memory_bytes": 32 * 2**30,
        "eur_per_hour": "0.35",
        "eur_per_working_month": "60.67",
    }
    products = machines.get("/products", "scientist").json()["items"]
    shipped = ["application", "batch", "desktop", "jupyter", "jupyter-vm", "terminal"]
    assert [product["id"] for product in products] == [f"{name}@1" for name in shipped]
    shown = machines.get("/products/batch", "scientist").json()
    assert shown["parameters"]["required"] == ["script"]
    assert [version["id"] for version in shown["versions"]] == ["batch@1"]
    assert shown["sizes"][0]["name"] == "m5.large"


def test_a_product_is_published_deprecated_and_retired(machines):
    assert machines.post("/products", "admin", text=TEXT).status_code == 201
    broken = machines.post("/products", "admin", text=TEXT.replace("t3.nano", "t3.tiny") + "colour: red\n")
    assert broken.status_code == 422
    assert broken.json()["code"] == "product_invalid"
    assert broken.json()["findings"] == ["line 7: `colour` is not a known field here"]
    assert machines.post("/products/bench@1/deprecate", "admin").json()["state"] == "deprecated"
    assert machines.post("/products/bench@1/retire", "admin").json()["state"] == "retired"
    assert machines.post("/products/bench@1/deprecate", "admin").status_code == 409
    assert machines.post("/products/bench@9/retire", "admin").status_code == 404
    assert machines.post("/products", "admin", text=TEXT, projects=["no-such"]).status_code == 404


def test_a_dry_run_tells_the_price_and_launches_nothing(machines):
    answer = create(machines, dry_run=True, size="m5.2xlarge")
    assert answer.status_code == 200
    body = answer.json()
    assert body["workspace"] is None
    assert body["quote"]["size"]["eur_per_hour"] == "0.35"
    assert body["quote"]["size"]["eur_per_working_month"] == "60.67"
    assert machines.get("/workspaces", "scientist").json()["items"] == []


def test_a_launch_needs_the_price_and_answers_with_what_is_wanted(machines, workspace):
    assert create(machines).status_code == 409
    refused = create(machines, confirm_eur_per_hour=0.07)
    assert refused.status_code == 409
    assert "0.0738 EUR an hour, not 0.07" in refused.json()["message"]
    assert workspace["state"] == "provisioning"
    assert workspace["changing"] is True
    assert workspace["eur_per_hour"] == "0.0738"
    assert workspace["path"] == f"/w/{workspace['id']}/"
    assert workspace["observed"]["state"] == "absent"
    assert workspace["owner"] == "scientist"


def test_a_quota_that_is_full_says_which_and_how_much(machines, workspace):
    full = create(machines, size="m5.2xlarge", confirm_eur_per_hour="0.35")
    assert full.status_code == 413
    body = full.json()
    assert body["message"] == "The quota of the person scientist is 8 vCPU; 2 are taken and this needs 8."
    assert body["where"] == "the person scientist"
    assert "smaller size" in body["todo"]


def test_the_orders_and_what_each_wants(machines, workspace):
    path = f"/workspaces/{workspace['id']}"

    def order(verb, who="scientist", **body):
        return machines.post(f"{path}/{verb}", who, **body)

    assert order("hibernate").json()["desired"] == "hibernated"
    assert order("stop").status_code == 202
    assert order("hibernate").status_code == 409
    assert order("wake").json()["desired"] == "running"
    assert order("resize", size="t3.small").status_code == 409
    assert order("resize", size="t3.small", confirm_eur_per_hour="0.0369").json()["size"] == "t3.small"
    assert order("extend", days=400).status_code == 422
    assert order("extend", days=0).status_code == 422
    assert order("stop", "admin").json()["reason"] == "Asked by admin."
    assert order("wake", "admin").status_code == 403
    assert order("terminate", "mate").status_code == 404
    assert order("terminate", "admin").json()["state"] == "terminating"
    assert order("terminate").status_code == 202
    assert machines.audited("workspace.terminate")[-1].caller.name == "admin"


def test_what_is_inside_is_told_to_those_inside_alone(machines):
    made = create(
        machines,
        product="batch",
        size="t3.nano",
        parameters={"script": "echo Quillfeather"},
        confirm_eur_per_hour="0.0092",
    ).json()["workspace"]
    path = f"/workspaces/{made['id']}"
    assert machines.get(path, "mate").status_code == 404
    assert machines.send("PUT", f"{path}/shares/nobody", "scientist").status_code == 404
    assert machines.send("PUT", f"{path}/shares/mate", "scientist").json()["shared_with"] == ["mate"]
    for who, inside in (("scientist", True), ("mate", True), ("admin", False), ("auditor", False)):
        shown = machines.get(path, who)
        assert ("Quillfeather" in shown.text) is inside, who
        log = machines.get(f"{path}/log", who).json()
        assert (log["output"] is not None) is inside, who
        assert "Quillfeather" not in machines.get("/audit?tail=true&limit=100", "auditor").text
    assert machines.post(f"{path}/stop", "mate").status_code == 403
    assert machines.send("DELETE", f"{path}/shares/mate", "scientist").json()["shared_with"] == []
    assert machines.get(path, "mate").status_code == 404
    assert machines.get("/workspaces", "mate").json()["items"] == []
    assert [ws["id"] for ws in machines.get("/workspaces?project=heart", "admin").json()["items"]] == [made["id"]]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Not A Name"},
        {"confirm_eur_per_hour": "NaN"},
        {"confirm_eur_per_hour": -1},
        {"parameters": []},
        {"colour": "red"},
        {"size": "r9.huge"},
        {"parameters": {"unknown": 1}},
    ],
)
def test_a_body_that_is_not_right_is_refused(machines, body):
    answer = create(machines, **{"confirm_eur_per_hour": "0.0738", **body})
    assert answer.status_code == 422, answer.text
    assert "red" not in answer.text

"""Maintenance of a dataset and an erasure over the API, with what each answer must not tell."""

from __future__ import annotations

import pytest
from tests.api.asking import fill
from tests.api.conftest import open_site

from atoll.wiring import platform


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    site, rooms = open_site(tmp_path_factory.mktemp("home"))
    fill(site)
    yield site
    platform.close(rooms)


def test_a_dataset_is_compacted_and_versions_kept_and_expired(house):
    asked = house.post("/datasets/trial/compaction", "steward", whole=True)
    assert asked.status_code == 202, asked.text
    assert house.post("/datasets/trial/compaction", "steward").status_code == 409
    assert house.post("/datasets/nothing/compaction", "steward").status_code == 404
    platform.upkeep_runner(house.rooms).run_open()
    (operation,) = house.get("/datasets/trial/maintenance", "steward").json()["items"]
    assert (operation["id"], operation["state"]) == (asked.json()["id"], "succeeded")
    newest, first = house.get("/datasets/trial/versions", "scientist").json()["items"]
    assert (newest["made_by"], newest["delivery"], first["made_by"]) == ("compaction", "", "delivery")
    told = house.get("/datasets/trial/retention?kept=1&days=0", "scientist").json()["items"]
    assert [line["protection"] for line in told] == ["newest", "recent"]
    kept = house.send("PUT", "/datasets/trial/versions/1/keep", "steward", json={"reason": "of a paper"})
    assert kept.json()["keep"]["reason"] == "of a paper"
    assert house.get("/datasets/trial/retention", "steward").json()["items"][1]["protection"] == "kept"
    assert house.send("DELETE", "/datasets/trial/versions/1/keep", "steward").json()["keep"] is None
    assert house.post("/datasets/trial/expiry", "steward", kept=0).status_code == 422
    assert house.post("/datasets/trial/expiry", "steward", kept=1).status_code == 202
    platform.upkeep_runner(house.rooms).run_open()
    assert house.get("/datasets/trial/maintenance", "steward").json()["items"][0]["story"] == "expire_versions"


def test_an_erasure_never_echoes_whom(house):
    whom = {"identifier": "Grace Hopper 1906"}
    wrong = house.post("/erasures", "steward", domain="person", reason="r", confirm="x", **whom)
    assert wrong.status_code in (404, 422)
    unknown = house.post("/erasures", "steward", domain="nowhere", reason="r", confirm="nowhere", **whom)
    assert unknown.status_code == 404
    odd = house.post("/erasures", "steward", domain="nowhere", reason="", confirm="nowhere", **whom)
    assert odd.status_code == 422
    for answer in (wrong, unknown, odd):
        assert "Hopper" not in answer.text
    assert house.get("/erasures", "auditor").json()["items"] == []
    assert house.get("/erasures/ers_0", "auditor").status_code == 404

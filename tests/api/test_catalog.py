"""The catalog, profiles, versions compared, and the graph, over a dataset that came in by the real admission."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from tests.api.asking import CONTRACT, fill
from tests.api.conftest import open_site

from atoll.flows.read_lake_profile import profile_datasets
from atoll.wiring import platform

WIDER = CONTRACT.replace(
    "      SEEN: {treat: keep, type: date}\n",
    "      SEEN: {treat: keep, type: date}\n"
    "      PRESSURE: {treat: keep, type: number, unit: mmHg, description: Systolic blood pressure}\n",
).replace("title: A small trial\n", "title: A small trial\nowner: Cardiology\n")


def deliver(site, name, content):
    file = {"name": name, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    id = site.post("/deliveries", "lab", source="lab", dataset="trial", files=[file]).json()["id"]
    assert site.send("PUT", f"/deliveries/{id}/files/0", "lab", content=content).status_code == 204
    assert site.post(f"/deliveries/{id}/submit", "lab").status_code == 202
    platform.runner(site.rooms).run_open()
    return id


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    site, rooms = open_site(tmp_path_factory.mktemp("home"))
    fill(site)
    site.put_in_force(WIDER)
    rows = "".join(f"{n},d{n % 3},{n},2021-01-05,{100 + n}\n" for n in range(50))
    deliver(site, "visits-2.csv", f"VISIT,CODE,WEIGHT,SEEN,PRESSURE\n{rows}x,broken,1,2021-01-05,1\n".encode())
    yield site
    platform.close(rooms)


def hits(house, words, who="scientist"):
    answer = house.get(f"/catalog/search?q={words}", who)
    assert answer.status_code == 200, answer.text
    return [(h["kind"], h["table"], h["column"]) for h in answer.json()["items"]]


def test_words_find_datasets_tables_and_columns(house):
    assert hits(house, "") == [("dataset", None, None)]
    assert hits(house, "PRESSURE")[0] == ("column", "visits", "pressure")
    assert hits(house, "systolic mmhg") == [("column", "visits", "pressure")]
    assert hits(house, "visits")[0] == ("table", "visits", None)
    assert hits(house, "cardiology") == [("dataset", None, None)]
    assert hits(house, "systolic nonsense") == []
    page = house.get("/catalog/search?q=visit&limit=1", "steward").json()
    assert page["items"][0]["column"] == "visit"
    assert house.get(f"/catalog/search?q=visit&limit=1&cursor={page['cursor']}", "steward").json()["items"]


def test_a_description_tells_what_was_done_and_by_whom(house):
    told = house.get("/datasets/trial/description", "scientist").json()
    assert (told["owner"], told["contract"], told["sources"], told["latest"]) == ("Cardiology", "trial@2", ["lab"], 2)
    (table,) = told["tables"]
    column = {c["name"]: c for c in table["columns"]}["pressure"]
    assert (column["unit"], column["words"]) == ("mmHg", "Enters as it is.")
    sample = table["sample_query"]
    answer = house.post("/queries", "scientist", project="heart", sql=sample, format="json")
    assert answer.status_code == 200, (sample, answer.text)
    assert answer.json()["rows"]


def test_versions_compared_tell_rows_and_columns(house):
    told = house.get("/datasets/trial/diff?before=1&after=2", "scientist").json()
    assert (told["contract_before"], told["contract_after"], len(told["deliveries"])) == ("trial@1", "trial@2", 1)
    (table,) = told["tables"]
    assert (table["change"], table["rows_added"], table["rows_removed"]) == ("changed", 50, 0)
    assert table["rows_after"] - table["rows_before"] == 50
    assert [(c["column"], c["change"]) for c in table["columns"]] == [("pressure", "added")]
    back = house.get("/datasets/trial/diff?before=2&after=1", "scientist").json()["tables"][0]
    assert (back["rows_added"], back["rows_removed"]) == (0, 50)
    same = house.get("/datasets/trial/diff?before=2&after=2", "scientist").json()
    assert (same["tables"][0]["change"], same["deliveries"]) == ("same", [])
    assert house.get("/datasets/trial/diff?before=1&after=9", "scientist").status_code == 404


def test_a_version_is_found_by_time(house):
    one = house.get("/datasets/trial/version?number=1", "scientist").json()
    at = one["committed_at"].replace("+00:00", "Z")
    assert house.get(f"/datasets/trial/version?at={at}", "scientist").json()["number"] == 1
    assert house.get("/datasets/trial/version", "scientist").json()["number"] == 2
    assert house.get("/datasets/trial/version?at=2000-01-01T00:00:00Z", "scientist").status_code == 404


def test_quality_adds_up(house):
    last, first = house.get("/datasets/trial/quality", "scientist").json()["deliveries"]
    for told in (first, last):
        assert told["rows_in"] == told["rows_committed"] + told["rows_quarantined"]
    assert (last["rows_quarantined"], last["part_committed"]) == (1, round(50 / 51, 6))
    assert first["part_committed"] == 1.0


def test_a_profile_is_computed_apart_and_kept(house):
    pending = house.get("/datasets/trial/profile?version=1", "scientist").json()
    assert (pending["state"], pending["missing"], pending["tables"]) == ("pending", ["visits"], [])
    assert profile_datasets(house.rooms) == 2  # the newest, and the one that was asked for
    assert profile_datasets(house.rooms) == 0
    ready = house.get("/datasets/trial/profile", "scientist").json()
    assert (ready["state"], ready["number"], ready["small_cell"]) == ("ready", 2, 10)
    (table,) = ready["tables"]
    assert (table["rows"], table["failure"], table["counted_by"]) == (1250, "", None)
    columns = {c["name"]: c for c in table["columns"]}
    assert {v["value"]: v["rows"] for v in columns["code"]["values"]} == {}  # more than 200 different ones
    assert columns["pressure"]["nulls"] == 1200
    assert (columns["pressure"]["min"], columns["pressure"]["max"]) == (109.0, 140.0)
    assert columns["seen"]["max"].startswith("2021-01-05")
    assert house.get("/datasets/trial/profile?version=1", "auditor").json()["state"] == "ready"
    assert house.get("/datasets/trial/profile?version=7", "auditor").status_code == 404


def test_the_graph_leads_from_source_to_result(house):
    answer = house.post(
        "/queries", "scientist", project="heart", sql="select count(*) from trial.visits", format="json"
    )
    query = answer.headers["X-Atoll-Query-Id"]
    graph = house.get("/datasets/trial/lineage", "scientist").json()
    edges = {(e["from"], e["to"], e["kind"]) for e in graph["edges"]}
    ids = {n["id"] for n in graph["nodes"]}
    deliveries = [n["id"] for n in graph["nodes"] if n["kind"] == "delivery"]
    assert len(deliveries) == 2
    for number, delivery in enumerate(deliveries, start=1):
        assert ("source/lab", delivery, "delivered") in edges
        assert (delivery, f"table/trial.visits@{number}", "admitted") in edges
        assert (f"contract/trial@{number}", f"table/trial.visits@{number}", "governed") in edges
    assert ("table/trial.visits@1", "table/trial.visits@2", "became") in edges
    assert ("table/trial.visits@2", f"query/{query}", "read") in edges
    grant = next(n["id"] for n in graph["nodes"] if n["kind"] == "grant")
    assert (grant, f"query/{query}", "granted") in edges
    assert all({e["from"], e["to"]} <= ids for e in graph["edges"])
    assert graph["more"] is False
    assert "scientist" in next(n["label"] for n in graph["nodes"] if n["id"] == f"query/{query}")


def test_the_graph_is_bounded_and_goes_on_where_it_ended(house):
    newest = house.get("/flows/graph?dataset=trial&limit=1", "steward").json()
    assert (newest["events"], newest["more"]) == (1, True)
    older = house.get(f"/flows/graph?dataset=trial&until={newest['oldest'].replace('+00:00', 'Z')}", "steward").json()
    assert older["events"] >= 2
    assert not {n["id"] for n in newest["nodes"] if n["kind"] == "query"} & {n["id"] for n in older["nodes"]}


def test_flows_are_found_by_person_and_time(house):
    own = house.get("/flows?person=scientist", "steward").json()["items"]
    assert own
    assert {e["job"]["name"] for e in own} == {"query.heart"}
    assert house.get("/flows?person=nobody", "steward").json()["items"] == []
    later = (house.clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert house.get(f"/flows?person=scientist&since={later}", "steward").json()["items"] == []
    assert house.get("/flows?dataset=absent", "steward").status_code == 404


def test_queries_of_other_projects_are_not_told(house):
    house.post("/queries", "scientist", project="heart", sql="select 1 from trial.visits", format="json")
    foreign = house.get("/datasets/trial/lineage", "other").json()
    assert {n["kind"] for n in foreign["nodes"]} == {"source", "delivery", "contract", "table"}
    assert house.get("/flows?person=scientist", "other").json()["items"] == []

"""Governed SQL by HTTP, over rows that came in by HTTP and through the real admission."""

from __future__ import annotations

import csv
import io
import json
import time
from decimal import Decimal
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.api.asking import ALL, FOREVER, ROWS, fill, served_by

from atoll.api import results
from atoll.api.schemas.queries import ResultFormat


@pytest.fixture(scope="module")
def lake(site):
    return fill(site)


@pytest.fixture(scope="module")
def served(lake):
    """The app behind a real server: what a client sees of an answer that breaks off."""
    with served_by(lake.app) as address:
        yield address


def ask(site, sql=ALL, who="scientist", project="heart", **more):
    return site.post("/queries", who, project=project, sql=sql, **more)


def outcomes(site, outcome):
    key = f'\natoll_queries_total{{outcome="{outcome}"}} '
    text = site.client.get("/metrics").text
    return float(text.split(key)[1].split("\n")[0]) if key in text else 0.0


def test_json(lake):
    before = outcomes(lake, "done")
    answer = ask(lake)
    assert answer.status_code == 200
    body = answer.json()
    assert [c["name"] for c in body["columns"]] == ["visit", "code", "weight", "seen"]
    assert len(body["rows"]) == ROWS
    assert body["rows"][3] == [3, None, 0.75, "2020-01-04"]
    assert body["rows"][4][1] == 'a "quoted", word'
    assert body["query_id"] == answer.headers["x-atoll-query-id"]
    assert outcomes(lake, "done") == before + 1


def test_csv(lake):
    answer = ask(lake, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["visit", "code", "weight", "seen"] and len(rows) == ROWS + 1
    assert rows[5] == ["4", 'a "quoted", word', "1", "2020-01-05"]


def test_arrow(lake):
    table = pa.ipc.open_stream(ask(lake, format="arrow").content).read_all()
    assert table.num_rows == ROWS
    assert table.column("visit").to_pylist() == list(range(ROWS))


def test_parquet(lake):
    table = pq.read_table(io.BytesIO(ask(lake, format="parquet").content))
    assert table.num_rows == ROWS
    assert table.column("code")[3].as_py() is None


@pytest.mark.parametrize("form", list(ResultFormat))
def test_a_result_without_rows_has_its_columns(lake, form):
    answer = ask(lake, ALL.replace(" order", " where visit < 0 order"), format=form.value)
    assert answer.status_code == 200
    if form is ResultFormat.JSON:
        assert answer.json()["rows"] == [] and len(answer.json()["columns"]) == 4
    elif form is ResultFormat.CSV:
        assert answer.text.strip() == '"visit","code","weight","seen"'
    elif form is ResultFormat.ARROW:
        assert pa.ipc.open_stream(answer.content).read_all().num_rows == 0
    else:
        assert pq.read_table(io.BytesIO(answer.content)).column_names == ["visit", "code", "weight", "seen"]


def test_the_query_is_on_record_for_its_project_only(lake):
    id = ask(lake).headers["x-atoll-query-id"]
    record = lake.get(f"/queries/{id}", "scientist").json()
    assert record["stats"]["rows"] == ROWS and record["stats"]["scanned_bytes"] > 0
    assert record["versions"] == ["trial@1"] and record["error_code"] == ""
    assert lake.get(f"/queries/{id}", "other").status_code == 404
    assert id in [q["id"] for q in lake.get("/queries?project=heart", "scientist").json()["items"]]
    assert lake.get("/queries?project=heart", "other").status_code == 404


@pytest.mark.parametrize(
    ("sql", "status"),
    [
        ("select nothing from trial.visits", 422),
        ("drop table trial.visits", 422),
        ("select * from read_csv('/etc/passwd')", 422),
        ("select * from secret.visits", 422),
        ("select", 422),
        ("", 422),
        ("select cast(code as integer) from trial.visits", 422),
    ],
)
@pytest.mark.parametrize("form", ["json", "csv", "arrow", "parquet"])
def test_what_is_wrong_is_told_as_an_error_before_any_byte(lake, sql, status, form):
    answer = ask(lake, sql, format=form)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["message"] and "c17" not in answer.text


def test_who_is_not_in_the_project_or_has_no_grant_reads_nothing(lake):
    assert ask(lake, who="other").status_code == 404
    assert ask(lake, who="steward").status_code == 403
    assert ask(lake, project="none").status_code == 404
    assert ask(lake, who="other", project="lung").status_code in (403, 404, 422)
    assert lake.audited("query.refuse")


def test_a_revoked_grant_holds_for_the_next_query(lake):
    (standing,) = [g for g in lake.get("/grants?project=heart", "steward").json()["items"] if g["state"] == "in_force"]
    lake.send("DELETE", f"/grants/{standing['id']}", "steward")
    assert ask(lake).status_code in (403, 404, 422)
    tables = [{"table": "visits", "columns": ["visit", "code", "weight", "seen"], "row_filter": "visit < 10"}]
    answer = lake.post("/grants", "steward", project="heart", dataset="trial", reason="less", tables=tables)
    assert answer.status_code == 201
    assert len(ask(lake).json()["rows"]) == 10
    lake.send("DELETE", f"/grants/{answer.json()['id']}", "steward")
    assert lake.post("/grants", "steward", project="heart", dataset="trial", reason="all").status_code == 201


def test_costs_are_those_of_the_asker_or_all(lake):
    ask(lake)
    own = lake.get("/costs?by=user", "scientist").json()
    assert {line["key"] for line in own["lines"]} == {"scientist"}
    everything = lake.get("/costs?by=user", "auditor").json()
    assert {line["key"] for line in everything["lines"]} >= {"scientist", "lab"}
    assert lake.get("/costs?by=user", "other").json()["lines"] == []


def test_flows_and_audit_are_read_and_the_chain_holds(lake):
    flows = lake.get("/flows?dataset=trial", "auditor").json()["items"]
    assert flows and all(event["eventType"] for event in flows)
    assert lake.get("/flows?dataset=none", "auditor").status_code == 404
    first = lake.get("/audit?limit=5", "auditor").json()
    assert [entry["number"] for entry in first["items"]] == [1, 2, 3, 4, 5] and first["cursor"] == "5"
    after = lake.get("/audit?limit=5&after=5", "auditor").json()["items"]
    assert after[0]["number"] == 6 and after[0]["previous"] == first["items"][-1]["hash"]
    assert lake.get("/audit?limit=2&tail=true", "auditor").json()["cursor"] is None
    assert lake.get("/audit/verification", "auditor").json()["intact"] is True


def test_datasets_are_shown_with_columns_and_counts(lake):
    assert [d["name"] for d in lake.get("/datasets", "scientist").json()["items"]] == ["trial"]
    shown = lake.get("/datasets/trial", "scientist").json()
    assert shown["newest"]["tables"][0]["rows"] == ROWS
    assert [v["number"] for v in lake.get("/datasets/trial/versions", "auditor").json()["items"]] == [1]
    assert lake.get("/datasets/none", "auditor").status_code == 404


def over_the_wire(served, site, sql, form):
    body = {"project": "heart", "sql": sql, "format": form}
    return httpx.stream("POST", f"{served}/queries", json=body, headers=site.head("scientist"), timeout=60)


@pytest.mark.parametrize("form", ["json", "csv", "arrow"])
def test_an_answer_that_breaks_off_does_not_look_complete(lake, served, form):
    """More rows than a result may have: that shows only while they are sent."""
    before = outcomes(lake, "broken")
    few = "(select visit from trial.visits where visit < 5)"
    pairs = f"select a.visit, a.code, b.code as c from trial.visits a, trial.visits b, {few} d"
    with over_the_wire(served, lake, pairs, form) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in answer.iter_bytes():
                pass
        id = answer.headers["x-atoll-query-id"]
    assert lake.get(f"/queries/{id}", "scientist").json()["error_code"] == "limit_exceeded"
    assert outcomes(lake, "broken") == before + 1


def test_the_same_over_parquet_is_told_as_an_error(lake):
    pairs = "select a.visit from trial.visits a, trial.visits b, trial.visits c"
    assert ask(lake, pairs, format="parquet").status_code == 413


def test_a_caller_who_hangs_up_ends_the_query(lake, served):
    with over_the_wire(served, lake, FOREVER, "arrow") as answer:
        assert next(answer.iter_bytes())
        id = answer.headers["x-atoll-query-id"]
    end = time.monotonic() + 20
    while (record := lake.get(f"/queries/{id}", "scientist").json())["finished_at"] is None:
        assert time.monotonic() < end, record
        time.sleep(0.05)
    assert record["error_code"] == "cancelled"
    assert outcomes(lake, "hung_up") >= 1
    assert ask(lake, "select count(*) as n from trial.visits").json()["rows"] == [[ROWS]]


def encoded(form, *arrays, names):
    batch = pa.RecordBatch.from_arrays(list(arrays), names=names)
    return b"".join(results.encode(form, "qry_1", batch.schema, [batch, batch.slice(0, 0)], Path()))


def test_values_that_json_and_csv_have_no_word_for():
    arrays = (
        pa.array([Decimal("12345678901234567890.10"), None]),
        pa.array([b"\x00\xff", None]),
        pa.array([float("nan"), float("inf")]),
        pa.array([[1, 2], None]),
        pa.array([2**63 - 1, -(2**63)]),
        pa.array(["", None]),
        pa.array([1_500_000, None], pa.duration("us")),
    )
    names = ["decimal", "binary", "number", "list", "big", "text", "span"]
    rows = json.loads(encoded(ResultFormat.JSON, *arrays, names=names))["rows"]
    assert rows[0] == ["12345678901234567890.10", "AP8=", None, [1, 2], 2**63 - 1, "", 1.5]
    assert rows[1] == [None, None, None, None, -(2**63), None, None]
    lines = encoded(ResultFormat.CSV, pa.array([[1, 2], None]), pa.array(["", None]), names=["list", "text"])
    assert lines == b'"list","text"\n"[1,2]",""\n,\n'


def test_json_is_cut_into_pieces_that_join_to_one_text():
    batch = pa.RecordBatch.from_arrays([pa.array(range(25_000))], names=["n"])
    pieces = list(results.encode(ResultFormat.JSON, "qry_1", batch.schema, [batch, batch], Path()))
    assert len(pieces) > 4
    assert [row[0] for row in json.loads(b"".join(pieces))["rows"]] == [*range(25_000), *range(25_000)]


def test_a_large_parquet_waits_in_the_home_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "_SPOOL_BYTES", 10)
    batch = pa.RecordBatch.from_arrays([pa.array(range(1000))], names=["n"])
    pieces = results.encode(ResultFormat.PARQUET, "qry_1", batch.schema, [batch], tmp_path)
    assert pq.read_table(io.BytesIO(b"".join(pieces))).num_rows == 1000
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        list(results.encode(ResultFormat.PARQUET, "qry_1", batch.schema, [batch], tmp_path / "gone"))

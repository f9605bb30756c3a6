"""Queries that the platform runs by itself: queue, progress, cancel, kept results, reuse, price, saved texts."""

from __future__ import annotations

import io
import stat
import time
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.api.asking import ALL, FOREVER, ROWS, deliver, fill, grant, settled
from tests.api.conftest import open_site

from atoll.errors import Unavailable
from atoll.flows import run_query_queued
from atoll.flows.run_query_results import sweep_results
from atoll.model.ledger import Metric
from atoll.model.operation import Lease
from atoll.model.query import QueryRecord
from atoll.wiring import platform

MILLION = "select i, i % 7 as k, (i / 3)::decimal(12, 2) as d from range(1000000) t(i)"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A filled site whose runner of queries works in the background."""
    site, rooms = open_site(tmp_path_factory.mktemp("home"), query_max_eur=0.5)
    fill(site)
    runner = platform.query_runner(site.rooms)
    runner.start()
    yield site
    runner.stop()
    platform.close(rooms)


@pytest.fixture
def idle(tmp_path):
    """A filled site where nothing runs by itself; the clock can be moved."""
    site, rooms = open_site(tmp_path / "home")
    fill(site)
    yield site
    platform.close(rooms)


def queue(site, sql=ALL, who="scientist", project="heart", **more):
    return site.post("/queries/async", who, project=project, sql=sql, **more)


def done(site, sql=ALL, **more):
    answer = queue(site, sql, **more)
    assert answer.status_code == 202, answer.text
    record = settled(site, answer.json()["id"])
    assert record["state"] == "done", record
    return record


def run_open(site):
    return platform.query_runner(site.rooms).run_open()


def test_a_query_runs_by_itself_and_its_rows_are_read_from_anywhere(kept):
    answer = queue(kept)
    assert answer.status_code == 202
    assert answer.json()["state"] in ("queued", "running") and answer.json()["queued_at"]
    record = settled(kept, answer.json()["id"])
    assert (record["state"], record["progress"], record["rows"]) == ("done", 1.0, ROWS)
    assert record["columns"][0] == {"name": "visit", "type": "int64"}
    assert record["scanned_bytes"] > 0 and Decimal(record["cost"]) > 0 and record["currency"] == "EUR"
    assert record["result_kept"] and record["result_bytes"] > 0 and record["versions"] == ["trial@1"]
    page = kept.get(f"/queries/{record['id']}/rows?offset=1150&limit=1000", "scientist").json()
    assert (page["offset"], page["total"], len(page["rows"])) == (1150, ROWS, 50)
    assert page["rows"][0] == [1150, "c1150", 287.5, "2020-01-03"]
    assert page["columns"] == record["columns"]
    assert kept.get(f"/queries/{record['id']}/rows?offset={ROWS}", "scientist").json()["rows"] == []
    assert kept.get(f"/queries/{record['id']}/rows?limit=1001", "scientist").status_code == 422
    assert kept.get("/queries?project=heart", "scientist").json()["items"][0]["id"] == record["id"]


def test_it_is_audited_traced_and_charged_once(kept):
    id = done(kept, "select count(*) as n from trial.visits", fresh=True)["id"]
    runs = [e for e in kept.rooms.audit.tail(1000) if e.event.because == f"query/{id}"]
    assert [e.event.action for e in runs] == ["query.queue", "query.run"]
    assert {e.event.caller.name for e in runs} == {"scientist"}
    charged = [u for u in kept.rooms.usage.records_of(f"{kept.clock.now():%Y-%m}") if u.because == f"query/{id}"]
    assert sorted(u.metric.value for u in charged) == ["query_seconds", "scanned_bytes"]
    flows = [f for f in kept.rooms.flow_log.of_dataset("trial", 50) if id in str(f.outputs)]
    assert len(flows) == 1
    assert Decimal(kept.get(f"/queries/{id}", "scientist").json()["cost"]) == sum(u.amount_eur for u in charged)


def test_the_file_is_private(kept):
    id = done(kept)["answered_by"] or done(kept)["id"]
    file = kept.rooms.settings.results_path / f"{id}.arrow"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("form", ["arrow", "csv", "json", "parquet"])
def test_the_whole_result_in_every_format_each_time_on_record(kept, form):
    id = done(kept)["id"]
    before = len(kept.audited("query.read"))
    answer = kept.get(f"/queries/{id}/result?format={form}", "scientist")
    assert answer.status_code == 200 and f"{id}." in answer.headers["content-disposition"]
    rows = {
        "arrow": lambda: pa.ipc.open_stream(answer.content).read_all().num_rows,
        "parquet": lambda: pq.read_table(io.BytesIO(answer.content)).num_rows,
        "csv": lambda: len(answer.text.splitlines()) - 1,
        "json": lambda: len(answer.json()["rows"]),
    }[form]()
    assert rows == ROWS
    assert len(kept.audited("query.read")) == before + 1


def test_a_page_of_a_million_rows_is_quick(kept):
    record = done(kept, MILLION)
    spent = []
    for offset in (999_000, 0, 500_123, 65_000, 131_071, 777_777, 999_999):
        start = time.perf_counter()
        page = kept.get(f"/queries/{record['id']}/rows?offset={offset}&limit=1000", "scientist").json()
        spent.append(time.perf_counter() - start)
        assert page["total"] == 1_000_000
        assert page["rows"][0][0] == offset and page["rows"][-1][0] == min(offset + 999, 999_999)
    assert sorted(spent)[len(spent) // 2] < 0.05


def test_the_same_question_is_answered_by_the_kept_result_at_no_cost(kept):
    sql = "select code from trial.visits where visit = 7"
    first = done(kept, sql)
    again = queue(kept, f"  {sql} ; ").json()
    assert again["state"] == "done" and again["answered_by"] == first["id"]
    assert (again["rows"], Decimal(again["cost"]), again["scanned_bytes"]) == (1, 0, 0)
    assert kept.get(f"/queries/{again['id']}/rows", "scientist").json()["rows"] == [["c7"]]
    event = kept.audited("query.run")[-1]
    assert event.details["answered_by"] == first["id"] and event.because == f"query/{again['id']}"
    assert any(again["id"] in str(f.outputs) for f in kept.rooms.flow_log.of_dataset("trial", 5))
    assert done(kept, sql, fresh=True)["answered_by"] is None


def test_another_version_policy_text_or_project_is_asked_anew(idle):
    def answered_by(sql=ALL, **more):
        asked = queue(idle, sql, **more).json()
        run_open(idle)
        return idle.get(f"/queries/{asked['id']}", more.get("who", "scientist")).json()["answered_by"]

    first = queue(idle).json()["id"]
    run_open(idle)
    assert answered_by() == first
    assert answered_by(f"{ALL} limit 5000") is None
    deliver(idle, "visits2.csv")
    assert idle.get("/datasets/trial", "scientist").json()["latest"] == 2
    assert answered_by() is None
    second = answered_by()
    assert second not in (None, first)
    # The same rows of the same version, under another grant; then under another project.
    for standing in idle.get("/grants?project=heart", "steward").json()["items"]:
        idle.send("DELETE", f"/grants/{standing['id']}", "steward")
    grant(idle)
    assert answered_by() is None
    grant(idle, project="lung")
    assert answered_by(who="other", project="lung") is None


def test_a_grant_that_ends_by_itself_ends_queries_and_what_was_kept(idle):
    for standing in idle.get("/grants?project=heart", "steward").json()["items"]:
        idle.send("DELETE", f"/grants/{standing['id']}", "steward")
    grant(idle, expires_at=(idle.clock.now() + timedelta(minutes=30)).isoformat())
    id = queue(idle).json()["id"]
    run_open(idle)
    assert idle.get(f"/queries/{id}/rows", "scientist").status_code == 200
    idle.clock.ahead += timedelta(hours=1)
    assert idle.get(f"/queries/{id}/rows", "scientist").status_code == 404
    answer = idle.post("/queries", "scientist", project="heart", sql=ALL)
    assert (answer.status_code, "no table" in answer.json()["message"]) == (422, True)
    assert estimate(idle, ALL).status_code == 422
    assert idle.get("/projects/heart/relations", "scientist").json()["items"] == []
    assert idle.get("/grants?project=heart", "scientist").json()["items"][0]["state"] == "expired"
    # Another may be given at once; the expired one is closed by it.
    grant(idle)
    assert idle.post("/queries", "scientist", project="heart", sql=ALL).status_code == 200


def test_a_table_that_is_not_granted_cannot_be_told_from_one_that_is_not_there(idle):
    told = set()
    for dataset, table in (("trial", "visits"), ("trial", "absent"), ("nowhere", "visits"), ("nowhere", "absent")):
        for path in ("/queries", "/queries/estimate"):
            answer = idle.post(path, "other", project="lung", sql=f"select * from {dataset}.{table}")
            body = answer.json()
            words = str({key: body[key] for key in ("code", "message", "where", "todo") if key in body})
            told.add((answer.status_code, words.replace(dataset, "D").replace(table, "T")))
    assert len(told) == 1, told


@pytest.mark.parametrize(
    "sql", ["select random()", "select \"age\" /**/ (date '2020-01-01')", "from trial.visits using sample 3 rows"]
)
def test_what_is_another_each_time_is_not_reused(kept, sql):
    assert done(kept, sql)["answered_by"] is None
    assert done(kept, sql)["answered_by"] is None


def test_a_wrong_statement_fails_with_what_to_do(kept):
    record = settled(kept, queue(kept, "select vist from trial.visits").json()["id"])
    assert (record["state"], record["error_code"]) == ("failed", "statement_refused")
    assert '"visit"' in record["error"]
    assert kept.get(f"/queries/{record['id']}/rows", "scientist").status_code == 409


def test_cancelling_a_running_query_ends_it(kept):
    id = queue(kept, f"select count(*) from ({FOREVER}, trial.visits d)").json()["id"]
    end = time.monotonic() + 20
    while kept.get(f"/queries/{id}", "scientist").json()["state"] != "running":
        assert time.monotonic() < end
        time.sleep(0.02)
    assert kept.send("DELETE", f"/queries/{id}", "other").status_code == 404
    assert kept.send("DELETE", f"/queries/{id}", "scientist").status_code == 200
    assert settled(kept, id)["state"] == "cancelled"
    assert kept.send("DELETE", f"/queries/{id}", "scientist").status_code == 409


def test_progress_is_told_while_it_runs(kept):
    id = queue(kept, "select sum(a.i * b.i) from range(40000) a(i), range(40000) b(i)").json()["id"]
    seen = set()
    while (record := kept.get(f"/queries/{id}", "scientist").json())["finished_at"] is None:
        seen.add(record["progress"])
        time.sleep(0.1)
    assert any(part is not None and 0 < part < 1 for part in seen), (seen, record)


def test_nobody_of_another_project_sees_or_reads_it(kept):
    id = done(kept)["id"]
    for path in (f"/queries/{id}", f"/queries/{id}/rows", f"/queries/{id}/result"):
        assert kept.get(path, "other").status_code == 404
        assert kept.get(path, "steward").status_code == 403
    assert queue(kept, who="other").status_code == 404


def test_what_a_colleague_reads_is_on_record_once(idle):
    idle.add_person("mate", {"scientist"})
    assert idle.send("PUT", "/projects/heart/members/mate", "admin").status_code == 200
    id = queue(idle).json()["id"]
    run_open(idle)
    for _ in range(3):
        assert idle.get(f"/queries/{id}/rows", "mate").status_code == 200
        assert idle.get(f"/queries/{id}/rows", "scientist").status_code == 200
    assert [e.caller.name for e in idle.audited("query.read")] == ["mate"]
    assert idle.send("DELETE", f"/queries/{id}/result", "mate").status_code == 403


def test_a_revoked_grant_ends_what_was_kept_at_once_and_the_file_goes(idle):
    standing = idle.get("/grants?project=heart", "steward").json()["items"][0]["id"]
    id = queue(idle).json()["id"]
    free = queue(idle, "select 1 as one").json()["id"]
    run_open(idle)
    assert idle.get(f"/queries/{id}/rows", "scientist").status_code == 200
    assert idle.send("DELETE", f"/grants/{standing}", "steward").status_code in (200, 204)
    for path in (f"/queries/{id}/rows", f"/queries/{id}/result"):
        assert idle.get(path, "scientist").status_code == 404
    grant(idle)
    # A new grant gives the right to ask again, not to read what was kept under the old one.
    assert idle.get(f"/queries/{id}/rows", "scientist").status_code == 404
    assert queue(idle).json()["state"] == "queued"
    assert sweep_results(idle.rooms) == 1
    assert [p.stem for p in idle.rooms.settings.results_path.iterdir()] == [free]
    shown = idle.get(f"/queries/{id}", "scientist").json()
    assert not shown["result_kept"] and shown["result_removed"] == "revoked"


def test_results_expire_and_can_be_removed_before(idle):
    ids = [queue(idle, f"select {n} as n").json()["id"] for n in range(2)]
    run_open(idle)
    assert idle.send("DELETE", f"/queries/{ids[0]}/result", "scientist").status_code == 204
    assert idle.get(f"/queries/{ids[0]}/rows", "scientist").status_code == 404
    assert [p.stem for p in idle.rooms.settings.results_path.iterdir()] == [ids[1]]
    idle.clock.ahead += timedelta(hours=25)
    assert idle.get(f"/queries/{ids[1]}/rows", "scientist").status_code == 404
    assert sweep_results(idle.rooms) == 1
    assert list(idle.rooms.settings.results_path.iterdir()) == []


def test_the_oldest_go_when_space_is_used_up(idle, monkeypatch):
    ids = [queue(idle, f"select i, {n} as n from range(50000) t(i)").json()["id"] for n in range(3)]
    run_open(idle)
    each = idle.get(f"/queries/{ids[0]}", "scientist").json()["result_bytes"]
    small = idle.rooms.settings.model_copy(update={"results_bytes": 2 * each})
    object.__setattr__(idle.rooms, "settings", small)
    assert sweep_results(idle.rooms) == 1
    assert idle.get(f"/queries/{ids[0]}", "scientist").json()["result_removed"] == "space"
    assert idle.get(f"/queries/{ids[2]}/rows", "scientist").status_code == 200


def test_a_result_too_large_to_keep_is_an_error(idle):
    object.__setattr__(idle.rooms, "settings", idle.rooms.settings.model_copy(update={"result_bytes": 2**20}))
    id = queue(idle, "select i from range(1000000) t(i)").json()["id"]
    run_open(idle)
    record = idle.get(f"/queries/{id}", "scientist").json()
    assert (record["state"], record["error_code"]) == ("failed", "limit_exceeded")
    assert list(idle.rooms.settings.results_path.iterdir()) == []


def test_a_queued_query_is_cancelled_before_it_runs(idle):
    id = queue(idle).json()["id"]
    assert idle.send("DELETE", f"/queries/{id}", "scientist").json()["state"] == "cancelled"
    run_open(idle)
    record = idle.get(f"/queries/{id}", "scientist").json()
    assert record["state"] == "cancelled" and record["cost"] is None
    assert idle.audited("query.run") == []


def test_who_has_left_the_project_meanwhile_gets_nothing(idle):
    id = queue(idle).json()["id"]
    assert idle.send("DELETE", "/projects/heart/members/scientist", "admin").status_code in (200, 204)
    run_open(idle)
    assert idle.rooms.records.get(QueryRecord, id).state.value == "failed"
    assert list(idle.rooms.settings.results_path.iterdir()) == []


def test_a_query_whose_platform_was_killed_is_run_once_more_and_charged_once(idle):
    id = queue(idle).json()["id"]
    lost(idle, id)
    (idle.rooms.settings.results_path / f"{id}.part").write_bytes(b"half")
    assert idle.get(f"/queries/{id}", "scientist").json()["state"] == "running"
    run_open(idle)
    assert idle.get(f"/queries/{id}", "scientist").json()["state"] == "done"
    charged = [u for u in idle.rooms.usage.records_of(f"{idle.clock.now():%Y-%m}") if u.because == f"query/{id}"]
    assert sorted(u.metric.value for u in charged) == ["query_seconds", "scanned_bytes"]


def test_a_query_lost_twice_fails_and_says_why(idle):
    id = queue(idle).json()["id"]
    for _ in range(2):
        lost(idle, id)
    run_open(idle)
    record = idle.get(f"/queries/{id}", "scientist").json()
    assert record["state"] == "failed" and "lost while it ran, twice" in record["error"]
    assert record["cost"] is None


def lost(site, id):
    """A process claims the operation, begins the query and dies."""
    records, operations = site.rooms.records, site.rooms.operations
    record = records.get(QueryRecord, id)
    until = site.clock.now() - timedelta(seconds=1)
    operations.claim(operations.get(record.operation), Lease(owner="gone", until=until))
    records.put(record.but(runs=record.runs + 1))


def test_a_stop_of_the_platform_costs_nothing_and_the_query_goes_on_at_the_next_start(idle):
    id = queue(idle, "select count(*) from range(400000000000)").json()["id"]
    runner = platform.query_runner(idle.rooms)
    runner.start()
    while idle.get(f"/queries/{id}", "scientist").json()["state"] != "running":
        time.sleep(0.02)
    time.sleep(0.3)
    runner.stop()
    record = idle.get(f"/queries/{id}", "scientist").json()
    assert record["finished_at"] is None and record["cost"] is None
    operation = idle.rooms.operations.get(idle.rooms.records.get(QueryRecord, id).operation)
    assert operation.lease is None and operation.attempt == 0


def test_a_query_process_that_dies_is_tried_again(idle, monkeypatch):
    id = queue(idle).json()["id"]
    real, calls = run_query_queued.start, []

    def broken(*args, **more):
        calls.append(1)
        if len(calls) == 1:
            raise Unavailable("The query's process ended unexpectedly.")
        return real(*args, **more)

    monkeypatch.setattr(run_query_queued, "start", broken)
    run_open(idle)
    assert idle.get(f"/queries/{id}", "scientist").json()["finished_at"] is None
    operation = idle.rooms.records.get(QueryRecord, id).operation
    idle.rooms.operations.update(operation, lambda o: o.but(retry_at=None))
    run_open(idle)
    assert idle.get(f"/queries/{id}", "scientist").json()["state"] == "done"


def estimate(site, sql, who="scientist"):
    return site.post("/queries/estimate", who, project="heart", sql=sql)


def test_an_estimate_tells_what_would_be_read_and_costs_nothing(kept):
    before = kept.get("/costs?by=user", "auditor").json()["total_eur"]
    told = estimate(kept, "select code, count(*) as n from trial.visits group by code").json()
    assert told["relations"] == ["trial.visits"] and told["scanned_bytes"] > 0
    assert [c["name"] for c in told["columns"]] == ["code", "n"]
    assert 0 < told["rows"] <= ROWS and Decimal(told["price"]) > 0 and told["currency"] == "EUR" and told["allowed"]
    assert kept.get("/costs?by=user", "auditor").json()["total_eur"] == before
    refused = estimate(kept, "select vist from trial.visits")
    assert refused.status_code == 422 and '"visit"' in refused.json()["message"]
    assert estimate(kept, "describe trial.visits").status_code == 200
    assert estimate(kept, ALL, "other").status_code == 404


def test_what_costs_too_much_is_not_run(idle):
    object.__setattr__(idle.rooms, "settings", idle.rooms.settings.model_copy(update={"query_max_eur": 1e-12}))
    assert estimate(idle, ALL).json()["allowed"] is False
    assert idle.post("/queries", "scientist", project="heart", sql=ALL).status_code == 413
    id = queue(idle).json()["id"]
    run_open(idle)
    record = idle.get(f"/queries/{id}", "scientist").json()
    assert record["error_code"] == "limit_exceeded" and "EUR" in record["error"]
    assert idle.audited("query.run") == []


def test_a_used_up_budget_blocks_queries(idle):
    assert idle.post("/queries", "scientist", project="heart", sql=ALL).status_code == 200
    answer = idle.send("PUT", "/budgets/project/heart", "admin", json={"eur_per_month": "0.01", "warn_at": []})
    assert answer.status_code == 200
    charge = idle.rooms.usage.charge(
        metric=Metric.QUERY_SECONDS,
        quantity=Decimal(10**9),
        user="scientist",
        project="heart",
    )
    idle.rooms.records.transact([charge])
    answer = idle.post("/queries", "scientist", project="heart", sql=ALL)
    assert answer.status_code == 413 and "nothing is queried under it" in answer.json()["message"]


def test_the_relations_of_a_project_are_what_it_may_name(kept):
    items = kept.get("/projects/heart/relations", "scientist").json()["items"]
    assert [(r["dataset"], r["table"]) for r in items] == [("trial", "visits")]
    assert items[0]["columns"][0] == {
        "name": "visit",
        "type": "integer",
        "description": "",
        "unit": None,
        "treatment": "keep",
    }
    assert kept.get("/projects/lung/relations", "other").json()["items"] == []
    assert kept.get("/projects/heart/relations", "other").status_code == 404


def test_saved_queries_are_those_of_the_project(kept):
    answer = kept.send("POST", "/saved-queries?project=heart", "scientist", json={"name": "All visits", "sql": ALL})
    assert answer.status_code == 201
    saved = answer.json()
    assert saved["saved_by"] == "scientist"
    assert kept.send("POST", "/saved-queries?project=heart", "other", json={"name": "x", "sql": "y"}).status_code == 404
    changed = kept.send(
        "PUT", f"/saved-queries/{saved['id']}", "scientist", json={"name": "Fewer", "sql": f"{ALL} limit 5"}
    )
    assert changed.json()["name"] == "Fewer"
    assert [s["name"] for s in kept.get("/saved-queries?project=heart", "scientist").json()["items"]] == ["Fewer"]
    assert kept.send("DELETE", f"/saved-queries/{saved['id']}", "other").status_code == 404
    assert kept.send("DELETE", f"/saved-queries/{saved['id']}", "scientist").status_code == 204
    assert kept.get("/saved-queries?project=heart", "scientist").json()["items"] == []
    assert [e.action for e in kept.rooms.audit.tail(3) and kept.audited("saved_query.remove")] == ["saved_query.remove"]

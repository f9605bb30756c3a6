"""Errors, ids, headers, logs, health and figures: what every answer has and what none holds."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading

import pytest
from fastapi import Depends
from fastapi.testclient import TestClient

from atoll import errors
from atoll.api import create_app
from atoll.api.errors import STATUS, status_of
from atoll.api.logs import configure_logs
from atoll.api.openapi import openapi_json
from atoll.api.security import PUBLIC, Public, access_of

CANARY = "CANARY-7f3a"


@pytest.fixture
def logged():
    """The process's log, as it would be written, and everything put back after."""
    root = logging.getLogger()
    kept = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    stream = io.StringIO()
    configure_logs("debug", stream)
    yield stream
    root.handlers[:], sys.excepthook, threading.excepthook = kept[0], kept[2], kept[3]
    root.setLevel(kept[1])
    logging.captureWarnings(False)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def broken(site):
    """An app of its own with routes that fail in every way."""
    app = create_app(site.rooms)

    def add(path, endpoint):
        app.add_api_route(path, endpoint, operation_id=path.strip("/"), dependencies=[Depends(PUBLIC)])

    def unexpected():
        try:
            int(CANARY)
        except ValueError as error:
            raise KeyError(CANARY) from error

    def raising(error):
        def endpoint():
            raise error

        return endpoint

    add("/unexpected", unexpected)
    for number, error in enumerate(every_error()):
        add(f"/error{number}", raising(error))
    return TestClient(app, raise_server_exceptions=False)


def every_error():
    found, waiting = [], [errors.AtollError]
    while waiting:
        kind = waiting.pop()
        waiting += [sub for sub in kind.__subclasses__() if sub.__module__ == "atoll.errors"]
        extra = {"retry_after_seconds": 7} if kind is errors.TooManyAttempts else {}
        found.append(kind("It happened.", where="here", todo="Do that.", **extra))
    return found


def test_every_domain_error_has_its_status_and_the_one_shape(broken):
    for number, error in enumerate(every_error()):
        answer = broken.get(f"/error{number}")
        assert answer.status_code == status_of(error)
        assert answer.json() == {
            "code": error.code,
            "message": "It happened.",
            "where": "here",
            "todo": "Do that.",
            "findings": [],
            "request_id": answer.headers["x-request-id"],
        }


def test_the_table_agrees_with_the_tree_drawn_in_errors():
    for kind, status in STATUS.items():
        if kind is not errors.AtollError:
            (line,) = [line for line in errors.__doc__.splitlines() if kind.__name__ in line.split()]
            assert f"(HTTP {status})" in line


def test_findings_are_told(site):
    answer = site.post("/contracts/check", "steward", text="dataset: 1\n")
    assert answer.status_code == 422
    assert answer.json()["code"] == "contract_invalid" and answer.json()["findings"]


def test_an_unexpected_error_tells_nothing_of_itself(broken, logged):
    answer = broken.get("/unexpected?q=" + CANARY, headers={"X-Request-Id": "request-of-mine"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert answer.json()["request_id"] == "request-of-mine"
    assert CANARY not in answer.text
    assert CANARY not in logged.getvalue()
    (line,) = [line for line in lines(logged) if line["level"] == "error"]
    assert line["error"] == ["KeyError", "ValueError"]
    assert line["request_id"] == "request-of-mine"
    assert line["trace"][-1].endswith(":unexpected")
    file, number, _ = line["trace"][-1].rsplit(":", 2)
    assert file.endswith("api/test_answers.py") and number.isdigit()


@pytest.mark.parametrize("offered", ["request-of-mine", "a" * 64, "a.b_c-d0"])
def test_a_sane_request_id_is_kept(site, offered):
    answer = site.client.get("/healthz", headers={"X-Request-Id": offered})
    assert answer.headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["short", "a" * 65, "has blanks in it", 'quote"d-and-more', "new\tline-here"])
def test_another_one_is_replaced(site, offered):
    answer = site.client.get("/healthz", headers={"X-Request-Id": offered})
    assert answer.headers["x-request-id"] != offered
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/me", "/nowhere", "/api/v1/openapi.json"])
def test_every_answer_has_safe_headers(site, path):
    headers = site.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "x-request-id" in headers


def test_what_is_not_there_and_what_is_not_taken(site):
    for answer, status, code in [
        (site.client.get("/nowhere"), 404, "not_found"),
        (site.client.put("/api/v1/people"), 405, "method_not_allowed"),
        (site.client.get("/docs"), 404, "not_found"),
    ]:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["request_id"]


@pytest.mark.parametrize(
    "body",
    [
        {"login": CANARY, "display_name": "x"},
        {"login": "x", "display_name": "x", CANARY: 1},
        {"login": "x", "display_name": "x", "roles": [CANARY]},
        {"login": {"a": CANARY}, "display_name": CANARY * 50},
        [CANARY],
        CANARY,
    ],
)
def test_a_validation_error_names_the_rule_and_never_the_value(site, body):
    answer = site.send("POST", "/people", "admin", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input" and answer.json()["findings"]
    assert CANARY not in answer.text


def test_neither_do_broken_json_a_wrong_type_or_a_parameter(site):
    head = {"content-type": "application/json"}
    for answer in (
        site.send("POST", "/people", "admin", content=f'{{"login": "{CANARY}"', headers=head),
        site.send("POST", "/people", "admin", content=CANARY, headers={"content-type": "text/plain"}),
        site.send("POST", "/people", "admin", content=b"\xff\xfe" + CANARY.encode(), headers=head),
        site.get(f"/people?limit={CANARY}", "admin"),
        site.get(f"/costs?month={CANARY}&by={CANARY}", "auditor"),
    ):
        assert answer.status_code in (400, 422)
        assert CANARY not in answer.text
        assert answer.json()["code"] in ("invalid_input", "bad_request")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_too_large_is_refused(site, announced):
    body = b'{"text": "' + b"x" * (5 * 2**20) + b'"}'
    content = body if announced else iter([body[:1000], body[1000:]])
    answer = site.send(
        "POST", "/contracts/check", "steward", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "limit_exceeded"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_each_request_leaves_one_line_without_query_string_or_body(site, logged):
    site.client.post(
        f"/api/v1/tokens?note={CANARY}",
        json={"label": CANARY, "login": CANARY.lower()},
        headers={**site.head("admin"), "X-Request-Id": "request-of-mine"},
    )
    (line,) = [line for line in lines(logged) if line["logger"] == "atoll.api"]
    assert set(line) == {"time", "level", "logger", "message", "request_id", "fields"}
    assert line["request_id"] == "request-of-mine"
    assert line["fields"]["route"] == "/api/v1/tokens"
    assert line["fields"]["method"] == "POST" and line["fields"]["status"] == 404
    assert line["fields"]["caller"] == site.ids["admin"]
    assert CANARY.lower() not in logged.getvalue().lower()
    assert site.tokens["admin"] not in logged.getvalue()


def test_ids_in_paths_stay_out_of_log_and_figures(site, logged):
    site.get(f"/people/{CANARY}", "admin")
    site.client.get(f"/{CANARY}")
    site.client.request(CANARY, "/healthz")
    assert CANARY not in logged.getvalue()
    assert CANARY not in site.client.get("/metrics").text


def test_libraries_and_uncaught_errors_log_no_values(logged):
    logging.getLogger("library").warning("cannot take %s", CANARY)
    logging.getLogger("library").error(f"cannot take {CANARY}")
    try:
        int(CANARY)
    except ValueError:
        logging.getLogger("library").exception("it broke on %r", CANARY)
        logging.getLogger("atoll.x").exception("A step broke.")
        sys.excepthook(*sys.exc_info())
    thread = threading.Thread(target=lambda: int(CANARY))
    thread.start()
    thread.join()
    assert CANARY not in logged.getvalue()
    found = lines(logged)
    assert [line["message"] for line in found[:3]] == [
        "cannot take %s",
        "(message of a library, withheld)",
        "it broke on %r",
    ]
    assert all(line["error"] == ["ValueError"] and line["trace"] for line in found[2:])
    assert len(found) == 6


def test_uvicorn_does_not_log_addresses_with_their_query(logged):
    logging.getLogger("uvicorn.access").info('%s - "%s %s"', "1.1.1.1", "GET", f"/x?{CANARY}")
    logging.getLogger("uvicorn.error").info("Started.")
    assert [line["message"] for line in lines(logged)] == ["Started."]


def test_health_and_readiness(site):
    assert site.client.get("/healthz").json() == {"ok": True}
    answer = site.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "parts": {"records": True, "engine": True, "lake": True}}


def test_a_part_that_is_away_is_named(fresh_site):
    lake = fresh_site.rooms.settings.lake_path
    lake.rename(lake.with_name("gone"))
    answer = fresh_site.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["lake"] is False and answer.json()["parts"]["records"] is True
    assert fresh_site.client.get("/healthz").status_code == 200


def test_figures(fresh_site):
    site = fresh_site
    site.add_dataset("trial", versions=3)
    site.get("/people/absent", "admin")
    text = site.client.get("/metrics").text
    assert 'atoll_http_requests_total{method="GET",route="/api/v1/people/{id}",status="404"} 1.0' in text
    assert "atoll_rows_admitted_total 30.0" in text
    assert "atoll_bytes_committed_total 300.0" in text
    assert 'atoll_operations{state="queued"} 0.0' in text
    assert "atoll_http_request_seconds_bucket" in text
    # Versions are counted once, however often one asks.
    site.add_dataset("other", versions=1)
    assert "atoll_rows_admitted_total 40.0" in site.client.get("/metrics").text
    assert "atoll_rows_admitted_total 40.0" in site.client.get("/metrics").text


def test_settings_are_told_and_secrets_are_not(site):
    items = {item["name"]: item for item in site.get("/settings", "admin").json()["items"]}
    assert items["master_key"]["secret"] and items["master_key"]["value"] in ("set", "not set")
    assert items["port"]["value"] == "8470" and items["port"]["help"]
    assert set(items) == set(type(site.rooms.settings).model_fields)


def test_the_description_is_the_same_on_every_run(site):
    text = openapi_json(site.app)
    assert text == openapi_json(create_app(site.rooms))
    described = json.loads(text)
    public_ids = {route.operation_id for route in site.app.routes if isinstance(access_of(route), Public)}
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation["operationId"] and operation["description"], path
            public = operation["operationId"] in public_ids
            assert public == ("x-scope" not in operation) == ("security" not in operation), path
    assert "password_hash" not in text and "token_hash" not in text
    assert site.client.get("/api/v1/openapi.json").json() == described

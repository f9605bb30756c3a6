from __future__ import annotations

import json
import threading
import time

import httpx
import pytest

from atoll.gateway import GatewayLimits

QUERY = {"project": "heart", "sql": "select 1"}


def test_the_gateway_puts_the_identity_in_and_takes_the_machines_own_out(house, api):
    api.pages["/api/v1/me"] = b'{"login": "ada"}'
    with house.inside() as inside:
        answer = inside.get(
            "/api/v1/me",
            headers={"Authorization": "Bearer stolen", "Cookie": "session=x", "X-Forwarded-For": "10.0.0.1"},
        )
    assert answer.json() == {"login": "ada"}
    headers = api.asked[0].headers
    assert headers["Authorization"] == "Bearer secret-of-wsp_a"
    assert not {"Cookie", "X-Forwarded-For"} & set(headers)
    assert "secret-of" not in answer.text + str(answer.headers)


def test_each_machine_speaks_for_itself(house, api):
    api.pages["/api/v1/me"] = b"{}"
    with house.inside() as a, house.inside("wsp_b", "lung") as b:
        a.get("/api/v1/me")
        b.get("/api/v1/me")
    assert [one.headers["Authorization"] for one in api.asked] == ["Bearer secret-of-wsp_a", "Bearer secret-of-wsp_b"]


def test_an_identity_that_is_revoked_ends_at_once(house, api):
    api.pages["/api/v1/me"] = b"{}"
    with house.inside() as inside:
        assert inside.get("/api/v1/me").status_code == 200
        del house.known["wsp_a"]
        assert inside.get("/api/v1/me").status_code == 401
        assert inside.get("/pypi/simple/six/").status_code == 401
        assert inside.get("/git/heart/x.git/info/refs?service=git-upload-pack").status_code == 401
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/deliveries"),
        ("PUT", "/api/v1/deliveries/dlv_1/files/0"),
        ("GET", "/api/v1/deliveries"),
        ("GET", "/api/v1/audit"),
        ("GET", "/api/v1/costs"),
        ("POST", "/api/v1/grants"),
        ("DELETE", "/api/v1/grants/grt_1"),
        ("GET", "/api/v1/tokens"),
        ("POST", "/api/v1/tokens"),
        ("POST", "/api/v1/sign-in"),
        ("GET", "/api/v1/people"),
        ("GET", "/api/v1/settings"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/datasets/../people"),
        ("GET", "/api/v1/datasets/%2e%2e/people"),
        ("GET", "/api/v1/datasets/a%2f..%2f..%2fpeople"),
        ("GET", "/api/v1//people"),
        ("POST", "/upload"),
        ("PUT", "/files/results.csv"),
        ("GET", "/download/results.csv"),
        ("POST", "/pypi/legacy/"),
        ("PUT", "/npm/mine"),
        ("DELETE", "/pypi/simple/six/"),
        ("GET", "/"),
    ],
)
def test_all_else_is_refused_and_asks_nothing_outside(house, api, upstream, method, path):
    house.machine()
    transport = httpx.HTTPTransport(uds=str(house.place / "wsp_a/gw/gw.sock"))
    with transport:
        request = httpx.Request(method, httpx.URL("http://127.0.0.1:3141", raw_path=path.encode()), content=b"rows")
        answer = transport.handle_request(request)
        body = json.loads(answer.read())
    assert answer.status_code in (403, 422)
    if answer.status_code == 403:
        assert "airlock" in body["todo"]
    assert api.asked == upstream.asked == []


def test_it_is_no_proxy(house, api):
    import socket

    machine = house.machine()
    for line in (f"GET {api.url}/api/v1/me HTTP/1.1", "CONNECT 127.0.0.1:22 HTTP/1.1"):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(machine.socket))
            raw.settimeout(5)
            raw.sendall(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert raw.recv(200).split()[1] in (b"400", b"403"), line
    assert api.asked == []


def test_a_query_is_asked_for_the_machines_project_only(house, api):
    api.pages["/api/v1/queries"] = b'{"rows": []}'
    with house.inside() as inside:
        assert inside.post("/api/v1/queries", json=QUERY).status_code == 200
        assert inside.post("/api/v1/queries", json={"sql": "select 1"}).status_code == 200
        refused = inside.post("/api/v1/queries", json={**QUERY, "project": "lung"})
        twice = inside.post("/api/v1/queries", content=b'{"project": "heart", "project": "lung", "sql": ""}')
        other_way = inside.post("/api/v1/queries", content=b'{"project": "lung", "project": "heart", "sql": "a"}')
        assert inside.post("/api/v1/queries", content=b"[]").status_code == 422
        assert inside.post("/api/v1/queries", content=b"\x00").status_code == 422
    assert refused.status_code == twice.status_code == 403
    assert other_way.status_code == 200
    assert [json.loads(one.body)["project"] for one in api.asked] == ["heart"] * 3
    assert b"lung" not in b"".join(one.body for one in api.asked)


def test_a_statement_too_large_is_refused(house, api):
    with house.inside() as inside:
        answer = inside.post("/api/v1/queries", json={**QUERY, "sql": "x" * 2**21})
    assert answer.status_code == 413
    assert api.asked == []


def test_lists_are_of_the_machines_project(house, api):
    api.pages["/api/v1/grants"] = api.pages["/api/v1/queries"] = b'{"items": []}'
    with house.inside() as inside:
        inside.get("/api/v1/grants", params={"limit": 5, "evil": 1})
        inside.get("/api/v1/queries")
        assert inside.get("/api/v1/queries", params={"project": "lung"}).status_code == 403
        assert inside.get("/api/v1/grants?project=heart&project=lung").status_code == 403
    assert api.paths() == [
        "/api/v1/grants?limit=5&project=heart",
        "/api/v1/queries?project=heart",
    ]


def test_what_belongs_to_another_project_is_not_found(house, api):
    api.pages["/api/v1/queries/qry_1"] = b'{"project": "heart", "sql": "a"}'
    api.pages["/api/v1/queries/qry_2"] = b'{"project": "lung", "sql": "hidden"}'
    with house.inside() as inside:
        assert inside.get("/api/v1/queries/qry_1").json()["sql"] == "a"
        other = inside.get("/api/v1/queries/qry_2")
    assert other.status_code == 404
    assert "hidden" not in other.text


def test_flows_of_other_projects_queries_are_left_out(house, api):
    events = [
        {"job": {"name": name}}
        for name in ("admit.lab", "query.heart", "query.lung", "mount.lung", "mount.heart", "new")
    ]
    api.pages["/api/v1/flows"] = json.dumps({"items": events, "cursor": None}).encode()
    with house.inside() as inside:
        items = inside.get("/api/v1/flows", params={"dataset": "synthea"}).json()["items"]
    assert [event["job"]["name"] for event in items] == ["admit.lab", "query.heart", "mount.heart"]


def test_errors_of_the_api_come_as_they_are(house, api):
    api.pages["/api/v1/queries"] = lambda _: (
        422,
        {"Content-Type": "application/json", "Set-Cookie": "a=b"},
        b'{"c": 1}',
    )
    with house.inside() as inside:
        answer = inside.post("/api/v1/queries", json=QUERY)
    assert (answer.status_code, answer.json()) == (422, {"c": 1})
    assert "Set-Cookie" not in answer.headers


def test_a_large_answer_streams_whole(house, api):
    body = bytes(range(256)) * 2**17  # 32 MiB
    api.pages["/api/v1/queries"] = lambda _: (200, {"X-Atoll-Query-Id": "qry_1"}, body)
    with house.inside() as inside, inside.stream("POST", "/api/v1/queries", json=QUERY) as answer:
        assert answer.headers["X-Atoll-Query-Id"] == "qry_1"
        assert b"".join(answer.iter_raw()) == body


@pytest.mark.parametrize(
    ("headers", "sent"),
    [({"Content-Length": "1000"}, b"half"), ({"Transfer-Encoding": "chunked"}, b"4\r\nhalf\r\n")],
)
def test_an_answer_that_breaks_off_does_not_look_whole(house, api, headers, sent):
    api.pages["/api/v1/queries"] = lambda _: (200, {**headers, "Connection": "close"}, sent)
    with house.inside() as inside, pytest.raises(httpx.RemoteProtocolError):
        inside.post("/api/v1/queries", json=QUERY)


def test_a_platform_that_is_away_is_told(house_of):
    house = house_of()
    house.host._gateway._api._url = "http://127.0.0.1:9"
    with house.inside() as inside:
        answer = inside.get("/api/v1/me")
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"


def test_too_many_requests_at_once_are_refused(house_of, api):
    house = house_of(limits=GatewayLimits(connections=8, requests=1))
    going, gate = threading.Event(), threading.Event()

    def slow(_):
        going.set()
        gate.wait(10)
        return (200, {}, b"{}")

    api.pages["/api/v1/me"] = slow
    with house.inside() as inside, house.inside("wsp_b") as neighbour:
        first = threading.Thread(target=inside.get, args=("/api/v1/me",))
        first.start()
        assert going.wait(5)
        with house.inside() as again:
            refused = again.get("/api/v1/datasets")
        assert neighbour.get("/api/v1/datasets").status_code == 404  # passed on, and the API has none
        gate.set()
        first.join()
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"


def test_a_machine_that_hangs_up_ends_its_query(house, api):
    ended = threading.Event()

    def endless(asked):
        # The body is longer than any buffer on the way: writing fails once the reader is gone.
        return (200, {}, b"x" * 2**28)

    api.pages["/api/v1/queries"] = endless
    with house.inside() as inside, inside.stream("POST", "/api/v1/queries", json=QUERY) as answer:
        next(answer.iter_raw())
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and not ended.is_set():
        if not house.host._gateway._session.connector._acquired:
            ended.set()
        time.sleep(0.02)
    assert ended.is_set()


def test_files_go_from_a_machine_into_the_airlock_under_its_own_name(house, api):
    api.pages["/api/v1/airlock-requests"] = b'{"id": "air_1", "project": "heart"}'
    api.pages["/api/v1/airlock-requests/air_1"] = b'{"id": "air_1", "project": "heart"}'
    api.pages["/api/v1/airlock-requests/air_1/files/0"] = b'{"id": "air_1"}'
    api.pages["/api/v1/airlock-requests/air_1/submit"] = b'{"id": "air_1"}'
    with house.inside() as inside:
        body = {"purpose": "p", "destination": "d", "workspace": "wsp_b"}
        assert inside.post("/api/v1/airlock-requests", json=body).status_code == 200
        answer = inside.put("/api/v1/airlock-requests/air_1/files/0", params={"name": "t.csv"}, content=b"a,b\n" * 9)
        assert answer.status_code == 200
        assert inside.post("/api/v1/airlock-requests/air_1/submit").status_code == 200
    opened = json.loads(api.asked[0].body)
    assert (opened["workspace"], opened["project"]) == ("wsp_a", "heart")
    (put,) = [one for one in api.asked if one.method == "PUT"]
    assert put.body == b"a,b\n" * 9
    assert put.path.endswith("?name=t.csv")
    assert put.headers["Authorization"] == "Bearer secret-of-wsp_a"


def test_another_projects_request_is_not_reached_and_nothing_is_fetched_inside(house, api):
    api.pages["/api/v1/airlock-requests/air_2"] = b'{"id": "air_2", "project": "lung"}'
    with house.inside() as inside:
        assert inside.put("/api/v1/airlock-requests/air_2/files/0?name=a.csv", content=b"x").status_code == 404
        assert inside.post("/api/v1/airlock-requests/air_2/submit").status_code == 404
        assert inside.get("/api/v1/airlock-requests/air_2").status_code == 404
        assert inside.get("/api/v1/airlock-requests/air_1/files/0/content").status_code == 403
        assert inside.get("/api/v1/airlock-requests/air_1/files/0/preview").status_code == 403
        assert inside.post("/api/v1/airlock-requests/air_1/reviews", json={}).status_code == 403
    assert {one.method for one in api.asked} == {"GET"}

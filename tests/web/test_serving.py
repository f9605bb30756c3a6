"""How the API serves the application: deep links, caching, nothing of the API shadowed, nothing of the host told."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from atoll.api.web import POLICY, Web

PAGE = "<!doctype html><title>Atoll</title>"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def api(scope, receive, send):
    await send({"type": "http.response.start", "status": 404, "headers": [(b"x-from", b"api")]})
    await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def built(tmp_path):
    directory = tmp_path / "static"
    (directory / "assets").mkdir(parents=True)
    (directory / ".vite").mkdir()
    (directory / ".vite" / "manifest.json").write_text("{}")
    (directory / "index.html").write_text(PAGE)
    (directory / "assets" / "index-abc.js").write_text("export const a = 1;" * 100)
    (directory / "api").write_text("not the api")
    (tmp_path / "secret").write_text("secret")
    (directory / "link").symlink_to(tmp_path / "secret")
    return directory


@pytest.fixture
def client(built):
    return TestClient(Web(api, built))


@pytest.mark.parametrize("path", ["/", "/machines/ws_1", "/data/a.b/c"])
def test_pages_are_the_application(client, path):
    answer = client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api", "/healthz", "/readyz", "/metrics", "/w/ws_1/"])
def test_the_api_is_never_shadowed(client, path):
    assert client.get(path, headers=BROWSER).headers["x-from"] == "api"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_what_changes_something_is_not_ours(client, method):
    assert client.request(method, "/", headers=BROWSER).headers["x-from"] == "api"


@pytest.mark.parametrize("path", ["/nowhere", "/assets/gone-1.js", "/.vite/manifest.json", "/link", "/../secret"])
def test_what_is_not_there_is_for_programs_an_error(client, path):
    assert client.get(path, headers={"accept": "*/*"}).headers["x-from"] == "api"


def test_a_script_that_is_gone_is_not_a_page(client):
    assert client.get("/assets/gone-1.js", headers=BROWSER).headers["x-from"] == "api"


@pytest.mark.parametrize("path", ["/%2e%2e/secret", "/assets/%2e%2e/%2e%2e/secret", "//etc/passwd", "/link"])
def test_no_path_leads_out(client, path):
    assert client.get(path, headers=BROWSER).text in (PAGE, "{}")


def test_hashed_files_stay_and_are_squeezed(client):
    answer = client.get("/assets/index-abc.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get("/assets/index-abc.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text


def test_a_page_that_is_known_is_not_sent_again(client):
    tag = client.get("/").headers["etag"]
    again = client.get("/", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_new_build_is_seen(client, built):
    assert client.get("/").text == PAGE
    (built / "index.html").unlink()
    (built / "index.html").write_text(PAGE + "new")
    assert client.get("/").text == PAGE + "new"


def test_without_a_build_the_page_says_what_to_do(tmp_path):
    answer = TestClient(Web(api, tmp_path)).get("/", headers=BROWSER)
    assert answer.status_code == 503
    assert "make web" in answer.text

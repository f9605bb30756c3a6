from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.gateway.indexes import add_to_pypi, sha256, wheel

from atoll.gateway import discovered, inside_configuration

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
OLD = "2029-01-01T00:00:00Z"
NEW = "2030-05-31T00:00:00Z"


def names(answer: httpx.Response) -> list[str]:
    return [file["filename"] for file in answer.json()["files"]]


def test_a_page_leads_to_files_of_the_mirror_only(house, upstream):
    add_to_pypi(upstream, "tide-pool", {"1.0": OLD})
    with house.inside() as inside:
        page = inside.get("/pypi/simple/Tide_Pool/", headers=JSON)
        assert page.headers["Content-Type"] == JSON["Accept"]
        file = page.json()["files"][0]
        url = page.url.join(file["url"])
        content = inside.get(url)
        beside = inside.get(f"{url}.metadata")
    assert upstream.url not in page.text
    assert content.content == wheel("tide-pool", "1.0")
    assert beside.text.startswith("Metadata-Version")
    assert (file["requires-python"], file["size"], file["upload-time"][:4]) == (">=3.8", len(content.content), "2029")
    assert [(d.package, d.version, d.sha256, d.bytes, d.verified, d.from_cache) for d in house.downloads[:1]] == [
        ("tide-pool", "1.0", sha256(content.content), len(content.content), True, False)
    ]
    assert (house.downloads[0].workspace, house.downloads[0].project, house.downloads[0].login) == (
        "wsp_a",
        "heart",
        "ada",
    )


def test_upstream_is_asked_once_and_for_nothing_that_was_not_asked_for(house, upstream):
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    add_to_pypi(upstream, "other", {"1.0": OLD})
    with house.inside() as inside, house.inside("wsp_b", "lung") as neighbour:
        for client in (inside, neighbour):
            page = client.get("/pypi/simple/tide/", headers=JSON)
            assert client.get(page.url.join(page.json()["files"][0]["url"])).status_code == 200
        assert inside.get("/pypi/simple/").status_code == 403
        assert inside.get("/pypi/simple").status_code == 403
    assert upstream.paths() == ["/pypi/tide/", "/files/tide-1.0-py3-none-any.whl"]
    assert [(d.workspace, d.from_cache) for d in house.downloads] == [("wsp_a", False), ("wsp_b", True)]
    told = str([one.headers for one in upstream.asked])
    assert not any(word in told for word in ("wsp_", "ada", "secret", "heart"))


def test_the_cache_outlives_the_gateway(house_of, upstream):
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    for _ in range(2):
        house = house_of()
        with house.inside() as inside:
            page = inside.get("/pypi/simple/tide/", headers=JSON)
            assert inside.get(page.url.join(page.json()["files"][0]["url"])).status_code == 200
        house.host.stop()
    assert upstream.paths().count("/files/tide-1.0-py3-none-any.whl") == 1


def test_a_file_that_is_not_what_the_index_promised_does_not_enter(house, upstream):
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    upstream.pages["/files/tide-1.0-py3-none-any.whl"] = b"something else"
    with house.inside() as inside:
        page = inside.get("/pypi/simple/tide/", headers=JSON)
        url = page.url.join(page.json()["files"][0]["url"])
        answer = inside.get(url)
        assert answer.status_code == 502
        assert answer.json()["code"] == "integrity_broken"
        add_to_pypi(upstream, "tide", {"1.0": OLD})
        assert inside.get(url).status_code == 200  # nothing of the false file was kept
    assert len(house.downloads) == 1


def test_a_large_false_file_is_cut_before_its_end(house, upstream):
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    false = b"x" * 2**22

    def all_but_the_end() -> Iterator[bytes]:
        yield f"{len(false):x}\r\n".encode() + false + b"\r\n"
        time.sleep(0.5)  # time for a careless mirror to pass all of it on
        yield b"0\r\n\r\n"

    upstream.pages["/files/tide-1.0-py3-none-any.whl"] = lambda _: (
        200,
        {"Transfer-Encoding": "chunked"},
        all_but_the_end(),
    )
    with house.inside() as inside:
        page = inside.get("/pypi/simple/tide/", headers=JSON)
        got = b""
        with (
            pytest.raises(httpx.RemoteProtocolError),
            inside.stream("GET", page.url.join(page.json()["files"][0]["url"])) as answer,
        ):
            for chunk in answer.iter_raw():
                got += chunk
    assert 0 < len(got) < len(false)
    assert house.downloads == []


def test_nothing_enters_off_the_record(house, upstream):
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    house.recording_fails = True
    with house.inside() as inside:
        page = inside.get("/pypi/simple/tide/", headers=JSON)
        answer = inside.get(page.url.join(page.json()["files"][0]["url"]))
    assert answer.status_code == 503
    assert b"PK" not in answer.content


def test_young_versions_are_held(house_of, upstream):
    house = house_of(min_age_days=7)
    add_to_pypi(upstream, "tide", {"1.0": OLD, "2.0": NEW, "3.0": None})
    add_to_pypi(upstream, "fresh", {"1.0": NEW})
    with house.inside() as inside:
        page = inside.get("/pypi/simple/tide/", headers=JSON)
        assert names(page) == ["tide-1.0-py3-none-any.whl"]
        assert page.json()["versions"] == ["1.0"]
        assert page.headers["X-Atoll-Held-Versions"] == "2"
        young = f"/pypi/files/tide/{sha256(wheel('tide', '2.0'))}/tide-2.0-py3-none-any.whl"
        assert inside.get(young).status_code == 403
        fresh = inside.get("/pypi/simple/fresh/", headers=JSON)
        assert fresh.status_code == 403
        assert "until it is 7 days old" in fresh.reason_phrase
        house.clock.at = house.clock.at.replace(month=7)
        assert names(inside.get("/pypi/simple/tide/", headers=JSON)) == [
            "tide-1.0-py3-none-any.whl",
            "tide-2.0-py3-none-any.whl",
        ]
        assert inside.get(young).status_code == 200


def test_names_are_allowed_and_blocked(house_of, upstream):
    house = house_of(allow=("pypi/tide*",), block=("pypi/tide-evil", "pypi/tide==2.*"))
    add_to_pypi(upstream, "tide", {"1.0": OLD, "2.0": OLD, "2.1": OLD})
    with house.inside() as inside:
        assert names(inside.get("/pypi/simple/tide/", headers=JSON)) == ["tide-1.0-py3-none-any.whl"]
        for name in ("tide-evil", "Tide_Evil", "shore", "..", "%2e%2e", "a b"):
            assert inside.get(f"/pypi/simple/{name}/").status_code in (403, 404, 422), name
    assert upstream.paths() == ["/pypi/tide/"]


def test_an_index_in_html_is_read_and_written(house, upstream):
    content = wheel("tide", "1.0")
    upstream.pages["/files/tide-1.0-py3-none-any.whl"] = content
    page = (
        f'<html><a href="/files/tide-1.0-py3-none-any.whl#sha256={sha256(content)}" '
        'data-requires-python="&gt;=3.8" data-yanked="bad &quot;day&quot;">tide-1.0-py3-none-any.whl</a>'
        '<a href="/files/tide-0.9.tar.gz#md5=aa">tide-0.9.tar.gz</a><a href="file:///etc/passwd">x-1.0.tar.gz</a></html>'
    )
    upstream.pages["/pypi/tide/"] = lambda _: (200, {"Content-Type": "text/html"}, page.encode())
    with house.inside() as inside:
        told = inside.get("/pypi/simple/tide/", headers=JSON).json()["files"]
        assert [(f["filename"], f["yanked"], f["requires-python"]) for f in told] == [
            ("tide-1.0-py3-none-any.whl", 'bad "day"', ">=3.8")
        ]
        text = inside.get("/pypi/simple/tide/", headers={"Accept": "text/html"})
    assert text.headers["Content-Type"].startswith("text/html")
    assert 'data-yanked="bad &quot;day&quot;"' in text.text
    assert "passwd" not in text.text


@pytest.mark.parametrize(
    "page",
    [b"{", b'{"files": 3}', b'{"files": [{}]}', b"[]", b'{"files": [{"filename": "a-1.0.tar.gz", "hashes": 3}]}'],
)
def test_a_broken_index_is_an_error_of_upstream(house, upstream, page):
    kind = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    upstream.pages["/pypi/tide/"] = lambda _: (200, kind, page)
    with house.inside() as inside:
        assert inside.get("/pypi/simple/tide/").status_code == 503


def test_what_upstream_does_not_have_and_upstream_away(house_of, upstream):
    house = house_of(fresh_seconds=0)
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    with house.inside() as inside:
        assert inside.get("/pypi/simple/nosuch/").status_code == 404
        assert inside.get("/pypi/simple/tide/").status_code == 200
        upstream.pages["/pypi/tide/"] = lambda _: (500, {}, b"")
        assert inside.get("/pypi/simple/tide/").status_code == 200  # by what was known
        upstream.pages["/pypi/shore/"] = lambda _: (500, {}, b"")
        assert inside.get("/pypi/simple/shore/").status_code == 503


def test_no_upstream_is_told(house_of):
    house = house_of(urls={})
    with house.inside() as inside:
        answer = inside.get("/pypi/simple/tide/")
    assert answer.status_code == 503
    assert "ATOLL_MIRROR_PYPI_URL" in answer.json()["todo"]


def test_a_file_too_large_is_refused(house_of, upstream):
    house = house_of(file_max_bytes=100)
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    with house.inside() as inside:
        page = inside.get("/pypi/simple/tide/", headers=JSON)
        assert inside.get(page.url.join(page.json()["files"][0]["url"])).status_code == 413


def test_many_at_once_fetch_a_file_once(house, upstream):
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    path = "/files/tide-1.0-py3-none-any.whl"
    content = upstream.pages[path]
    gate = threading.Event()

    def slow(_):
        gate.wait(5)
        return (200, {}, content)

    upstream.pages[path] = slow
    got: list[bytes] = []

    with house.inside() as inside:
        page = inside.get("/pypi/simple/tide/", headers=JSON)
        url = page.url.join(page.json()["files"][0]["url"])
        threads = [threading.Thread(target=lambda: got.append(inside.get(url).content)) for _ in range(5)]
        for thread in threads:
            thread.start()
        gate.set()
        for thread in threads:
            thread.join()
    assert got == [content] * 5
    assert upstream.paths().count(path) == 1
    assert len(house.downloads) == 5


def pip(python: Path, home: Path, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pip as it runs inside: its configuration is the machine's, and it has no other index."""
    (home / "pip").mkdir(parents=True, exist_ok=True)
    configuration = home / "pip" / "pip.conf"
    configuration.write_text(inside_configuration(port)["/run/gw/pip.conf"])
    return subprocess.run(
        [str(python), "-m", "pip", "--no-cache-dir", *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "PIP_CONFIG_FILE": str(configuration), "NO_PROXY": "*"}
        | {"XDG_CONFIG_HOME": str(home / "none"), "XDG_CONFIG_DIRS": str(home / "none")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def venv(tmp_path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    return tmp_path / "venv" / "bin" / "python"


def test_pip_installs_as_it_is(house, upstream, forward, venv, tmp_path):
    add_to_pypi(upstream, "tide-pool", {"1.0": OLD, "2.0": OLD})
    machine = house.machine()
    with forward(machine.socket) as port:
        done = pip(venv, tmp_path / "home", port, "install", "tide-pool<2")
        assert done.returncode == 0, done.stderr
        missing = pip(venv, tmp_path / "home", port, "install", "nosuch")
    assert "nosuch" in missing.stderr
    told = subprocess.run(
        [venv, "-c", "import tide_pool; print(tide_pool.VERSION)"], capture_output=True, text=True, check=True
    )
    assert told.stdout == "1.0\n"
    assert ("tide-pool", "1.0") in {(d.package, d.version) for d in house.downloads}


def test_uv_installs_as_it_is(house, upstream, forward, venv, tmp_path):
    add_to_pypi(upstream, "tide-pool", {"1.0": OLD, "2.0": OLD})
    with forward(house.machine().socket) as port:
        configuration = tmp_path / "uv.toml"
        configuration.write_text(inside_configuration(port)["/run/gw/uv.toml"])
        done = subprocess.run(
            [Path(sys.executable).with_name("uv"), "pip", "install", "--python", venv, "tide-pool"],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "UV_CONFIG_FILE": str(configuration)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert {(d.package, d.version) for d in house.downloads} == {("tide-pool", "2.0")}


def test_pip_tells_people_why_a_package_is_held(house_of, upstream, forward, venv, tmp_path):
    house = house_of(block=("pypi/tide",))
    machine = house.machine()
    with forward(machine.socket) as port:
        done = pip(venv, tmp_path / "home", port, "install", "-vv", "tide")
    assert done.returncode != 0
    assert "block list" in done.stdout + done.stderr


def test_pip_installs_from_the_registry_that_this_host_is_set_to(house_of, forward, venv, tmp_path):
    house = house_of(urls={}, discover=True)
    machine = house.machine()
    with forward(machine.socket) as port:
        done = pip(venv, tmp_path / "home", port, "install", "six==1.16.0")
        assert done.returncode == 0, done.stderr
    told = subprocess.run(
        [venv, "-c", "import six; print(six.__version__)"], capture_output=True, text=True, check=True
    )
    assert told.stdout == "1.16.0\n"
    wheels = [d for d in house.downloads if d.file.endswith(".whl")]
    assert [(d.package, d.version, d.verified) for d in wheels] == [("six", "1.16.0", True)]
    assert len(wheels[0].sha256) == 64


def test_what_the_host_is_set_to_is_found_out(monkeypatch):
    assert discovered("pypi").startswith("http")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple/")
    assert discovered("pypi") == "http://127.0.0.1:1/simple"
    monkeypatch.setenv("PATH", os.devnull)
    assert discovered("npm") == discovered("cran") == discovered("debian") == ""

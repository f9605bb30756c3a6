from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.gateway.indexes import add_to_npm, npm_tarball

from atoll.gateway import inside_configuration

OLD = "2029-01-01T00:00:00.000Z"
NEW = "2030-05-31T00:00:00.000Z"


def npm(home: Path, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """npm as it runs inside: its configuration is the machine's."""
    home.mkdir(exist_ok=True)
    configuration = home / "npmrc"
    configuration.write_text(inside_configuration(port)["/run/gw/npmrc"])
    return subprocess.run(
        ["npm", *arguments],
        cwd=home,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "NPM_CONFIG_GLOBALCONFIG": str(configuration)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_page_leads_to_files_of_the_mirror_only(house, upstream):
    add_to_npm(upstream, "tide", {"1.0.0": OLD}, "1.0.0")
    with house.inside() as inside:
        page = inside.get("/npm/tide")
        dist = page.json()["versions"]["1.0.0"]["dist"]
        assert dist["tarball"] == "http://127.0.0.1:3141/npm/tide/-/tide-1.0.0.tgz"
        assert inside.get(dist["tarball"]).content == npm_tarball("tide", "1.0.0")
    assert upstream.url not in page.text
    assert "readme" not in page.text
    assert [(d.ecosystem, d.package, d.version, d.verified) for d in house.downloads] == [
        ("npm", "tide", "1.0.0", True)
    ]


def test_a_false_tarball_does_not_enter(house, upstream):
    add_to_npm(upstream, "tide", {"1.0.0": OLD}, "1.0.0")
    upstream.pages["/tarballs/tide/tide-1.0.0.tgz"] = b"something else"
    with house.inside() as inside:
        assert inside.get("/npm/tide/-/tide-1.0.0.tgz").status_code == 502
    assert house.downloads == []


def test_a_version_without_a_strong_hash_is_left_out(house, upstream):
    add_to_npm(upstream, "tide", {"1.0.0": OLD, "1.1.0": OLD}, "1.1.0")
    page = json.loads(upstream.pages["/npm/tide"])
    page["versions"]["1.1.0"]["dist"]["integrity"] = "sha1-AAAA"
    upstream.pages["/npm/tide"] = json.dumps(page).encode()
    with house.inside() as inside:
        told = inside.get("/npm/tide").json()
    assert list(told["versions"]) == ["1.0.0"]
    assert told["dist-tags"] == {"latest": "1.0.0"}


def test_latest_goes_back_to_what_is_not_held(house_of, upstream):
    house = house_of(min_age_days=3, block=("npm/tide==1.9.*",))
    versions = {"1.9.0": OLD, "1.10.0": OLD, "2.0.0-rc.1": OLD, "2.0.0": NEW}
    add_to_npm(upstream, "tide", versions, "2.0.0")
    with house.inside() as inside:
        told = inside.get("/npm/tide").json()
        assert list(told["versions"]) == ["1.10.0", "2.0.0-rc.1"]
        assert told["dist-tags"] == {"latest": "1.10.0"}
        assert inside.get("/npm/tide/-/tide-2.0.0.tgz").status_code == 403
    assert upstream.paths() == ["/npm/tide"]


@pytest.mark.parametrize(
    "path",
    ["/npm/-/v1/search?text=a", "/npm/-/all", "/npm/", "/npm/-/whoami", "/npm/@scope", "/npm/a/b/c"],
)
def test_it_neither_searches_nor_lists(house, upstream, path):
    with house.inside() as inside:
        assert inside.get(path).status_code in (403, 404, 422)
    assert upstream.asked == []


def test_npm_installs_as_it_is(house, upstream, forward, tmp_path):
    add_to_npm(upstream, "tide", {"1.0.0": OLD, "1.1.0": OLD}, "1.1.0")
    add_to_npm(upstream, "@shore/pool", {"0.1.0": OLD}, "0.1.0")
    home = tmp_path / "home"
    with forward(house.machine().socket) as port:
        done = npm(home, port, "install", "tide@^1.0.0", "@shore/pool")
        assert done.returncode == 0, done.stderr
    assert json.loads((home / "node_modules/tide/package.json").read_text())["version"] == "1.1.0"
    assert (home / "node_modules/@shore/pool/index.js").exists()
    assert {(d.package, d.version) for d in house.downloads} == {("tide", "1.1.0"), ("@shore/pool", "0.1.0")}


def test_npm_tells_people_why_a_package_is_held(house_of, forward, tmp_path):
    house = house_of(block=("npm/tide",))
    with forward(house.machine().socket) as port:
        done = npm(tmp_path / "home", port, "install", "tide")
    assert done.returncode != 0
    assert "block list" in done.stderr


def test_npm_installs_from_the_registry_that_this_host_is_set_to(house_of, forward, tmp_path):
    house = house_of(urls={}, discover=True)
    with forward(house.machine().socket) as port:
        done = npm(tmp_path / "home", port, "install", "is-number@7.0.0")
        assert done.returncode == 0, done.stderr
    assert [(d.package, d.version, d.verified) for d in house.downloads] == [("is-number", "7.0.0", True)]

from __future__ import annotations

import subprocess

import pytest
from tests.gateway.indexes import sha256

CRAN_FILE = "/cran/src/contrib/tide_1.0-2.tar.gz"
DEB_FILE = "/debian/pool/main/t/tide/tide_1.0~rc1+dfsg-1_all.deb"


def test_files_come_by_name_once_and_on_record(house, upstream):
    upstream.pages[CRAN_FILE] = b"an R package"
    upstream.pages[DEB_FILE] = b"a Debian package"
    with house.inside() as inside:
        for _ in range(2):
            assert inside.get(CRAN_FILE).content == b"an R package"
            assert inside.get(DEB_FILE).content == b"a Debian package"
    assert sorted(upstream.paths()) == sorted([CRAN_FILE, DEB_FILE])
    assert [(d.ecosystem, d.package, d.version, d.sha256, d.from_cache) for d in house.downloads] == [
        ("cran", "tide", "1.0-2", sha256(b"an R package"), False),
        ("debian", "tide", "1.0~rc1+dfsg-1", sha256(b"a Debian package"), False),
        ("cran", "tide", "1.0-2", sha256(b"an R package"), True),
        ("debian", "tide", "1.0~rc1+dfsg-1", sha256(b"a Debian package"), True),
    ]
    # No index vouched for them.
    assert not any(d.verified for d in house.downloads)


def test_a_file_that_a_newer_one_replaced_is_found_where_cran_keeps_it(house, upstream):
    upstream.pages["/cran/src/contrib/Archive/tide/tide_0.9.tar.gz"] = b"older"
    with house.inside() as inside:
        assert inside.get("/cran/src/contrib/tide_0.9.tar.gz").content == b"older"
        assert inside.get("/cran/src/contrib/tide_0.8.tar.gz").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/cran/src/contrib/PACKAGES",
        "/cran/src/contrib/PACKAGES.gz",
        "/debian/dists/stable/main/binary-amd64/Packages.xz",
    ],
)
def test_lists_of_all_packages_are_passed_on_only_where_operators_say_so(house_of, upstream, path):
    upstream.pages[path] = b"everything " * 50_000
    with house_of().inside() as inside:
        answer = inside.get(path)
        assert answer.status_code == 403
        assert "ATOLL_MIRROR_INDEXES" in answer.json()["todo"]
    assert upstream.asked == []
    house = house_of(indexes=True)
    with house.inside("wsp_b") as inside:
        assert inside.get(path).content == upstream.pages[path]
    assert house.downloads[0].sha256 == sha256(upstream.pages[path])
    assert house.downloads[0].bytes == 550_000


@pytest.mark.parametrize(
    "path",
    [
        "/cran/",
        "/cran/web/packages/",
        "/cran/src/contrib/",
        "/debian/ls-lR.gz",
        "/debian/pool/",
        "/debian/pool/main/t/tide/",
    ],
)
def test_nothing_else_of_an_archive_is_reached(house_of, upstream, path):
    with house_of(indexes=True).inside() as inside:
        assert inside.get(path).status_code == 404
    assert upstream.asked == []


def test_with_an_age_asked_for_nothing_of_unknown_age_enters(house_of, upstream):
    upstream.pages[CRAN_FILE] = b"an R package"
    with house_of(min_age_days=3).inside() as inside:
        assert "does not tell its age" in inside.get(CRAN_FILE).json()["message"]
        assert "does not tell its age" in inside.get(DEB_FILE).json()["message"]
    assert not {CRAN_FILE, DEB_FILE} & set(upstream.paths())


def test_names_are_blocked(house_of, upstream):
    with house_of(block=("cran/tide", "debian/*")).inside() as inside:
        assert inside.get(CRAN_FILE).status_code == inside.get(DEB_FILE).status_code == 403
    assert upstream.asked == []


def test_a_real_file_of_debian_comes_from_the_archive_that_this_host_is_set_to(house_of):
    """The file is the one that the host's own apt would take, and has the hash that apt knows."""
    subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
    told = subprocess.run(
        ["apt-get", "download", "--print-uris", "hello"], capture_output=True, text=True, check=True
    ).stdout.split()
    path = "/pool/" + told[0].strip("'").partition("/pool/")[2]
    house = house_of(urls={}, discover=True)
    with house.inside() as inside:
        assert inside.get(f"/debian{path.replace('%2b', '+')}").status_code == 200
    assert house.downloads[0].sha256 == told[-1].removeprefix("SHA256:")

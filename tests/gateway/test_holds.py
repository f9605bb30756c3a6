from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from atoll.errors import InvalidInput, NotFound, NotPermitted
from atoll.gateway.mirror.advisories import Advisories
from atoll.gateway.mirror.holds import Holds
from atoll.gateway.mirror.names import checked_name
from atoll.gateway.mirror.versions import order


class Clock:
    def now(self) -> datetime:
        return datetime(2030, 6, 1, tzinfo=UTC)


def advisory(directory, number, **affected):
    directory.mkdir(exist_ok=True)
    (directory / f"{number}.json").write_text(json.dumps({"id": f"OSV-{number}", "affected": [affected]}))


def ranges(*events, kind="ECOSYSTEM"):
    return [{"type": kind, "events": [dict([event]) for event in events]}]


PYPI = {"ecosystem": "PyPI", "name": "Tide_Pool"}


@pytest.mark.parametrize(
    ("affected", "held", "free"),
    [
        ({"ranges": ranges(("introduced", "0"), ("fixed", "1.10"))}, ["0.1", "1.9", "1.10rc1"], ["1.10", "2.0"]),
        ({"ranges": ranges(("introduced", "1.2"), ("last_affected", "1.4"))}, ["1.2", "1.4"], ["1.1", "1.4.1"]),
        (
            {"ranges": ranges(("introduced", "0"), ("fixed", "1.0"), ("introduced", "2.0"), ("fixed", "2.1"))},
            ["0.9", "2.0"],
            ["1.0", "1.9", "2.1"],
        ),
        ({"versions": ["1.0", "1.2"]}, ["1.0", "1.2"], ["1.1"]),
        ({"versions": ["1.0"], "ranges": ranges(("introduced", "2.0"))}, ["1.0", "2.0", "9"], ["1.9"]),
        ({}, ["1.0", "9"], []),
        ({"ranges": ranges(("introduced", "0"), ("fixed", "abc"), kind="GIT"), "versions": ["1.0"]}, ["1.0"], ["1.1"]),
        ({"ranges": ranges(("introduced", "0"), ("fixed", "2.0"))}, ["not-a-version"], []),
    ],
)
def test_advisories_name_versions_as_osv_says(tmp_path, affected, held, free):
    advisory(tmp_path / "osv", 1, package=PYPI, **affected)
    known = Advisories(tmp_path / "osv")
    assert [known.of("pypi", "tide.pool", version) for version in held] == [("OSV-1",)] * len(held)
    assert [known.of("pypi", "tide-pool", version) for version in free] == [()] * len(free)
    assert known.of("npm", "tide-pool", held[0]) == ()


def test_npm_is_compared_by_semver(tmp_path):
    events = ranges(("introduced", "0"), ("fixed", "2.0.0-rc.2"), kind="SEMVER")
    advisory(tmp_path / "osv", 1, package={"ecosystem": "npm", "name": "tide"}, ranges=events)
    known = Advisories(tmp_path / "osv")
    held = ["0.0.1", "1.10.0", "2.0.0-alpha", "2.0.0-rc.1"]
    assert all(known.of("npm", "tide", version) for version in held)
    assert not any(known.of("npm", "tide", version) for version in ("2.0.0-rc.2", "2.0.0-rc.10", "2.0.0", "10.0.0"))


def test_a_withdrawn_advisory_holds_nothing(tmp_path):
    advisory(tmp_path / "osv", 1, package=PYPI)
    path = tmp_path / "osv" / "1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"withdrawn": "2030-01-01T00:00:00Z"}))
    assert Advisories(tmp_path / "osv").of("pypi", "tide-pool", "1.0") == ()


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"id": "a", "affected": [{"package": {}}]}', '{"id": "a", "affected": 3}']
)
def test_a_file_that_is_not_understood_is_not_taken_for_none(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InvalidInput, match="OSV"):
        Advisories(tmp_path)


def test_a_known_vulnerability_holds_the_version(tmp_path):
    advisory(tmp_path / "osv", 7, package=PYPI, ranges=ranges(("introduced", "0"), ("fixed", "2.0")))
    holds = Holds(Clock(), advisories=Advisories(tmp_path / "osv"))
    with pytest.raises(NotPermitted, match="OSV-7"):
        holds.check("pypi", "tide-pool", "1.0")
    holds.check("pypi", "tide-pool", "2.0")


def test_an_allowance_does_not_undo_a_block():
    holds = Holds(Clock(), allow=("pypi/*", "npm/@types/*"), block=("pypi/evil*",))
    holds.check_name("pypi", "tide")
    holds.check_name("npm", "@types/node")
    for ecosystem, name in (("pypi", "evil-tide"), ("npm", "node"), ("cran", "tide")):
        with pytest.raises(NotPermitted):
            holds.check_name(ecosystem, name)


@pytest.mark.parametrize(
    ("ecosystem", "name"),
    [
        ("pypi", ""), ("pypi", "-a"), ("pypi", "a/b"), ("pypi", "ä"), ("pypi", "a\n"), ("npm", "../x"),
        ("npm", "@a"), ("npm", ".a"), ("npm", "@a/b/c"), ("cran", "a b"), ("debian", "A"),
    ],
)  # fmt: skip
def test_what_is_no_name_is_not_asked_for(ecosystem, name):
    with pytest.raises(NotFound):
        checked_name(ecosystem, name)


def test_orders():
    assert order("pypi", "1.10") > order("pypi", "1.9")
    assert order("cran", "1.10-1") > order("cran", "1.9-20")
    assert order("npm", "1.0.0") > order("npm", "1.0.0-rc.1")
    assert order("debian", "1:1.0") is None

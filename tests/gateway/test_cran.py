from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.gateway.indexes import add_to_cran

from atoll.gateway import inside_configuration

LIST = "/cran/for/{}/src/contrib/PACKAGES"


@pytest.fixture
def cran(upstream):
    add_to_cran(upstream, "tide", "1.2-1", "methods, shore (>= 1.0),\n  stats")
    add_to_cran(upstream, "shore", "2.0", "reef")
    add_to_cran(upstream, "reef", "0.1")
    add_to_cran(upstream, "other", "0.1")
    return upstream


def listed(answer) -> dict[str, str]:
    blocks = [block.split() for block in answer.text.split("\n\n") if block]
    return {block[block.index("Package:") + 1]: block[block.index("Version:") + 1] for block in blocks}


def test_a_list_is_of_what_was_asked_for_and_what_that_needs(house, cran):
    with house.inside() as inside:
        answer = inside.get(LIST.format("tide"))
        assert listed(answer) == {"tide": "1.2-1", "shore": "2.0", "reef": "0.1"}
        assert listed(inside.get(LIST.format("other+nosuch"))) == {"other": "0.1"}
        assert inside.get(LIST.format("tide") + ".gz").status_code == 404
    asked = {path.split("/")[-2] for path in cran.paths()}
    assert asked == {"tide", "shore", "reef", "other", "nosuch"}
    assert all(path.endswith("/DESCRIPTION") for path in cran.paths())


def test_what_is_held_is_refused_or_left_out(house_of, cran):
    house = house_of(block=("cran/shore",))
    with house.inside() as inside:
        assert inside.get(LIST.format("shore")).status_code == 403
        assert listed(inside.get(LIST.format("tide"))) == {"tide": "1.2-1"}
        assert inside.get("/cran/for/tide/src/contrib/shore_2.0.tar.gz").status_code == 403


def test_age_is_told_by_the_description_of_the_newest(house_of, cran):
    house = house_of(min_age_days=3)
    add_to_cran(cran, "young", "1.0", published="2030-05-31 10:00:00 UTC")
    cran.pages["/cran/src/contrib/tide_1.0.tar.gz"] = b"older"
    with house.inside() as inside:
        assert inside.get("/cran/src/contrib/tide_1.2-1.tar.gz").status_code == 200
        assert inside.get("/cran/src/contrib/young_1.0.tar.gz").status_code == 403
        assert inside.get(LIST.format("young")).status_code == 403
        assert "does not tell its age" in inside.get("/cran/src/contrib/tide_1.0.tar.gz").json()["message"]


def test_r_installs_as_it_is(house, cran, forward, tmp_path: Path):
    profile, home = tmp_path / "Rprofile.site", tmp_path / "home"
    home.mkdir()
    with forward(house.machine().socket) as port:
        profile.write_text(inside_configuration(port)["/run/gw/Rprofile.site"])
        done = subprocess.run(
            ["Rscript", "-e", 'install.packages("tide"); cat("\\n", tide::told(), .libPaths()[1])'],
            env={"PATH": "/usr/bin:/bin", "HOME": str(home), "R_PROFILE": str(profile), "R_LIBS_USER": str(home / "R")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert "1.2-1" in done.stdout.splitlines()[-1], done.stderr
    assert (home / "R" / "shore" / "DESCRIPTION").exists()
    assert {(d.ecosystem, d.package, d.version) for d in house.downloads} == {
        ("cran", "tide", "1.2-1"),
        ("cran", "shore", "2.0"),
        ("cran", "reef", "0.1"),
    }

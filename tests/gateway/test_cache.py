from __future__ import annotations

import os
import time

from tests.gateway.indexes import add_to_pypi
from tests.gateway.test_pypi import JSON, OLD


def take(inside, name):
    page = inside.get(f"/pypi/simple/{name}/", headers=JSON)
    answer = inside.get(page.url.join(page.json()["files"][0]["url"]))
    assert answer.status_code == 200
    return len(answer.content)


def test_what_was_longest_not_asked_for_goes_first(house_of, upstream, tmp_path):
    for name in ("tide", "shore", "reef"):
        add_to_pypi(upstream, name, {"1.0": OLD})
    house = house_of(cache_max_bytes=1600)  # two of them
    with house.inside() as inside:
        sizes = [take(inside, "tide"), take(inside, "shore")]
        assert sum(sizes) < 1600 < sum(sizes) + min(sizes)
        time.sleep(0.02)
        take(inside, "tide")
        take(inside, "reef")
        take(inside, "tide")
        take(inside, "shore")
    fetched = [path.split("/")[2].split("-")[0] for path in upstream.paths() if path.startswith("/files/")]
    assert fetched == ["tide", "shore", "reef", "shore"]


def test_a_kept_file_that_lost_bytes_is_fetched_again(house, upstream, tmp_path):
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    with house.inside() as inside:
        take(inside, "tide")
        kept = next(path for path in (tmp_path / "mirror").iterdir() if path.suffix != ".json")
        assert kept.stat().st_mode & 0o777 == 0o600
        os.truncate(kept, 10)
        assert take(inside, "tide") > 10
    assert upstream.paths().count("/files/tide-1.0-py3-none-any.whl") == 2


def test_nothing_half_is_left(house, upstream, tmp_path):
    add_to_pypi(upstream, "tide", {"1.0": OLD})
    upstream.pages["/files/tide-1.0-py3-none-any.whl"] = lambda _: (
        200,
        {"Content-Length": "9", "Connection": "close"},
        b"x",
    )
    with house.inside() as inside:
        page = inside.get("/pypi/simple/tide/", headers=JSON)
        assert inside.get(page.url.join(page.json()["files"][0]["url"])).status_code == 503
    assert list((tmp_path / "mirror").iterdir()) == []

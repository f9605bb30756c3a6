"""What a notebook server tells, and that a hostile one can do no harm."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.workspaces.notebook_server import hanging, serving

from atoll.workspaces.jupyter_activity import ask


@pytest.fixture
def place(tmp_path):
    return tmp_path / "jup.sock"


def test_kernels_terminals_and_sessions(place):
    with serving(place) as told:
        told.kernel("busy", "2026-03-02T10:00:00.000000Z", path="study/fit.ipynb")
        told.answers["terminals"] = (200, b'[{"name": "1", "last_activity": "2026-03-02T11:00:00Z"}]')
        seen = ask(place, "/w/wsp_1/")
        assert told.paths == ["/w/wsp_1/api/kernels", "/w/wsp_1/api/terminals", "/w/wsp_1/api/sessions"]
    (kernel,) = seen.kernels
    assert (kernel.name, kernel.busy) == ("study/fit.ipynb", True)
    assert kernel.last_activity == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert (seen.terminals, seen.sessions, seen.silent) == ((datetime(2026, 3, 2, 11, tzinfo=UTC),), 1, ())


@pytest.mark.parametrize(
    ("state", "busy"),
    [("idle", False), ("dead", False), ("busy", True), ("starting", False), ("restarting", True), (None, True)],
)
def test_what_may_be_a_cell_is_one(place, state, busy):
    with serving(place) as told:
        told.kernel(state, "2026-03-02T10:00:00Z")
        assert ask(place, "/w/x/").kernels[0].busy is busy


def test_what_it_has_no_interface_for_it_has_none_of(place):
    with serving(place) as told:
        told.answers["terminals"] = (404, b"{}")
        seen = ask(place, "/w/x/")
    assert (seen.terminals, seen.silent) == ((), ())


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"[]"),
        (403, b"{}"),
        (200, b"not json"),
        (200, b'{"a": 1}'),
        (200, b"[1]"),
        (200, b"[" * 100_000),
        (200, b" " * (2**20 + 1)),
        (200, b"[" + b"{}," * 2000 + b"{}]"),
    ],
)
def test_odd_answers_count_as_not_told(place, answer):
    with serving(place) as told:
        told.answers["kernels"] = answer
        seen = ask(place, "/w/x/")
    assert (seen.kernels, seen.silent) == ((), ("its kernels",))


def test_one_that_never_ends_its_answer_is_left_in_time(place):
    with hanging(place):
        started = time.monotonic()
        seen = ask(place, "/w/x/", seconds=0.5)
        assert time.monotonic() - started < 2
    assert seen.silent == ("its kernels", "its terminals", "its sessions")


def test_a_socket_that_is_not_there(tmp_path):
    assert len(ask(tmp_path / "none" / "jup.sock", "/w/x/").silent) == 3


def test_a_time_to_come_is_now(place):
    with serving(place) as told:
        told.kernel("idle", (datetime.now(UTC) + timedelta(days=900)).isoformat(), path="a\nb\x1b[31m.ipynb")
        (kernel,) = ask(place, "/w/x/").kernels
    assert kernel.last_activity <= datetime.now(UTC)
    assert kernel.name == "ab[31m.ipynb"


def test_paths_longer_than_a_socket_address(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    with serving(type(deep)("jup.sock")) as told:
        told.kernel("idle", "2026-03-02T10:00:00Z")
        seen = ask(deep / "jup.sock", "/w/x/")
    assert (len(seen.kernels), seen.silent) == (1, ())

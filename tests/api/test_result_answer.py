"""However an answer ends, the query behind it is left once, and in a thread: settling asks the store."""

from __future__ import annotations

import threading

import anyio
import pytest
from anyio import CapacityLimiter
from starlette.requests import ClientDisconnect

from atoll.api.answers import ResultAnswer
from atoll.api.metrics import Metrics


class Query:
    """Records how it was left."""

    query_id = "qry_1"

    def __init__(self, pieces):
        self.pieces, self.left = pieces, []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.left.append((kind.__name__ if kind else None, threading.get_ident() == self.loop_thread))


def begin(site, pieces):
    query = Query(pieces)
    query.loop_thread = None
    answer = ResultAnswer.begin(
        query, lambda q: q.pieces(), media_type="x/y", metrics=Metrics(site.rooms), lane=CapacityLimiter(2)
    )
    return query, answer


def drive(query, answer, *, hang_up=False, broken_send=False):
    sent = []

    async def receive():
        if not hang_up:
            await anyio.sleep_forever()
        while len(sent) < 2:
            await anyio.sleep(0.001)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if broken_send and len(sent) > 1:
            raise OSError

    async def go():
        query.loop_thread = threading.get_ident()
        await answer({"type": "http"}, receive, send)

    try:
        anyio.run(go)
    finally:
        query.sent = sent
    return sent


def endless():
    while True:
        yield b"x"


def test_a_whole_answer(site):
    query, answer = begin(site, lambda: iter([b"a", b"b", b"c"]))
    sent = drive(query, answer)
    assert b"".join(m.get("body", b"") for m in sent) == b"abc"
    assert [m.get("more_body") for m in sent[1:]] == [True, True, True, False]
    assert "content-length" not in answer.headers
    assert query.left == [(None, False)]


def test_an_error_before_the_first_piece_is_raised_at_once(site):
    def pieces():
        raise ValueError
        yield b""

    with pytest.raises(ValueError):
        begin(site, pieces)


def test_an_error_later_passes_through_and_ends_nothing_neatly(site):
    def pieces():
        yield b"a"
        raise ValueError

    query, answer = begin(site, pieces)
    with pytest.raises(ValueError):
        drive(query, answer)
    assert query.left == [("ValueError", False)]
    assert all(m["more_body"] for m in query.sent[1:])


def test_a_caller_who_hangs_up(site):
    query, answer = begin(site, endless)
    with pytest.raises(ClientDisconnect):
        drive(query, answer, hang_up=True)
    assert query.left == [("GeneratorExit", False)]


def test_a_connection_that_takes_no_more(site):
    query, answer = begin(site, endless)
    with pytest.raises(OSError):
        drive(query, answer, broken_send=True)
    assert query.left == [("GeneratorExit", False)]

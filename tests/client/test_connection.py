"""The transport: retries, time-outs, broken connections, answers that are not Atoll's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from atoll.client.connection import Connection, NoAnswer
from atoll.client.ledger import Ledger
from atoll.errors import AtollError, InvalidInput, NotAuthenticated, Unavailable

Answer = Callable[[httpx.Request], httpx.Response]


class Wire:
    """Answers in turn, and what was asked and waited."""

    def __init__(self, *answers: Answer | httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self.waited: list[float] = []

    def connection(self, token: str | None = "atoll_secret") -> Connection:
        return Connection(
            "http://atoll.test/", token, transport=httpx.MockTransport(self._answer), sleep=self.waited.append
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.bodies.append(request.read())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


def away() -> httpx.Response:
    return httpx.Response(503, json={"code": "unavailable", "message": "Away.", "todo": "Try again."})


def ok(**body: object) -> httpx.Response:
    return httpx.Response(200, json=body)


def test_the_token_and_the_path_are_sent() -> None:
    wire = Wire(ok(name="ada"))
    assert wire.connection().get("/me", absent=None, limit=3) == {"name": "ada"}
    [request] = wire.asked
    assert str(request.url) == "http://atoll.test/api/v1/me?limit=3"
    assert request.headers["authorization"] == "Bearer atoll_secret"
    assert request.headers["user-agent"].startswith("atoll/")


def test_reading_is_tried_again_and_waits_longer_each_time() -> None:
    wire = Wire(away(), httpx.ReadError("gone"), httpx.ReadTimeout("slow"), ok(done=True))
    assert wire.connection().get("/me") == {"done": True}
    assert len(wire.waited) == 3
    assert wire.waited == sorted(wire.waited)


def test_trying_again_ends_with_the_servers_own_words() -> None:
    wire = Wire(*(away() for _ in range(4)))
    with pytest.raises(Unavailable, match=r"Away\. Try again\."):
        wire.connection().get("/me")
    assert len(wire.asked) == 4


def test_a_change_is_not_made_twice() -> None:
    wire = Wire(httpx.ReadError("gone"), ok())
    with pytest.raises(Unavailable, match="broke"):
        wire.connection().post("/projects", {"name": "p"})
    assert len(wire.asked) == 1


def test_a_refusal_is_not_tried_again() -> None:
    wire = Wire(httpx.Response(401, json={"code": "not_authenticated", "message": "No."}))
    with pytest.raises(NotAuthenticated):
        wire.connection().get("/me")


def test_an_upload_is_sent_whole_again_with_its_size() -> None:
    wire = Wire(httpx.WriteError("gone"), away(), httpx.Response(204))

    def chunks() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    assert wire.connection().upload("/deliveries/d/files/0", chunks, 6) == {}
    assert wire.bodies == [b"onetwo"] * 3
    assert {r.headers["content-length"] for r in wire.asked} == {"6"}
    assert "transfer-encoding" not in wire.asked[-1].headers


def test_a_list_is_read_page_by_page_and_no_further_than_asked() -> None:
    def pages() -> Wire:
        return Wire(
            ok(items=[{"n": 1}, {"n": 2}], cursor="c1"),
            ok(items=[{"n": 3}], cursor="c2"),
            ok(items=[], cursor=None),
        )

    wire = pages()
    assert [item["n"] for item in wire.connection().items("/things", dataset="d")] == [1, 2, 3]
    assert [dict(r.url.params) for r in wire.asked] == [
        {"dataset": "d"},
        {"dataset": "d", "cursor": "c1"},
        {"dataset": "d", "cursor": "c2"},
    ]
    wire = pages()
    assert [item["n"] for item in wire.connection().items("/things", at_most=2)] == [1, 2]


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1, 2]", b""])
def test_an_answer_that_is_no_object_is_not_atolls(body: bytes) -> None:
    wire = Wire(httpx.Response(200, content=body, headers={"content-type": "text/html"}))
    with pytest.raises(AtollError, match="does not speak Atoll's API"):
        wire.connection().get("/me")


def test_nothing_listening_is_said_at_once_with_the_way_out() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    waited: list[float] = []
    with pytest.raises(NoAnswer) as caught:
        Connection(url, "t", sleep=waited.append).get("/me")
    assert str(caught.value) == f"Atoll does not answer at {url}; start it with `atoll up` or set ATOLL_URL."
    assert waited == []


def test_a_connection_cut_in_the_middle_of_an_answer_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(4):
                peer, _ = server.accept()
                with peer:
                    peer.recv(65536)
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(Unavailable, match="broke"):
            Connection(url, "t", sleep=lambda seconds: None).get("/me")
        thread.join()


@pytest.mark.parametrize("url", ["127.0.0.1:8470", "ftp://x", "", "http://", "localhost"])
def test_a_url_that_cannot_be_is_told_with_an_example(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"http://127\.0\.0\.1:8470"):
        Connection(url, None)


@pytest.mark.parametrize("token", ["a b", "tök", "a\nb"])
def test_a_malformed_token_is_told_and_not_shown(token: str) -> None:
    with pytest.raises(NotAuthenticated) as caught:
        Connection("http://atoll.test", token)
    assert token not in str(caught.value)


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        assert Connection(f"http://127.0.0.1:{server.getsockname()[1]}", "t").get("/me") == {}
        thread.join()


def test_a_file_that_shrinks_while_it_is_sent_is_no_upload(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def swallow() -> None:
            peer, _ = server.accept()
            with peer:
                while peer.recv(65536):
                    pass

        thread = threading.Thread(target=swallow)
        thread.start()
        connection = Connection(f"http://127.0.0.1:{server.getsockname()[1]}", "t", sleep=lambda seconds: None)
        with pytest.raises(InvalidInput, match="changed while it was sent"):
            connection.upload("/deliveries/d/files/0", lambda: iter([b"half"]), 8)
        thread.join()


def test_a_value_in_another_shape_is_told_without_its_content() -> None:
    wire = Wire(ok(month="2026-01", by="user", lines=[], total_eur="0", surprise="Quillfeather"))
    with pytest.raises(AtollError, match="CostReport in a shape") as caught:
        Ledger(wire.connection()).costs("2026-01", "user")
    assert "Quillfeather" not in str(caught.value)

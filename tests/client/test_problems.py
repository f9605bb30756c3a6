"""Errors cross the wire whole: what the API's own table answers comes back as the same error."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from atoll import errors
from atoll.api.errors import answer, unexpected
from atoll.client.problems import error_of
from atoll.errors import AtollError, ContractInvalid, NotPermitted, TooManyAttempts, Unavailable


def every_error(root: type[AtollError] = AtollError) -> Iterator[type[AtollError]]:
    if root.__module__ == errors.__name__:
        yield root
    for branch in root.__subclasses__():
        yield from every_error(branch)


def made(kind: type[AtollError]) -> AtollError:
    if issubclass(kind, ContractInvalid):
        return kind("It went wrong.", findings=("line 3: first", "line 9: second"), where="there", todo="Mend it.")
    if issubclass(kind, TooManyAttempts):
        return kind("It went wrong.", retry_after_seconds=17, where="there", todo="Mend it.")
    return kind("It went wrong.", where="there", todo="Mend it.")


def over_the_wire(error: AtollError) -> AtollError:
    sent = answer(error)
    return error_of(
        httpx.Response(
            sent.status_code,
            headers=dict(sent.headers),
            content=bytes(sent.body),
            request=httpx.Request("GET", "http://atoll.test/x"),
        )
    )


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.__name__)
def test_every_error_comes_back_as_itself(kind: type[AtollError]) -> None:
    sent = made(kind)
    got = over_the_wire(sent)
    assert type(got) is kind
    assert vars(got) == vars(sent)


def test_what_nobody_foresaw_is_told_with_the_request_id() -> None:
    sent = unexpected()
    body = bytes(sent.body).replace(b'"request_id":""', b'"request_id":"req-77"')
    got = error_of(httpx.Response(500, content=body, request=httpx.Request("GET", "http://atoll.test/x")))
    assert type(got) is AtollError
    assert "req-77" in str(got)


def test_a_code_of_a_newer_server_is_taken_by_its_status() -> None:
    body = {"code": "not_before_noon", "message": "Too early.", "todo": "Wait."}
    got = error_of(httpx.Response(403, json=body, request=httpx.Request("GET", "http://atoll.test/x")))
    assert type(got) is NotPermitted
    assert str(got) == "Too early. Wait."


def test_findings_of_a_malformed_request_are_told() -> None:
    body = {"code": "invalid_input", "message": "No.", "findings": ["body.name: missing."]}
    got = error_of(httpx.Response(422, json=body, request=httpx.Request("GET", "http://atoll.test/x")))
    assert "body.name: missing." in str(got)


@pytest.mark.parametrize(
    ("status", "kind"), [(502, Unavailable), (503, Unavailable), (404, AtollError), (500, AtollError)]
)
def test_an_answer_of_something_else_says_so(status: int, kind: type[AtollError]) -> None:
    got = error_of(
        httpx.Response(
            status,
            headers={"content-type": "text/html; charset=utf-8"},
            content=b"<html>Bad Gateway</html>",
            request=httpx.Request("GET", "http://atoll.test/api/v1/me"),
        )
    )
    assert type(got) is kind
    assert f"status {status}, text/html" in str(got)
    assert "ATOLL_URL" in got.todo
    assert "Bad Gateway" not in str(got)

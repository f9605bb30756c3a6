"""From an answer of the API back to the domain error it stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from atoll.errors import (
    AtollError,
    Conflict,
    InvalidInput,
    LimitExceeded,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    TextInvalid,
    TooManyAttempts,
    Unavailable,
)


def _tree(root: type[AtollError]) -> Iterator[type[AtollError]]:
    """The errors below `root` that have a code of their own."""
    if "code" in vars(root):
        yield root
    for branch in root.__subclasses__():
        yield from _tree(branch)


#: Every domain error by its code.
BY_CODE: Mapping[str, type[AtollError]] = {kind.code: kind for kind in _tree(AtollError)}

#: For an answer whose code this client does not know (a newer server).
BY_STATUS: Mapping[int, type[AtollError]] = {
    400: InvalidInput,
    401: NotAuthenticated,
    403: NotPermitted,
    404: NotFound,
    409: Conflict,
    413: LimitExceeded,
    422: InvalidInput,
    429: LimitExceeded,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(response: httpx.Response) -> AtollError:
    """The error that a refusing answer (status 400 and above, body read) tells of."""
    try:
        body = response.json()
    except ValueError:
        return not_atoll(response)
    if not isinstance(body, dict) or "code" not in body or "message" not in body:
        return not_atoll(response)
    kind = BY_CODE.get(str(body["code"])) or BY_STATUS.get(response.status_code, AtollError)
    return _built(kind, body, response.headers)


def not_atoll(response: httpx.Response) -> AtollError:
    """The error for an answer that is not one of Atoll's API."""
    kind = BY_STATUS.get(response.status_code, AtollError) if response.status_code >= 500 else AtollError
    media_type = response.headers.get("content-type", "no content type").split(";")[0]
    return kind(
        f"What answers there does not speak Atoll's API: status {response.status_code}, {media_type}.",
        where=str(response.request.url),
        todo="Check ATOLL_URL, and proxies in between.",
    )


def _built(kind: type[AtollError], body: dict[str, Any], headers: Mapping[str, str]) -> AtollError:
    what, where, todo = str(body["message"]), str(body.get("where") or ""), str(body.get("todo") or "")
    if kind is AtollError and body.get("request_id"):
        todo = f"{todo} Give the operator the request id {body['request_id']}.".strip()
    findings = tuple(str(f) for f in body.get("findings") or ())
    if issubclass(kind, TextInvalid):
        return kind(what, findings=findings, where=where, todo=todo)
    if issubclass(kind, TooManyAttempts):
        wait = headers.get("retry-after", "")
        return kind(what, retry_after_seconds=int(wait) if wait.isdecimal() else 60, where=where, todo=todo)
    if findings:
        what = f"{what} {' '.join(findings)}"
    return kind(what, where=where, todo=todo)

"""The platform's API as a machine reaches it: with the workspace's own identity, for its own project."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from atoll.errors import InvalidInput, LimitExceeded, NotFound, NotPermitted, Unavailable
from atoll.gateway.allowed import Allowed, Guard, allowed
from atoll.gateway.answers import AIRLOCK, beyond, streaming
from atoll.gateway.machine import Identity, Machine

#: Nothing else that a machine sends reaches the API: no Authorization, no Cookie, no forwarding header.
_PASSED_IN = ("Accept", "User-Agent", "X-Request-Id")
#: And of the answer.
_PASSED_OUT = ("Content-Type", "Content-Encoding", "Content-Length", "X-Atoll-Query-Id", "X-Request-Id", "Retry-After")

_CHUNK_BYTES = 2**18
_BODY_MAX_BYTES = 2**20
#: Answers that are read before they are passed on.
_CHECKED_MAX_BYTES = 2**26
_ADMISSION = "admit"


class ApiPass:
    """Passes requests on to the API.

    Args:
        session: without cookies and with `auto_decompress=False`.
        api_url: where the platform's API listens, e.g. `http://127.0.0.1:8470`.
    """

    def __init__(self, session: aiohttp.ClientSession, api_url: str) -> None:
        self._session = session
        self._url = api_url.rstrip("/")

    async def handle(self, request: web.Request, machine: Machine, identity: Identity) -> web.StreamResponse:
        """Answer a request below `/api`. Raises `NotPermitted` for a route that is not on the list."""
        path = request.raw_path.partition("?")[0]
        route = allowed(request.method, path)
        if route is None:
            raise beyond(request)
        headers = {name: request.headers[name] for name in _PASSED_IN if name in request.headers}
        headers["Authorization"] = f"Bearer {identity.token.get_secret_value()}"
        checked = route.guard in (Guard.ANSWER, Guard.FLOWS)
        headers["Accept-Encoding"] = "identity" if checked else request.headers.get("Accept-Encoding", "identity")
        body: bytes | AsyncIterator[bytes] | None = None
        if route.guard in (Guard.BODY, Guard.WORKSPACE):
            body = await _own_body(request, machine, names_itself=route.guard is Guard.WORKSPACE)
            headers["Content-Type"] = "application/json"
        query = _own_query(request, route, machine)
        if route.guard is Guard.OWNED:
            await self._own_thing(path, machine, headers)
            if request.method == "PUT":
                body = request.content.iter_chunked(_CHUNK_BYTES)
                if request.content_length is not None:
                    headers["Content-Length"] = str(request.content_length)
                headers["Content-Type"] = "application/octet-stream"
        try:
            async with self._session.request(
                request.method, self._url + path, params=query, headers=headers, data=body, allow_redirects=False
            ) as answer:
                if checked and answer.status == 200:
                    return await _checked(answer, route, machine)
                return await _passed(request, answer)
        except (aiohttp.ClientError, TimeoutError):
            raise Unavailable("The platform does not answer.", where=path, todo="Try again.") from None

    async def _own_thing(self, path: str, machine: Machine, headers: Mapping[str, str]) -> None:
        """Ask the API for what the path names, and look whose it is. Raises `NotFound`."""
        thing = "/".join(path.split("/")[:5])
        asked = {"Authorization": headers["Authorization"], "Accept-Encoding": "identity"}
        try:
            async with self._session.get(self._url + thing, headers=asked, allow_redirects=False) as answer:
                project = (await _object(answer)).get("project") if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            raise Unavailable("The platform does not answer.", where=path, todo="Try again.") from None
        if project != machine.project:
            raise NotFound("There is no such thing in this project.", where=path)


async def _own_body(request: web.Request, machine: Machine, *, names_itself: bool = False) -> bytes:
    """The body, read and written anew, so that there is one reading of it, for the machine's own project."""
    text = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
        text += chunk
        if len(text) > _BODY_MAX_BYTES:
            raise LimitExceeded("The statement is larger than the gateway takes.", todo=AIRLOCK)
    try:
        body = json.loads(bytes(text))
    except (ValueError, RecursionError):
        raise InvalidInput("The body is not JSON.", where=request.path) from None
    if not isinstance(body, dict):
        raise InvalidInput("The body is not a JSON object.", where=request.path)
    if body.setdefault("project", machine.project) != machine.project:
        raise NotPermitted(
            f"This machine works for the project {machine.project} only.",
            where=request.path,
            todo="Ask from a machine of the other project.",
        )
    if names_itself:
        body["workspace"] = machine.workspace
    return json.dumps(body).encode()


def _own_query(request: web.Request, route: Allowed, machine: Machine) -> Mapping[str, str]:
    """The parameters that the route has, each once."""
    query = {name: value for name, value in request.query.items() if name in route.parameters}
    if route.guard is Guard.PARAMETER:
        if query.get("project", machine.project) != machine.project:
            raise NotPermitted(f"This machine works for the project {machine.project} only.", where=request.path)
        query["project"] = machine.project
    return query


async def _passed(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """The answer as it comes: the next piece is asked for when the machine has taken the last."""
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    response.headers.update((name, answer.headers[name]) for name in _PASSED_OUT if name in answer.headers)
    async with streaming(request, response):
        async for chunk in _chunks(answer):
            await response.write(chunk)
    return response


async def _chunks(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.content.iter_any():
            yield chunk
    except aiohttp.ClientError:
        # Not a ConnectionError: the machine did not hang up, the platform broke off.
        raise Unavailable("The platform broke its answer off.") from None


async def _object(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    text = bytearray()
    async for chunk in answer.content.iter_any():
        text += chunk
        if len(text) > _CHECKED_MAX_BYTES:
            raise LimitExceeded("The answer is larger than the gateway reads.", todo="Ask for less with `limit`.")
    body: dict[str, Any] = json.loads(bytes(text))
    return body


async def _checked(answer: aiohttp.ClientResponse, route: Allowed, machine: Machine) -> web.Response:
    body = await _object(answer)
    if route.guard is Guard.ANSWER and body.get("project") != machine.project:
        raise NotFound("There is no such thing in this project.", where=answer.url.path)
    if route.guard is Guard.FLOWS:
        body["items"] = [event for event in body["items"] if _own_event(event, machine)]
    return web.json_response(body, headers={"Cache-Control": "no-store"})


def _own_event(event: Mapping[str, Any], machine: Machine) -> bool:
    """Admissions belong to no project; every other job names its project after the dot."""
    job: str = event["job"]["name"]
    kind, _, about = job.partition(".")
    return kind == _ADMISSION or about == machine.project

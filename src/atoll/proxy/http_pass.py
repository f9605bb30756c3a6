"""One HTTP request to a machine and its answer back, streamed both ways."""

from __future__ import annotations

import time
from collections.abc import Callable

import aiohttp
from aiohttp import hdrs, web
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict
from yarl import URL

from atoll.model.visit import Visit
from atoll.proxy import downloads, pages
from atoll.proxy.headers import Outgoing
from atoll.proxy.upstream import not_answering

#: Answers up to this size are sent in one piece.
_SMALL_BYTES = 2**16
_NO_BODY = (204, 304)


def target(request: BaseRequest) -> URL:
    """The address as it was sent, so that what is encoded stays as it is."""
    return URL("http://machine" + request.raw_path.replace("#", "%23"), encoded=True)


async def forward(
    request: BaseRequest,
    session: aiohttp.ClientSession,
    sent: CIMultiDict[str],
    visit: Visit,
    outgoing: Outgoing,
    answered: Callable[[int, float], None],
) -> web.StreamResponse:
    """Pass a request on.

    Args:
        request: from the visitor; its body is not read yet.
        session: to the machine.
        sent: headers for the machine.
        visit: who asks.
        outgoing: makes the headers of the answer.
        answered: told of status and seconds when the answer begins.
    """
    begun = time.perf_counter()
    try:
        machine = await session.request(
            request.method,
            target(request),
            headers=sent,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        )
    except ValueError:
        # A header or address that HTTP does not allow; its text may hold a secret.
        return pages.answer(request, 400, "bad_request", "The request cannot be read.")
    except (aiohttp.ClientConnectionError, aiohttp.ServerTimeoutError):
        return pages.refused(request, not_answering())
    except aiohttp.ClientError:
        return pages.answer(request, 502, "bad_gateway", "The machine did not answer in HTTP.")
    async with machine:
        answered(machine.status, time.perf_counter() - begun)
        if not visit.downloads and downloads.answers(machine.headers):
            machine.close()
            return no_downloads(request)
        return await _back(request, machine, outgoing.from_machine(machine.headers, visit))


def no_downloads(request: BaseRequest) -> web.Response:
    """The refusal of a download."""
    return pages.answer(
        request,
        403,
        "not_permitted",
        "Files of this machine are not downloaded.",
        "What is to leave the platform goes by the airlock.",
    )


async def _back(request: BaseRequest, machine: aiohttp.ClientResponse, headers: CIMultiDict[str]) -> web.StreamResponse:
    length = machine.content_length
    empty = request.method == hdrs.METH_HEAD or machine.status in _NO_BODY
    response: web.StreamResponse
    try:
        if not empty and length is not None and length <= _SMALL_BYTES:
            body = await machine.read()
            headers.popall(hdrs.CONTENT_LENGTH, None)
            response = web.Response(status=machine.status, reason=machine.reason, headers=headers, body=body)
            await response.prepare(request)
            return response
        response = web.StreamResponse(status=machine.status, reason=machine.reason, headers=headers)
        await response.prepare(request)
        if not empty:
            async for chunk in machine.content.iter_any():
                await response.write(chunk)
        await response.write_eof()
    except (aiohttp.ClientPayloadError, ValueError):
        # The visitor must not take what came for the whole.
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=502)
    return response

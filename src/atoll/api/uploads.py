"""From a request's body to a flow that reads chunks in a thread, holding one chunk at a time."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import TypeVar

import anyio
from anyio import from_thread, to_thread
from fastapi import Request

from atoll.api.lanes import lanes_of
from atoll.errors import InvalidInput, LimitExceeded

R = TypeVar("R")

#: A sender that is silent for this long is let go.
IDLE_SECONDS = 60.0


_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)")


def sha256_of(content_digest: str) -> str:
    """The hexadecimal SHA-256 in a `Content-Digest` header (RFC 9530). Raises `InvalidInput` when it has none."""
    found = _DIGEST.search(content_digest)
    if found is None:
        raise InvalidInput(
            "The header has no SHA-256.", where="Content-Digest", todo="Send it as `sha-256=:<base64>:`."
        )
    return base64.b64decode(found[1]).hex()


async def receive_upload(
    request: Request, receive: Callable[[Iterable[bytes]], R], *, on_bytes: Callable[[int], None]
) -> R:
    """Run `receive` in a thread on the body's chunks.

    The thread asks for a chunk when it wants one, so a slow disk slows the sender and
    memory holds one chunk. A sender that hangs up ends the chunks with
    `ClientDisconnect`, one that falls silent with `LimitExceeded`; `receive` lets go
    of what it has then.
    """
    body = request.stream()

    def chunks() -> Iterator[bytes]:
        while (chunk := from_thread.run(_next, body)) is not None:
            on_bytes(len(chunk))
            yield chunk

    return await to_thread.run_sync(lambda: receive(chunks()), limiter=lanes_of(request).uploads)


async def _next(body: AsyncIterator[bytes]) -> bytes | None:
    with anyio.move_on_after(IDLE_SECONDS):
        async for chunk in body:
            if chunk:
                return chunk
        return None
    raise LimitExceeded(
        f"Nothing came for {IDLE_SECONDS:.0f} seconds.", where="request body", todo="Send the file again."
    )

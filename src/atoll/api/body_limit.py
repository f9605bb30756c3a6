"""Bodies that announce themselves as too large are refused unread.

Each route limits what it reads as well (`routing.MAX_BODY_BYTES`), for bodies that
announce nothing.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from atoll.api.errors import answer
from atoll.api.routing import MAX_BODY_BYTES
from atoll.errors import LimitExceeded

#: Uploads stream and have a limit of their own.
_STREAMED = re.compile(r"/api/v1/deliveries/[^/]+/files/[^/]+\Z")


class BodyLimit:
    """Middleware that looks at the announced length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] == "http" and not _STREAMED.match(scope["path"]):
            announced = Headers(scope=scope).get("content-length", "")
            if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
                error = LimitExceeded(
                    f"The request is larger than {MAX_BODY_BYTES} bytes.", where="body", todo="Send less at once."
                )
                await answer(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

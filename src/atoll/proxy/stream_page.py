"""The page that shows a screen. The platform's own: nothing of the machine is in it."""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.web_request import BaseRequest

from atoll.errors import Unavailable
from atoll.model.visit import Visit
from atoll.proxy import pages
from atoll.proxy.origins import Origin

#: Where `npm run build` puts it.
BUILT = Path(__file__).with_name("page")
#: Below the machine's base: the WebSocket of the screen, and what the page may know.
SCREEN, FACTS = "screen", "facts"


class StreamPage:
    """Serves the built page at a machine's origin."""

    def __init__(self, built: Path = BUILT) -> None:
        # Held, so that no visitor waits for a disk that another asks for: some 200 kB.
        self._files = {
            path.relative_to(built).as_posix(): path.read_bytes() for path in built.rglob("*") if path.is_file()
        }

    def answer(self, request: BaseRequest, origin: Origin, visit: Visit) -> web.Response:
        """The page, one of its files, or the facts of the visit as JSON. Raises `Unavailable` when it is not built."""
        below = request.path.removeprefix(origin.base)
        if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            return pages.answer(request, 405, "method_not_allowed", "Screens are looked at only.")
        if below == FACTS and visit.stream is not None:
            facts = {**visit.stream.model_dump(mode="json"), "login": visit.login}
            return self._sent(json.dumps(facts).encode(), "application/json", origin, kept=False)
        name = below or "index.html"
        body = self._files.get(name)
        if body is None:
            if not below:
                raise Unavailable("The page of screens is not built.", todo="Run `make web`.")
            return pages.answer(request, 404, "not_found", "There is no such address.")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return self._sent(body, kind, origin, kept=bool(below))

    def _sent(self, body: bytes, kind: str, origin: Origin, *, kept: bool) -> web.Response:
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self';"
            f" connect-src 'self' {origin.websocket}; base-uri 'none'; form-action 'none';"
            f" frame-ancestors {origin.text}"
        )
        headers = {
            # Names of files change with what is in them; the page itself is asked for each time.
            hdrs.CACHE_CONTROL: "private, max-age=31536000, immutable" if kept else "no-store",
            "Content-Security-Policy": policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-write=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Server": "Atoll",
        }
        return web.Response(body=body, content_type=kind, headers=headers)

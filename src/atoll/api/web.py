"""The web application's files, as `make web` built them: every address that is none of the API's.

Files whose name holds their hash are kept by browsers for ever, all others are asked for
anew. An address that names no file is a page of the application when a browser asks.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

#: Where the build puts them, and packaging takes them along.
BUILT: Final = Path(__file__).parent / "static"

#: First parts of paths that are never the application's.
RESERVED: Final = frozenset({"api", "healthz", "readyz", "metrics", "w"})

#: No inline script or style, nothing from elsewhere. `web/build/csp.ts` puts the same into the page for buckets.
POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
    "style-src 'self'; script-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'"
)

_HASHED = "assets/"
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Vary": "Accept-Encoding",
}
_TEXTS = (".html", ".js", ".css", ".svg", ".json", ".txt", ".map")
_NOT_BUILT = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Atoll</title><h1>The web application is not built</h1>"
    "<p>Run <code>make web</code> where Atoll comes from, then load this page again. The API answers at "
    "<code>/api/v1</code>; the <code>atoll</code> command works.</html>"
)


@dataclass(frozen=True)
class File:
    """A built file."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """As browsers want it, whatever the host's own table says."""
        known = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
        suffix = Path(self.name).suffix
        return known.get(suffix) or mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    @cached_property
    def etag(self) -> str:
        """Weak, since it stands for both encodings."""
        return f'W/"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @cached_property
    def squeezed(self) -> bytes | None:
        """With gzip; None where that saves nothing."""
        return gzip.compress(self.content, 9, mtime=0) if self.name.endswith(_TEXTS) else None


class Files:
    """The files of a directory, read when first asked for and again after a new build."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._built: int | None = None
        self._names: dict[str, Path] = {}
        self._read: dict[str, File] = {}

    def find(self, name: str) -> File | None:
        """The file. Only names that are there are known, so none leads elsewhere."""
        self._look()
        path = self._names.get(name)
        if path is None:
            return None
        if name not in self._read:
            try:
                self._read[name] = File(name, path.read_bytes())
            except OSError:
                return None
        return self._read[name]

    def _look(self) -> None:
        try:
            built = (self._directory / "index.html").stat().st_mtime_ns
        except OSError:
            built = None
        if built == self._built:
            return
        paths = self._directory.rglob("*") if built is not None else ()
        self._names = {
            path.relative_to(self._directory).as_posix(): path
            for path in paths
            if path.is_file() and not path.is_symlink() and ".vite" not in path.parts
        }
        self._read = {}
        self._built = built


class Web:
    """Middleware that answers for the application's addresses and passes all others on."""

    def __init__(self, app: ASGIApp, directory: Path | None = None) -> None:
        self._app = app
        self._files = Files(directory or BUILT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or have the API do it."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            path: str = scope["path"].removeprefix("/")
            if path.partition("/")[0] not in RESERVED:
                answer = self._answer(path, Headers(scope=scope))
                if answer is not None:
                    await answer(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _answer(self, path: str, headers: Headers) -> Response | None:
        file = self._files.find(path)
        wants_page = "text/html" in headers.get("accept", "") and not path.startswith(_HASHED)
        if file is None and (path == "" or wants_page):
            file = self._files.find("index.html")
            if file is None:
                return HTMLResponse(_NOT_BUILT, status_code=503)
        return None if file is None else _send(file, headers)


def _send(file: File, headers: Headers) -> Response:
    hashed = file.name.startswith(_HASHED)
    kept = {
        **_HEADERS,
        "Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache",
        "ETag": file.etag,
    }
    if file.etag in headers.get("if-none-match", ""):
        return Response(status_code=304, headers=kept)
    content = file.content
    if file.squeezed is not None and "gzip" in headers.get("accept-encoding", ""):
        content, kept["Content-Encoding"] = file.squeezed, "gzip"
    return Response(content, media_type=file.media_type, headers=kept)

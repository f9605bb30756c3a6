"""Downloads: what a product that lets nothing out by the browser refuses.

It keeps files from being saved by a click. What a page shows can be seen, and so be
copied by hand: this is no wall, the wall is that machines hold de-identified data only.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from aiohttp import hdrs

from atoll.proxy.origins import Origin

#: Jupyter's routes for files as they are, conversions, and whole directories.
_ROUTES = ("files/", "nbconvert/", "directories/", "download/", "user-redirect/files/")


def asks(path: str, query: str, origin: Origin) -> bool:
    """Whether the request asks for a file to save. `path` and `query` as sent, encoded."""
    below = unquote(path.removeprefix(origin.base)).lstrip("/").lower()
    # Dots within, and repeated slashes, may lead a server to the same routes.
    below = "/".join(part for part in below.split("/") if part not in ("", ".")) + "/"
    if ".." in below.split("/"):
        return True
    return below.startswith(_ROUTES) or any(
        part.partition("=")[0].lower() == "download" and part.partition("=")[2] not in ("0", "false")
        for part in unquote(query).split("&")
    )


def answers(headers: Mapping[str, str]) -> bool:
    """Whether the answer tells the browser to save it."""
    return headers.get(hdrs.CONTENT_DISPOSITION, "").strip().lower().startswith("attachment")

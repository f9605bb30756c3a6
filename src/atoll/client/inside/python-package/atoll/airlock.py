"""Ask for files to leave the project, from inside a machine.

    import atoll.airlock

    asked = atoll.airlock.request(["table.csv", "plot.png"], purpose="Figure 2", destination="The journal")
    atoll.airlock.show(asked["id"])["state"]

or in a terminal: `python -m atoll airlock request table.csv --purpose "Figure 2" --destination "The journal"`.
The platform checks the files, two people who are not of the project review them, and
what they let through is fetched outside, with `atoll airlock fetch`.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from . import _GATEWAY, AtollError, _refused

__all__ = ["request", "show"]

_REQUESTS = "/api/v1/airlock-requests"
_WAIT_SECONDS = 600.0


def request(files: Iterable[str | os.PathLike[str]], *, purpose: str, destination: str) -> dict[str, Any]:
    """Put files into a request and submit it; gives the request. Raises `AtollError`."""
    paths = [Path(file) for file in files]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        raise AtollError(f"These are no files: {', '.join(missing) or 'none is named'}.", "invalid_input")
    asked = {"purpose": purpose, "destination": destination, "direction": "out"}
    opened = _call("POST", _REQUESTS, json.dumps(asked).encode())
    place = f"{_REQUESTS}/{opened['id']}"
    for index, path in enumerate(paths):
        with path.open("rb") as content:
            _call("PUT", f"{place}/files/{index}?name={quote(path.name)}", content, path.stat().st_size)
    return _call("POST", f"{place}/submit", b"{}")


def show(request_id: str) -> dict[str, Any]:
    """A request: its state, its files and what the checks found in them. Raises `AtollError`."""
    return _call("GET", f"{_REQUESTS}/{quote(request_id, safe='')}")


def _call(
    method: str, path: str, body: bytes | BinaryIO | None = None, size_bytes: int | None = None
) -> dict[str, Any]:
    address = os.environ.get("ATOLL_GATEWAY") or os.environ.get("ATOLL_URL") or _GATEWAY
    headers = {"Accept-Encoding": "identity"}
    if body is not None:
        headers["Content-Type"] = "application/json" if isinstance(body, bytes) else "application/octet-stream"
    if size_bytes is not None:
        headers["Content-Length"] = str(size_bytes)
    asked = urllib.request.Request(address.rstrip("/") + path, data=body, headers=headers, method=method)  # noqa: S310
    # Whatever proxy is set, the gateway is reached directly.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=_WAIT_SECONDS) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except urllib.error.HTTPError as error:
        raise _refused(error) from None
    except (urllib.error.URLError, HTTPException, OSError, ValueError):
        raise AtollError("The platform cannot be reached, or broke off.", "unavailable") from None

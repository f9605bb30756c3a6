"""The id of the request being answered, known to everything that runs for it."""

from __future__ import annotations

import re
from contextvars import ContextVar

from atoll.model.record import new_id

HEADER = "X-Request-Id"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")

#: Empty outside a request. Threads that answer a request inherit it.
REQUEST_ID: ContextVar[str] = ContextVar("atoll_request_id", default="")


def accept_request_id(offered: str | None) -> str:
    """The caller's own id when it is sane (8 to 64 letters, digits, `.`, `_`, `-`), else a new one."""
    if offered is not None and _SANE.match(offered):
        return offered
    return new_id("req")

"""Which Atoll the command line speaks to, and as whom: `ATOLL_URL` and `ATOLL_TOKEN`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from atoll.errors import NotAuthenticated

if TYPE_CHECKING:
    from atoll.client import AtollClient

DEFAULT_URL = "http://127.0.0.1:8470"


def url() -> str:
    """Where Atoll listens."""
    return os.environ.get("ATOLL_URL") or DEFAULT_URL


def client() -> AtollClient:
    """A client with the caller's token. Raises `NotAuthenticated` when there is none."""
    token = os.environ.get("ATOLL_TOKEN", "").strip()
    if not token:
        raise NotAuthenticated("No token: ATOLL_TOKEN is not set.", todo=_how_to_get_one())
    return _client(token)


def client_without_token() -> AtollClient:
    """A client for the calls that need no token."""
    return _client(None)


def _client(token: str | None) -> AtollClient:
    # Imported here so that help and completion stay fast.
    from atoll.client import AtollClient

    return AtollClient(url(), token)


def _how_to_get_one() -> str:
    """The admin's token is never taken silently: who acts must have said so."""
    file = Path(os.environ.get("ATOLL_HOME") or "~/.atoll").expanduser() / "admin-token"
    if os.access(file, os.R_OK):
        return f'To act as this installation\'s admin: export ATOLL_TOKEN="$(cat {file})"'
    return 'Sign in: export ATOLL_TOKEN="$(atoll login NAME)", or set a token that an admin gave you.'

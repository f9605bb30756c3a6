"""What the proxy asks and tells the platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from atoll.model.visit import Admission, Visit


@dataclass(frozen=True)
class Activity:
    """What was last seen of people at one machine. Times are UTC, None: never since this process started.

    Attributes:
        request_at: the last request or message of a person's browser. Open pages poll, so this
            alone is no sign of a person.
        action_at: the last thing that a poll does not do: a page opened, something written or
            sent, a message on a WebSocket.
        connections: requests and WebSockets open now.
    """

    request_at: datetime | None = None
    action_at: datetime | None = None
    connections: int = 0


@dataclass(frozen=True)
class Callbacks:
    """All are called in threads and may block.

    Attributes:
        resolve: the unix socket of a workspace's service, None when it does not run.
        admit: swaps a ticket for a session, and puts it on record: (ticket, workspace, address of
            the visitor). Raises `NotAuthenticated`, `NotPermitted` or `NotFound` to refuse.
        authorise: who visits by this secret of a session, and may: (secret, workspace). Raises the
            same. What it says is believed for `Options.believe_seconds`.
        leave: ends a session: (secret, workspace). Idempotent.
        active: told now and then of the machines that people were active at.
    """

    resolve: Callable[[str], Path | None]
    admit: Callable[[str, str, str], Admission]
    authorise: Callable[[str, str], Visit]
    leave: Callable[[str, str], None] = field(default=lambda _secret, _workspace: None)
    active: Callable[[Mapping[str, Activity]], None] = field(default=lambda _seen: None)

"""Visits: a person in the browser at the service inside a machine."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Frozen, Record

#: Name of the socket of a streamed screen, in the directory of the machine's sockets.
SCREEN = "vnc.sock"


class MachineTicket(Record):
    """Lets its holder into one machine, once, within a minute. Id: hexadecimal SHA-256 of the ticket."""

    kind: ClassVar[str] = "machine_ticket"

    workspace: str
    #: Id of the person it was made for, and of the API token they asked with.
    person: str
    token_id: str | None
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


class MachineSession(Record):
    """What a ticket was swapped for. Id: hexadecimal SHA-256 of the cookie's value.

    It holds no right of its own: at each request the right of the person to the
    workspace is looked at anew, and that of the API token the ticket was asked with.
    """

    kind: ClassVar[str] = "machine_session"
    indexes: ClassVar[tuple[str, ...]] = ("workspace",)

    workspace: str
    person: str
    token_id: str | None
    opened_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


class Stream(Frozen):
    """A screen that a visitor looks at, in place of a page that the machine serves."""

    #: What stands in the title.
    title: str
    #: Login of the person whose machine it is.
    owner: str
    #: Whether keys and pointer reach the machine; without it one only looks.
    control: bool = True
    #: Whether text may be pasted into the machine. None ever comes out.
    paste: bool = False
    #: Whether what is seen is kept; the page says so all the time.
    recorded: bool = False


class Visit(Frozen):
    """Who visits a machine at this moment, and what the page there may do."""

    workspace: str
    login: str
    expires_at: datetime
    #: Whether files may be saved from the page to the visitor's computer.
    downloads: bool = False
    #: Whether the page may read and write the visitor's clipboard by program.
    clipboard: bool = True
    #: The screen, where the machine's service is one.
    stream: Stream | None = None


class Admission(Frozen):
    """A session just opened: the cookie's value, told once, and what it is good for."""

    secret: str
    visit: Visit

"""People enter their machines: a ticket from the API, swapped by the proxy for a session, judged at each request."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from atoll.access import permissions, sessions
from atoll.access.permissions import owns
from atoll.access.scopes import Scope
from atoll.access.throttle import Seldom
from atoll.errors import AtollError, Conflict, NotAuthenticated, NotFound, VersionConflict
from atoll.flows.callers import caller_now
from atoll.flows.observe_machine import look
from atoll.flows.rooms import Rooms
from atoll.flows.write_workspace import find_workspace
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller, Person, Project, SubjectKind
from atoll.model.visit import Admission, MachineSession, MachineTicket, Stream, Visit
from atoll.model.workspace import STREAMED, Desired, MachineState, Product, ProductVersion, Workspace
from atoll.ports.backend import Observation
from atoll.ports.records import Delete, Put

#: From the command or click to the browser; a ticket stands in an address, and addresses get about.
TICKET_SECONDS = 60
_SWEPT_AT_ONCE = 25


@dataclass(frozen=True)
class IssuedTicket:
    """A ticket and its secret, which is shown once and kept nowhere."""

    secret: str
    workspace: str
    expires_at: datetime


def issue_ticket(rooms: Rooms, caller: Caller, workspace_id: str) -> IssuedTicket:
    """A ticket into the machine, for its owner and those it is shared with; on record.

    Raises `NotPermitted`, `NotFound` (also for a workspace the caller may not see), and
    `Conflict` when it does not run or has nothing to show.
    """
    permissions.require(caller, Scope.WORKSPACES_OPEN)
    workspace, project = find_workspace(rooms, workspace_id)
    permissions.open_workspace(caller, workspace, project)
    _shows_something(rooms, workspace)
    now = rooms.clock.now()
    secret = secrets.token_urlsafe(32)
    ticket = MachineTicket(
        id=_digest(secret),
        workspace=workspace_id,
        person=caller.subject_id,
        token_id=caller.token_id,
        made_at=now,
        expires_at=now + timedelta(seconds=TICKET_SECONDS),
    )
    event = AuditEvent(action="workspace.open", target=f"workspace/{workspace_id}", caller=caller)
    rooms.audit.record(event, Put(ticket))
    return IssuedTicket(secret, workspace_id, ticket.expires_at)


class VisitDesk:
    """What the proxy of machines asks. Every answer is read anew, so that what is taken away ends at once."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._seldom = Seldom(rooms.clock)

    def resolve(self, workspace_id: str) -> Observation | None:
        """The machine as its backend sees it, None when it does not run or is not to be reached."""
        try:
            workspace = self._rooms.records.get(Workspace, workspace_id)
        except NotFound:
            return None
        if workspace.terminated_at is not None or workspace.desired is not Desired.RUNNING:
            return None
        seen = look(self._rooms, workspace)
        return seen if seen.state is MachineState.RUNNING and seen.socket is not None else None

    def admit(self, ticket: str, workspace_id: str, address: str) -> Admission:
        """Swap a ticket for a session, once; on record, as is a ticket that is refused.

        Raises `NotAuthenticated` for a ticket that is wrong, used, late or another machine's,
        and what `authorise` raises when the person has lost the right meanwhile.
        """
        now = self._rooms.clock.now()
        try:
            found = self._rooms.records.get(MachineTicket, _digest(ticket))
        except NotFound:
            raise _no_ticket() from None
        reason = _fault(found, workspace_id, now)
        if reason:
            self._refuse(found, reason, address)
            raise _no_ticket()
        secret = secrets.token_urlsafe(32)
        session = MachineSession(
            id=_digest(secret),
            workspace=workspace_id,
            person=found.person,
            token_id=found.token_id,
            opened_at=now,
            expires_at=now + timedelta(hours=self._rooms.settings.machine_session_hours),
        )
        try:
            caller, visit = self._judge(session, address)
        except AtollError as error:
            self._refuse(found, error.code, address)
            raise
        event = AuditEvent(action="workspace.enter", target=f"workspace/{workspace_id}", caller=caller)
        try:
            self._rooms.audit.record(event, Put(found.but(used_at=now)), Put(session))
        except VersionConflict:
            # Two came with the same ticket: one of them is in.
            self._refuse(found, "used", address)
            raise _no_ticket() from None
        return Admission(secret=secret, visit=visit)

    def authorise(self, secret: str, workspace_id: str) -> Visit:
        """Who visits, if the session, its API token, the person and the right to the workspace all still hold.

        Raises `NotAuthenticated`, `NotPermitted` or `NotFound`.
        """
        try:
            session = self._rooms.records.get(MachineSession, _digest(secret))
        except NotFound:
            raise _no_session() from None
        if session.workspace != workspace_id or session.ended_at is not None:
            raise _no_session()
        return self._judge(session, "")[1]

    def leave(self, secret: str, workspace_id: str) -> None:
        """End a session. Idempotent."""
        try:
            session = self._rooms.records.get(MachineSession, _digest(secret))
            if session.workspace != workspace_id or session.ended_at is not None:
                return
            caller = self._caller(session.person, session.token_id, "")
        except (NotFound, NotAuthenticated):
            return
        event = AuditEvent(action="workspace.leave", target=f"workspace/{workspace_id}", caller=caller)
        self._rooms.audit.record(event, Put(session.but(ended_at=self._rooms.clock.now())))

    def _judge(self, session: MachineSession, address: str) -> tuple[Caller, Visit]:
        if self._rooms.clock.now() >= session.expires_at:
            raise _no_session()
        caller = self._caller(session.person, session.token_id, address)
        permissions.require(caller, Scope.WORKSPACES_OPEN)
        workspace, project = find_workspace(self._rooms, session.workspace)
        permissions.open_workspace(caller, workspace, project)
        if workspace.terminated_at is not None:
            raise permissions.not_found("workspace", workspace.id)
        product = self._rooms.records.get(ProductVersion, workspace.product).product
        return caller, Visit(
            workspace=workspace.id,
            login=caller.name,
            expires_at=session.expires_at,
            downloads=product.downloads,
            clipboard=product.clipboard,
            stream=_stream(caller, workspace, product, project),
        )

    def _caller(self, person_id: str, token_id: str | None, address: str) -> Caller:
        """The person with the roles of this moment, if the token or session that opened the visit is still good."""
        try:
            person = self._rooms.records.get(Person, person_id)
        except NotFound:
            raise _no_session() from None
        good = token_id is None or sessions.holds(self._rooms.records, token_id, self._rooms.clock.now())
        if not (person.active and good):
            raise _no_session()
        return caller_now(self._rooms, person, address).but(token_id=token_id)

    def _refuse(self, ticket: MachineTicket, reason: str, address: str) -> None:
        """On record once a minute for a ticket, so that nobody fills the chain with one that is spent."""
        if not self._seldom.first(f"{ticket.id} {reason}"):
            return
        caller = Caller(
            subject_kind=SubjectKind.PERSON,
            subject_id=ticket.person,
            name=ticket.person,
            token_id=ticket.token_id,
            address=address,
        )
        self._rooms.audit.record(
            AuditEvent(
                action="workspace.enter",
                target=f"workspace/{ticket.workspace}",
                caller=caller,
                allowed=False,
                details={"reason": reason},
            )
        )


def _stream(caller: Caller, workspace: Workspace, product: Product, project: Project) -> Stream | None:
    if product.service not in STREAMED:
        return None
    return Stream(
        title=workspace.name,
        owner=workspace.owner_login,
        control=caller.name not in workspace.looks_on or owns(caller, workspace),
        paste=product.paste and project.paste,
    )


def sweep_visits(rooms: Rooms) -> int:
    """Remove tickets and sessions that are past their time; how many."""
    return _sweep(rooms, MachineTicket) + _sweep(rooms, MachineSession)


def _sweep(rooms: Rooms, kind: type[MachineTicket] | type[MachineSession]) -> int:
    now, removed = rooms.clock.now(), 0
    cursor: str | None = None
    while True:
        page = rooms.records.find(kind, cursor=cursor, limit=1000)
        late = [record for record in page.records if record.expires_at <= now]
        for first in range(0, len(late), _SWEPT_AT_ONCE):
            some = late[first : first + _SWEPT_AT_ONCE]
            try:
                rooms.records.transact([Delete(record) for record in some])
            except VersionConflict:
                # Another process sweeps, or a session ends just now; the next pass finds the rest.
                continue
            removed += len(some)
        if page.cursor is None:
            return removed
        cursor = page.cursor


def _shows_something(rooms: Rooms, workspace: Workspace) -> None:
    if rooms.records.get(ProductVersion, workspace.product).product.service == "batch":
        raise Conflict(
            "A batch job has no page to open.",
            where=f"workspace/{workspace.id}",
            todo="`atoll workspace log` shows what it prints.",
        )
    if workspace.observed.state is not MachineState.RUNNING or workspace.desired is not Desired.RUNNING:
        raise Conflict(
            "The workspace does not run.",
            where=f"workspace/{workspace.id}",
            todo="Wake it, or wait until it is running.",
        )


def _fault(ticket: MachineTicket, workspace_id: str, now: datetime) -> str:
    if ticket.used_at is not None:
        return "used"
    if now >= ticket.expires_at:
        return "late"
    return "another machine's" if ticket.workspace != workspace_id else ""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _no_ticket() -> NotAuthenticated:
    return NotAuthenticated(
        "The ticket is wrong, used or too old.", todo="Open the workspace from the platform once more."
    )


def _no_session() -> NotAuthenticated:
    return NotAuthenticated("You are not signed in to this machine.", todo="Open the workspace from the platform.")

"""What the platform is asked and told by a machine's gateway: who speaks, what went in, what was pushed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from atoll.access import permissions, tokens
from atoll.access.directory import project_by_name
from atoll.errors import NotFound, NotPermitted, VersionConflict
from atoll.flows.callers import caller_now
from atoll.flows.manage_repositories import new_record, note_push
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.package import PackageDownload
from atoll.model.person import PLATFORM, ApiToken, Caller, Person, SubjectKind
from atoll.model.push import Push
from atoll.model.workspace import Desired, Workspace
from atoll.ports.records import Append, Put

#: A token that leaks is good for so long at most; a fresh one is made before it ends.
_TOKEN_LIFE = timedelta(hours=1)
_RENEWAL = timedelta(minutes=10)


@dataclass(frozen=True)
class Speaker:
    """For whom a machine speaks at this moment, and with which token, which never enters the machine."""

    login: str
    token: SecretStr


@dataclass(frozen=True)
class _Held:
    token_id: str
    secret: SecretStr


class MachineDesk:
    """Answers gateways. Tokens are kept in memory only; whoever starts anew makes new ones."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def speaker(self, workspace_id: str) -> Speaker:
        """For whom the machine speaks, read anew at each call.

        Raises `NotFound` for no workspace, `NotPermitted` when it is being terminated or its
        owner is no longer active or of the project.
        """
        workspace = self._rooms.records.get(Workspace, workspace_id)
        owner = self._owner(workspace)
        with self._lock:
            held = self._held.get(workspace_id)
            if held is None or not self._is_good(held):
                held = self._held[workspace_id] = self._mint(workspace, owner)
        return Speaker(owner.login, held.secret)

    def forget(self, workspace_id: str) -> None:
        """The machine is stopped or gone: its token ends. Idempotent."""
        with self._lock:
            held = self._held.pop(workspace_id, None)
        if held is None:
            return
        try:
            token = self._rooms.records.get(ApiToken, held.token_id)
        except NotFound:
            return
        if token.revoked_at is None:
            event = AuditEvent(
                action="token.revoke", target=f"token/{token.id}", caller=PLATFORM, because=f"workspace/{workspace_id}"
            )
            self._rooms.audit.record(event, Put(token.but(revoked_at=self._rooms.clock.now())))

    def record_download(self, download: PackageDownload) -> None:
        """A package file goes in: an audit entry of its person."""
        facts = download.model_dump(exclude={"workspace", "project", "login"})
        listed = {"at": self._rooms.clock.now().isoformat(), **download.model_dump(mode="json")}
        event = self._event("package.download", download.workspace, facts)
        self._rooms.audit.record(event, Append(f"packages/{download.project}", (listed,)))

    def record_push(self, push: Push) -> None:
        """A push has ended: an audit entry of its person, with what became of each ref."""
        facts = push.model_dump(mode="json", exclude={"workspace", "project", "login"})
        allowed = any(change.accepted for change in push.changes)
        note_push(self._rooms, self._event("repository.push", push.workspace, facts, allowed=allowed), push)

    def create_repository(self, workspace_id: str, name: str) -> bool:
        """Whether a repository is made at its first push: for whoever may speak, and on record."""
        workspace = self._rooms.records.get(Workspace, workspace_id)
        owner = self._owner(workspace)
        event = self._event("repository.add", workspace_id, {"repository": name})
        try:
            self._rooms.audit.record(event, *new_record(self._rooms, workspace.project, name, owner.login))
        except VersionConflict:
            return True  # another push put it on record just now
        return True

    def _owner(self, workspace: Workspace) -> Person:
        try:
            owner = self._rooms.records.get(Person, workspace.owner)
            project = project_by_name(self._rooms.records, workspace.project)
        except NotFound:
            raise _speaks_for_nobody(workspace) from None
        gone = workspace.terminated_at is not None or workspace.desired is Desired.TERMINATED
        caller = caller_now(self._rooms, owner)
        if gone or not owner.active or caller.lapsed or not permissions.is_member(caller, project):
            raise _speaks_for_nobody(workspace)
        return owner

    def _is_good(self, held: _Held) -> bool:
        try:
            token = self._rooms.records.get(ApiToken, held.token_id)
        except NotFound:
            return False
        return token.revoked_at is None and self._rooms.clock.now() < token.expires_at - _RENEWAL

    def _mint(self, workspace: Workspace, owner: Person) -> _Held:
        now = self._rooms.clock.now()
        token, secret = tokens.mint(
            subject_kind=SubjectKind.PERSON,
            subject_id=owner.id,
            label=f"workspace/{workspace.id}",
            now=now,
            expires_at=now + _TOKEN_LIFE,
        )
        event = AuditEvent(
            action="token.make",
            target=f"token/{token.id}",
            caller=PLATFORM,
            because=f"workspace/{workspace.id}",
            details={"for": f"person/{owner.id}", "expires_at": token.expires_at.isoformat()},
        )
        self._rooms.audit.record(event, Put(token))
        return _Held(token.id, SecretStr(secret))

    def _event(self, action: str, workspace_id: str, facts: dict[str, object], *, allowed: bool = True) -> AuditEvent:
        workspace = self._rooms.records.get(Workspace, workspace_id)
        caller = Caller(subject_kind=SubjectKind.PERSON, subject_id=workspace.owner, name=workspace.owner_login)
        return AuditEvent(
            action=action,
            target=f"workspace/{workspace_id}",
            caller=caller,
            allowed=allowed,
            details={"project": workspace.project, **facts},
        )


def _speaks_for_nobody(workspace: Workspace) -> NotPermitted:
    return NotPermitted(
        "The machine speaks for nobody any more: it ends, or its owner left the project or may read no data.",
        where=f"workspace/{workspace.id}",
    )

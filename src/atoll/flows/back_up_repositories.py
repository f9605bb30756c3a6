"""The projects' git repositories are backed up, and those that lie on the host unrecorded are put on record."""

from __future__ import annotations

import logging
from datetime import timedelta

from atoll.errors import AtollError, NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.repository import Repository
from atoll.ports.records import Put, every

log = logging.getLogger(__name__)


def back_up_repositories(rooms: Rooms) -> int:
    """Back up every repository whose last backup is older than the setting says; of how many there is a new one.

    One that is as its newest backup says is noted so, the backup's files being hashed
    anew. The error of one repository is kept on its record and stops no other.
    """
    _put_on_record(rooms)
    hours = rooms.settings.git_backup_hours
    if hours == 0:
        return 0
    due = rooms.clock.now() - timedelta(hours=hours)
    count = 0
    for repository in every(rooms.records, Repository):
        if repository.backed_up_at is None or repository.backed_up_at <= due:
            count += _back_up(rooms, repository)
    return count


def _back_up(rooms: Rooms, repository: Repository) -> int:
    now = rooms.clock.now()
    try:
        made = rooms.repository_backups.back_up(repository.project, repository.name, now)
    except AtollError as error:
        return _failed(rooms, repository, error)
    generation = made.id if made is not None else ""
    changed = repository.but(backed_up_at=now, generation=generation, backup_failure="")
    try:
        if made is None or generation == repository.generation:
            rooms.records.put(changed)
            return 0
        event = AuditEvent(
            action="repository.back_up",
            target=f"repository/{repository.id}",
            caller=PLATFORM,
            details={"generation": made.id, "refs": len(made.refs), "files": len(made.files), "bytes": made.bytes},
        )
        rooms.audit.record(event, Put(changed))
    except VersionConflict:
        # It was pushed to in between; the next pass finds this backup, or makes a newer one.
        return 0
    return 1


def _failed(rooms: Rooms, repository: Repository, error: AtollError) -> int:
    log.warning(
        "A repository could not be backed up now.",
        extra={"fields": {"repository": repository.id, "error_code": error.code}},
    )
    if repository.backup_failure == error.what:
        return 0
    event = AuditEvent(
        action="repository.back_up",
        target=f"repository/{repository.id}",
        caller=PLATFORM,
        allowed=False,
        details={"error_code": error.code},
    )
    try:
        rooms.audit.record(event, Put(repository.but(backup_failure=error.what)))
    except VersionConflict:
        log.debug("another wrote the repository meanwhile")
    return 0


def _put_on_record(rooms: Rooms) -> None:
    for project in rooms.repositories.projects():
        for name in rooms.repositories.names(project):
            id = f"{project}/{name}"
            try:
                rooms.records.get(Repository, id)
            except NotFound:
                found = Repository(
                    id=id, project=project, name=name, created_at=rooms.clock.now(), created_by=PLATFORM.name
                )
                event = AuditEvent(action="repository.find", target=f"repository/{id}", caller=PLATFORM)
                try:
                    rooms.audit.record(event, Put(found))
                except VersionConflict:
                    log.debug("another process put it on record")

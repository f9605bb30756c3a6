"""Ledger and backends are compared both ways, and what belongs to nobody is found, told, and taken away.

Before anything is taken away a grace passes, in which an order under way can settle and
a person can look. A home is never removed here: only the end of a workspace, which its
owner wants, removes it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from atoll.errors import AtollError, NotFound
from atoll.flows.claim_warm import waiting_machines
from atoll.flows.converge_workspace import busy_subjects, open_operation
from atoll.flows.keep_warm import end_again
from atoll.flows.resource_ledger import all_live_rows, matched
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.workspace import Orphan, Resource, Workspace
from atoll.ports.backend import Observation
from atoll.ports.records import Put, every
from atoll.workspaces.lifecycle import Open, Task

log = logging.getLogger(__name__)

GRACE_SECONDS = 300.0


def sweep_machines(rooms: Rooms, grace_seconds: float = GRACE_SECONDS) -> int:
    """Compare, mend and take away; how much was done. A backend that cannot list is left for the next time."""
    rows: dict[str, dict[str, Resource]] = defaultdict(dict)
    for row in all_live_rows(rooms):
        rows[row.backend][row.id] = row
    busy = busy_subjects(rooms)
    orphans = _orphans(rooms)
    # Those are looked after by `keep_warm`, which knows whether they are wanted.
    waiting = {machine.id for machine in waiting_machines(rooms)}
    grace = timedelta(seconds=grace_seconds)
    count = 0
    for name, backend in rooms.backends.items():
        try:
            machines = backend.list_machines()
        except Exception as error:
            # Of a part nothing can be told; the other backends are swept all the same.
            code = error.code if isinstance(error, AtollError) else type(error).__name__
            log.warning("A backend cannot list its machines.", extra={"fields": {"backend": name, "error_code": code}})
            continue
        for machine in machines:
            if machine.workspace in waiting:
                continue
            if machine.token not in rows[name] or rows[name][machine.token].seen_at is None:
                count += _each(rooms, machine, name, orphans, busy, grace)
        present = {machine.token for machine in machines}
        for row in rows[name].values():
            if row.workspace in waiting:
                continue
            if row.id not in present and f"workspace/{row.workspace}" not in busy:
                count += _close(rooms, row, grace)
        count += _gone(rooms, name, orphans, machines)
    return count


def _each(
    rooms: Rooms,
    machine: Observation,
    backend: str,
    orphans: Mapping[str, Orphan],
    busy: set[str],
    grace: timedelta,
) -> int:
    """A machine without a row: one workspace's error stops no other."""
    if f"workspace/{machine.workspace}" in busy:
        return 0
    try:
        workspace = _workspace(rooms, machine.workspace)
        if workspace is not None and workspace.terminated_at is None:
            return _adopt(rooms, workspace, machine)
        return _orphan(rooms, machine, backend, orphans, workspace, grace)
    except AtollError as error:
        _tell(machine.workspace, error)
        return 0


def _adopt(rooms: Rooms, workspace: Workspace, machine: Observation) -> int:
    """A standing workspace's own machine, whose row was not seen yet, or closed too early."""
    writes = matched(rooms, workspace, machine.token) if machine.token else ()
    if writes:
        # Bound to the workspace as read, so that an operation that begins meanwhile wins.
        rooms.records.transact([*writes, Put(workspace)])
    return int(bool(writes))


def _orphan(
    rooms: Rooms,
    machine: Observation,
    backend: str,
    orphans: Mapping[str, Orphan],
    workspace: Workspace | None,
    grace: timedelta,
) -> int:
    key = f"{backend}/{machine.workspace}/{machine.token or ''}"
    known = orphans.get(key)
    now = rooms.clock.now()
    if known is None:
        _report(rooms, key, machine, backend)
        return 1
    if now - known.found_at < grace:
        return 0
    rooms.audit.record(
        AuditEvent(
            action="machine.remove",
            target=f"workspace/{machine.workspace}",
            caller=PLATFORM,
            because="It belongs to no standing workspace.",
            details={"backend": backend, "token": machine.token, "found_at": known.found_at.isoformat()},
        )
    )
    if workspace is not None:
        # Its owner wanted the end of it: the whole end, home included, once more.
        open_operation(rooms, workspace, Open(Task.TERMINATE, "A machine was found after its end."))
    elif not end_again(rooms, machine.workspace):
        rooms.backends[backend].destroy(machine.workspace)
    return 1


def _report(rooms: Rooms, key: str, machine: Observation, backend: str) -> None:
    now = rooms.clock.now()
    try:
        orphan = rooms.records.get(Orphan, key).but(found_at=now, gone_at=None)
    except NotFound:
        orphan = Orphan(id=key, backend=backend, workspace=machine.workspace, token=machine.token or "", found_at=now)
    rooms.audit.record(
        AuditEvent(
            action="machine.orphan",
            target=f"workspace/{machine.workspace}",
            caller=PLATFORM,
            because="It belongs to no standing workspace.",
            details={"backend": backend, "token": machine.token, "state": machine.state.value},
        ),
        Put(orphan),
    )
    log.warning(
        "A machine belongs to no standing workspace.",
        extra={"fields": {"backend": backend, "workspace": machine.workspace, "state": machine.state.value}},
    )


def _close(rooms: Rooms, row: Resource, grace: timedelta) -> int:
    """A row without a machine, on which nobody works: it is closed once no order can be under way."""
    now = rooms.clock.now()
    if now - max(row.made_at, row.seen_at or row.made_at) < grace:
        return 0
    try:
        workspace = _workspace(rooms, row.workspace)
        if workspace is not None and workspace.terminated_at is not None and row.seen_at is None:
            # It may have been made and have gone since the end of its workspace: a home would be left.
            open_operation(rooms, workspace, Open(Task.TERMINATE, "An order was under way at its end."))
        else:
            rooms.records.put(row.but(gone_at=now))
    except AtollError as error:
        _tell(row.workspace, error)
        return 0
    return 1


def _workspace(rooms: Rooms, workspace_id: str) -> Workspace | None:
    try:
        return rooms.records.get(Workspace, workspace_id)
    except NotFound:
        return None


def _tell(workspace_id: str, error: AtollError) -> None:
    log.warning(
        "A machine could not be looked after now.",
        extra={"fields": {"workspace": workspace_id, "error_code": error.code}},
    )


def _gone(rooms: Rooms, backend: str, orphans: Mapping[str, Orphan], machines: tuple[Observation, ...]) -> int:
    """Orphans that are no longer there are closed."""
    present = {f"{backend}/{machine.workspace}/{machine.token or ''}" for machine in machines}
    closed = 0
    for key, orphan in orphans.items():
        if orphan.backend == backend and key not in present:
            rooms.records.put(orphan.but(gone_at=rooms.clock.now()))
            closed += 1
    return closed


def _orphans(rooms: Rooms) -> dict[str, Orphan]:
    return {orphan.id: orphan for orphan in every(rooms.records, Orphan, {"open_key": "open"})}

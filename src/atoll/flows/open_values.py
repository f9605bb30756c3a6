"""Encrypted values are opened: one person asks, another approves, the person named gets them once.

No opened value is written anywhere: values are opened when they are taken, and go out with the
answer. That they were taken is on record before they leave.
"""

from __future__ import annotations

from datetime import timedelta

from atoll.access import opening_policies, permissions
from atoll.access.directory import person_by_login
from atoll.access.scopes import Scope
from atoll.deid import CellCipher, tag_of
from atoll.errors import Conflict, InvalidInput, VersionConflict
from atoll.flows import encrypted_cells
from atoll.flows.callers import caller_now
from atoll.flows.rooms import Rooms
from atoll.model.dataset import DatasetVersion
from atoll.model.ledger import AuditEvent
from atoll.model.opening import OpenedValue, Opening, OpeningState
from atoll.model.person import Caller
from atoll.model.record import new_id
from atoll.ports.records import Page, Put

#: How long a request waits for a decision.
WAITS = timedelta(days=7)


def ask(
    rooms: Rooms,
    caller: Caller,
    *,
    dataset: str,
    table: str,
    reason: str,
    columns: tuple[str, ...] = (),
    subjects: tuple[str, ...] = (),
    values: tuple[str, ...] = (),
    whole: bool = False,
    recipient: str | None = None,
    hours: int = 24,
) -> Opening:
    """Put on record what shall be opened, for another person to decide.

    Exactly one of `subjects` (pseudonyms), `values` (cells as the lake shows them) and `whole`
    says which rows; without `columns` every encrypted column is meant, without `recipient` the
    values are for who asks. Raises `NotFound`, `NotPermitted`, `InvalidInput`, `Conflict`.
    """
    permissions.require(caller, Scope.OPENINGS_WRITE)
    if [bool(subjects), bool(values), whole].count(True) != 1:
        raise InvalidInput("Say which: subjects, values, or the whole table.", where="subjects")
    version, told = encrypted_cells.newest(rooms, dataset, table, columns)
    to = caller if recipient in (None, caller.name) else _recipient(rooms, recipient or "")
    if not permissions.has(to, Scope.OPENINGS_TAKE):
        raise InvalidInput(
            "That person may not be given opened values.",
            where=to.name,
            todo="Name an active steward or scientist whose training and agreement are in force.",
        )
    now = rooms.clock.now()
    opening = Opening(
        id=new_id("opn"),
        dataset=dataset,
        number=version.number,
        table=table,
        columns=told,
        subjects=subjects,
        values=values,
        cells=0,
        reason=reason,
        asked_by=caller.name,
        asker_id=caller.subject_id,
        asked_at=now,
        recipient=to.name,
        recipient_id=to.subject_id,
        hours=hours,
        expires_at=now + WAITS,
    )
    cells = encrypted_cells.select(rooms, version, opening)
    for tag in {tag_of(cell) for cell in cells["encrypted"].unique()}:
        rooms.keyring.keys_of_cells(tag)
    opening = opening.but(cells=cells.height)
    rooms.audit.record(_event("opening.ask", caller, opening, {"reason": reason}), Put(opening))
    return rooms.records.get(Opening, opening.id)


def openings(
    rooms: Rooms, caller: Caller, *, dataset: str | None = None, cursor: str | None = None, limit: int = 100
) -> Page[Opening]:
    """What was asked, newest first; with `openings:read:own` alone what is for oneself."""
    permissions.require(caller, Scope.OPENINGS_READ_OWN)
    where = {"dataset": dataset} if dataset else {}
    if not permissions.has(caller, Scope.OPENINGS_READ):
        where["recipient_id"] = caller.subject_id
    return rooms.records.find(Opening, where=where, cursor=cursor, limit=limit, newest_first=True)


def show(rooms: Rooms, caller: Caller, opening_id: str) -> Opening:
    """One. Raises `NotFound`, also for one that is of no concern to the caller."""
    permissions.require(caller, Scope.OPENINGS_READ_OWN)
    opening = rooms.records.get(Opening, opening_id)
    permissions.see_opening(caller, opening)
    return opening


def approve(rooms: Rooms, caller: Caller, opening_id: str, reason: str) -> Opening:
    """Let the person named have the values, for as long as was asked. Raises `NotFound`, `NotPermitted`, `Conflict`."""
    permissions.require(caller, Scope.OPENINGS_WRITE)
    opening = rooms.records.get(Opening, opening_id)
    now = rooms.clock.now()
    opening_policies.decide_opening(caller, opening, now)
    decided = _decided(rooms, caller, opening, OpeningState.APPROVED, reason).but(
        expires_at=now + timedelta(hours=opening.hours)
    )
    return _write(rooms, _event("opening.approve", caller, opening, {"reason": reason}), decided)


def refuse(rooms: Rooms, caller: Caller, opening_id: str, reason: str) -> Opening:
    """Turn it down. Raises as `approve`."""
    permissions.require(caller, Scope.OPENINGS_WRITE)
    opening = rooms.records.get(Opening, opening_id)
    opening_policies.decide_opening(caller, opening, rooms.clock.now())
    decided = _decided(rooms, caller, opening, OpeningState.REFUSED, reason)
    return _write(rooms, _event("opening.refuse", caller, opening, {"reason": reason}), decided)


def withdraw(rooms: Rooms, caller: Caller, opening_id: str) -> Opening:
    """Take back what one asked. Raises `NotFound`, `NotPermitted`, `Conflict`."""
    permissions.require(caller, Scope.OPENINGS_WRITE)
    opening = rooms.records.get(Opening, opening_id)
    opening_policies.withdraw_opening(caller, opening, rooms.clock.now())
    decided = _decided(rooms, caller, opening, OpeningState.WITHDRAWN, "")
    return _write(rooms, _event("opening.withdraw", caller, opening, {}), decided)


def take(rooms: Rooms, caller: Caller, opening_id: str) -> tuple[OpenedValue, ...]:
    """The values, to the person named, once.

    Raises `NotFound`, `NotPermitted`, `Conflict` when it is not approved, over, or handed
    already, when the version or the key is gone, and `IntegrityBroken` when a cell is not whole.
    """
    permissions.require(caller, Scope.OPENINGS_TAKE)
    opening = rooms.records.get(Opening, opening_id)
    permissions.see_opening(caller, opening)
    opening_policies.take_opening(caller, opening, rooms.clock.now())
    version = rooms.records.get(DatasetVersion, f"{opening.dataset}@{opening.number}")
    opened = _open(rooms, version, opening)
    handed = opening.but(state=OpeningState.HANDED, handed_at=rooms.clock.now())
    _write(rooms, _event("opening.take", caller, opening, {"opened": len(opened)}), handed)
    return opened


def _recipient(rooms: Rooms, login: str) -> Caller:
    person = person_by_login(rooms.records, login)
    caller = caller_now(rooms, person)
    return caller if person.active else caller.but(roles=frozenset())


def _open(rooms: Rooms, version: DatasetVersion, opening: Opening) -> tuple[OpenedValue, ...]:
    ciphers: dict[tuple[bytes, str], CellCipher] = {}
    opened = []
    for subject, column, cell in encrypted_cells.select(rooms, version, opening).iter_rows():
        place = f"{opening.dataset}.{opening.table}.{column}"
        tag = tag_of(cell, place)
        if (tag, column) not in ciphers:
            ciphers[tag, column] = CellCipher(rooms.keyring.keys_of_cells(tag), place)
        value = ciphers[tag, column].open(cell)
        opened.append(OpenedValue(subject=subject, column=column, encrypted=cell, value=value))
    return tuple(opened)


def _decided(rooms: Rooms, caller: Caller, opening: Opening, state: OpeningState, reason: str) -> Opening:
    return opening.but(state=state, decided_by=caller.name, decided_at=rooms.clock.now(), decision=reason)


def _write(rooms: Rooms, event: AuditEvent, opening: Opening) -> Opening:
    try:
        rooms.audit.record(event, Put(opening))
    except VersionConflict:
        raise Conflict(
            "Somebody decided on it, or took the values, at the same time.",
            where=opening.id,
            todo="Look at it again.",
        ) from None
    return rooms.records.get(Opening, opening.id)


def _event(action: str, caller: Caller, opening: Opening, details: dict[str, str | int]) -> AuditEvent:
    """Which table and how much of it; whom it is about stands in the opening itself."""
    about = {
        "table": f"{opening.dataset}.{opening.table}",
        "columns": list(opening.columns),
        "cells": opening.cells,
        "recipient": opening.recipient,
        "asked_by": opening.asked_by,
    }
    return AuditEvent(action=action, target=f"opening/{opening.id}", caller=caller, details={**about, **details})

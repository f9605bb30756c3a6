"""A person is erased from every dataset, with a proof on record that does not say who it was.

Each dataset gets a version without the person's rows; the versions that held them can be
read no more, and their snapshots, files, mounts, profiles and kept results go; then
everything that can still be read is searched again. Killed anywhere and run again, each
step gives the same. What people took out before (releases, files in machines) is not reached.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.deid import pseudonym_digits
from atoll.errors import Conflict, InvalidInput
from atoll.flows import change_key, dataset_locks, erase_rows, expire_versions, forget_versions
from atoll.flows.rewrite_table import Cut
from atoll.flows.rooms import Rooms
from atoll.lake import Upkeep
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.delivery import Delivery
from atoll.model.erasure import ErasedRows, Erasure
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Failure
from atoll.model.person import PLATFORM, Caller
from atoll.model.record import new_id
from atoll.operations import StepContext, Story
from atoll.ports.records import Put, every

STORY = "erase_person"
STEPS = ("rewrite", "forget", "purge", "prove")
_DEADLINE_SECONDS = 7 * 86_400.0
_DIGITS = re.compile(r"[0-9a-f]{16,64}")


def ask(
    rooms: Rooms,
    caller: Caller,
    *,
    domain: str,
    reason: str,
    confirm: str,
    identifier: str | None = None,
    pseudonym: str | None = None,
) -> Erasure:
    """Have a person erased: whom an identifier, or a pseudonym that the lake shows, names in a domain.

    Neither is kept: what is needed to find the rows is sealed until the work is over.
    An identifier is looked for by every key of the domain that is not destroyed. `confirm`
    repeats the domain. Raises `NotFound` for an unknown domain, `InvalidInput`, and `Conflict`
    for an identifier when every key is destroyed.
    """
    permissions.require(caller, Scope.ERASURES_WRITE)
    if confirm != domain:
        raise InvalidInput(
            "An erasure cannot be undone, so it must be confirmed.",
            where="confirm",
            todo="Repeat the name of the domain there.",
        )
    if (identifier is None) == (pseudonym is None):
        raise InvalidInput("Say whom: either by identifier or by pseudonym.", where="identifier")
    if identifier is not None:
        digits, searched = _computed(rooms, domain, identifier)
    else:
        digits, searched = _shown(rooms, domain, pseudonym or "")
    erasure_id = new_id("ers")
    operation = rooms.operations.plan(
        story=STORY,
        subject=f"erasure/{erasure_id}",
        steps=STEPS,
        caller=caller,
        deadline_seconds=_DEADLINE_SECONDS,
        params={"erasure": erasure_id},
    )
    erasure = Erasure(
        id=erasure_id,
        domain=domain,
        reason=reason,
        asked_by=caller.name,
        asked_at=rooms.clock.now(),
        operation=operation.id,
        keys_searched=searched,
        sealed=rooms.keyring.seal(json.dumps(digits).encode(), context=_context(erasure_id)),
    )
    event = AuditEvent(
        action="person.erase",
        target=f"erasure/{erasure_id}",
        caller=caller,
        because=f"operation/{operation.id}",
        details={"domain": domain, "reason": reason, "by": "identifier" if identifier is not None else "pseudonym"},
    )
    rooms.audit.record(event, Put(erasure), Put(operation))
    rooms.operations.woken.set()
    return rooms.records.get(Erasure, erasure_id)


def list_erasures(rooms: Rooms, caller: Caller) -> tuple[Erasure, ...]:
    """Every erasure, newest first."""
    permissions.require(caller, Scope.ERASURES_READ)
    return tuple(every(rooms.records, Erasure, newest_first=True))


def show(rooms: Rooms, caller: Caller, erasure_id: str) -> Erasure:
    """One erasure. Raises `NotFound`."""
    permissions.require(caller, Scope.ERASURES_READ)
    return rooms.records.get(Erasure, erasure_id)


def story(rooms: Rooms) -> Story:
    """The story for the runner."""
    return Story(
        name=STORY,
        steps=(
            ("rewrite", partial(rewrite, rooms)),
            ("forget", partial(forget, rooms)),
            ("purge", partial(purge, rooms)),
            ("prove", partial(prove, rooms)),
        ),
        abandon=partial(abandon, rooms),
    )


def rewrite(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """In each dataset that holds the person, a version without."""
    found: list[ErasedRows] = []
    for name, cut in _datasets(rooms, context):
        found += erase_rows.erase(rooms, context, name, cut)
    return {"tables": [line.model_dump(mode="json") for line in found]}


def forget(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Versions that hold the person can be read no more, kept or not; what was made of them goes."""
    for name, cut in _datasets(rooms, context):
        held = erase_rows.versions_holding(rooms, context, name, cut)
        forget_versions.note_files(rooms, context.operation, erase_rows.holding_files(rooms, held, cut))
        forget_versions.expire(rooms, context.operation, name, held)
    gone = forget_versions.expired_by(rooms, context.operation)
    counts = forget_versions.forget(rooms, context.operation, gone)
    context.say("Versions that held the person can be read no more.", versions=len(gone), **counts)
    return {"versions": [version.id for version in gone], **counts}


def purge(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Snapshots and files of those versions are removed, at once: no age spares them."""
    count = 0
    for name, _ in _datasets(rooms, context):
        expire_versions.expire_snapshots(rooms, context, name)
        lock = dataset_locks.hold_commit(rooms, context, name)
        spare = expire_versions.open_landings(rooms) - {context.operation.id}
        tables = {s.table for v in every(rooms.records, DatasetVersion, {"dataset": name}) for s in v.tables}
        for table in sorted(tables):
            count += Upkeep(rooms.lake).sweep(name, table, spare=spare, older_than_seconds=0).files
        rooms.locks.release(lock.id, context.operation.id)
    context.say("Their files were removed.", files=count)
    return {}


def prove(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Everything that can be read is searched again; that nothing was found is put on record."""
    erasure = _erasure(rooms, context)
    if erasure.done_at is not None:
        return {}
    searched = sum(erase_rows.search(rooms, context, name, cut) for name, cut in _datasets(rooms, context))
    # Somebody may have been laying one of the versions out when they were marked.
    told = forget_versions.forget(rooms, context.operation, forget_versions.expired_by(rooms, context.operation))
    notes = forget_versions.notes_of(rooms, context.operation)
    left = [path for path in notes.paths if Path(path).exists()]
    if left:
        raise Conflict(
            f"{len(left)} files that held the person are still there.",
            where=f"erasure/{erasure.id}",
            todo="Look at the rights of the lake's directory; ask for the erasure again.",
        )
    tables = tuple(ErasedRows.model_validate(line) for line in context.output("rewrite")["tables"])
    proof = erasure.but(
        sealed=None,
        done_at=rooms.clock.now(),
        tables=tables,
        versions=tuple(context.output("forget")["versions"]),
        files=len(notes.paths),
        mounts=told["mounts"],
        results=told["results"],
        profiles=told["profiles"],
        files_searched=searched,
        keys_unsearched=tuple(sorted(change_key.key_ids(rooms, erasure.domain) - set(erasure.keys_searched))),
        in_quarantine=_in_quarantine(rooms, {line.dataset for line in tables}),
    )
    details = proof.model_dump(mode="json", exclude={"id", "version", "sealed", "reason", "asked_by", "asked_at"})
    event = AuditEvent(
        action="person.erased",
        target=f"erasure/{erasure.id}",
        caller=PLATFORM,
        because=f"operation/{context.operation.id}",
        details=details,
    )
    rooms.audit.record(event, Put(proof), *forget_versions.drop_notes(notes))
    if proof.keys_unsearched:
        context.say(
            "What was looked for is not in the lake any more. Other keys of the domain may have made other"
            " pseudonyms of the person, which could not be looked for.",
            files_searched=searched,
            keys_unsearched=len(proof.keys_unsearched),
        )
    else:
        context.say("Nothing of the person is left in the lake.", files_searched=searched)
    return {}


def abandon(rooms: Rooms, context: StepContext, failure: Failure) -> None:
    """What has been done stays done; whom it was about is forgotten all the same."""
    erasure = _erasure(rooms, context)
    for dataset in every(rooms.records, Dataset):
        rooms.locks.release(dataset_locks.commit_lock(dataset.id), context.operation.id)
    if erasure.sealed is None:
        return
    event = AuditEvent(
        action="person.erase.fail",
        target=f"erasure/{erasure.id}",
        caller=PLATFORM,
        because=f"operation/{context.operation.id}",
        details={"error_code": failure.error_code, "step": failure.step},
    )
    over = erasure.but(sealed=None, failed_because=failure.error_code)
    notes = forget_versions.notes_of(rooms, context.operation)
    rooms.audit.record(event, Put(over), *forget_versions.drop_notes(notes))


def _datasets(rooms: Rooms, context: StepContext) -> list[tuple[str, dict[str, Cut]]]:
    """Datasets that can hold the person, in order, with what leaves them out."""
    erasure = _erasure(rooms, context)
    if erasure.sealed is None:
        return []
    digits = json.loads(rooms.keyring.open_sealed(erasure.sealed, context=_context(erasure.id)))
    names = sorted(dataset.id for dataset in every(rooms.records, Dataset) if dataset.latest)
    found = ((name, erase_rows.cuts(rooms, name, erasure.domain, digits)) for name in names)
    return [(name, cut) for name, cut in found if cut]


def _computed(rooms: Rooms, domain: str, identifier: str) -> tuple[list[str], tuple[str, ...]]:
    """The digits that each key makes of the identifier, and the keys' ids."""
    keys = rooms.keyring.every_key(domain)
    if not keys:
        raise Conflict(
            "The domain's keys are destroyed: nobody can compute the person's pseudonym.",
            where="identifier",
            todo="Say whom by a pseudonym that the lake shows.",
        )
    return [pseudonym_digits(identifier, key) for key in keys], tuple(key.key_id for key in keys)


def _shown(rooms: Rooms, domain: str, pseudonym: str) -> tuple[list[str], tuple[str, ...]]:
    """The digits that a pseudonym shows, by each prefix that it may have; the key, when only one can have made it."""
    ever = change_key.key_ids(rooms, domain)
    found = {
        pseudonym.removeprefix(prefix)
        for prefix in erase_rows.prefixes(rooms, domain)
        if pseudonym.startswith(prefix) and _DIGITS.fullmatch(pseudonym.removeprefix(prefix))
    }
    if not found:
        raise InvalidInput(
            "This is no pseudonym of the domain: a prefix and 16 to 64 hexadecimal digits.", where="pseudonym"
        )
    return sorted(found), tuple(ever) if len(ever) == 1 else ()


def _in_quarantine(rooms: Rooms, datasets: set[str]) -> tuple[str, ...]:
    kept = every(rooms.records, Delivery, {"raw_kept": "kept"})
    return tuple(sorted(delivery.id for delivery in kept if delivery.dataset in datasets))


def _erasure(rooms: Rooms, context: StepContext) -> Erasure:
    return rooms.records.get(Erasure, context.operation.params["erasure"])


def _context(erasure_id: str) -> str:
    return f"erasure/{erasure_id}"

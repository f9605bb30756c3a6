"""A domain's key is rotated or destroyed, by two persons, and what it means is said before."""

from __future__ import annotations

from atoll.access import permissions, policies
from atoll.access.scopes import Scope
from atoll.deid import DomainKey, parse_contract
from atoll.errors import Conflict, VersionConflict
from atoll.flows import publish_contract
from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset
from atoll.model.key_change import DomainState, KeyAct, KeyChange, KeyChangeState
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller
from atoll.model.record import new_id
from atoll.ports.records import Page, Put, every


def domains(rooms: Rooms, caller: Caller) -> tuple[DomainState, ...]:
    """Every domain that ever had a key, and which datasets stand on it."""
    permissions.require(caller, Scope.KEYS_READ)
    used = _used(rooms)
    return tuple(
        DomainState(
            domain=key.id,
            key_id=None if key.destroyed_at else key.key_id,
            created_at=key.created_at,
            destroyed_at=key.destroyed_at,
            master_key_id=None if key.destroyed_at else key.master_key_id,
            datasets=used.get(key.id, ()),
        )
        for key in every(rooms.records, DomainKey)
    )


def meaning(rooms: Rooms, caller: Caller, domain: str, act: KeyAct) -> tuple[str, ...]:
    """What it would mean, a sentence each, to be read before. Raises `NotFound`, `Conflict`."""
    permissions.require(caller, Scope.KEYS_READ)
    key = rooms.records.get(DomainKey, domain)
    if act is KeyAct.DESTROY and key.destroyed_at is not None:
        raise Conflict("The domain's key is destroyed already.", where=domain, todo="Nothing to do.")
    used = _used(rooms).get(domain, ())
    told = [f"The contracts in force of {len(used)} datasets use the domain: {', '.join(used) or 'none'}."]
    if act is KeyAct.ROTATE:
        told += [
            "From then on a person gets another pseudonym and another date offset than in all that was admitted before:"
            " the same person cannot be linked across that day, and intervals across it are wrong.",
            "Rows held now and replayed later get the new pseudonyms, those of the same delivery that entered have the"
            " old ones.",
            "The old key makes nothing new. It stays, sealed, until the domain's key is destroyed: the erasure of a"
            " person finds the pseudonyms that it made, and values that it encrypted can still be opened.",
            "A delivery that is corrected and handed over again gets the new pseudonyms, too: its rows do not join with"
            " those of before.",
            "What is in the lake is not changed. For one key throughout, deliver everything anew to a new dataset.",
        ]
    else:
        told += [
            "Nobody can compute again which pseudonym an id has, nor undo a date offset. This cannot be taken back.",
            "Values that the domain's keys encrypted are lost: no two persons open them any more.",
            "Keys that were rotated before are destroyed with it."
            " From then on a person is erased by pseudonym only, and each key has made another.",
            "Deliveries to these datasets fail until their contracts use another domain or a new key is made.",
            "What is in the lake stays and stays pseudonymised: it may be called anonymised only when its risk report"
            " is within its thresholds as well.",
        ]
    told.append("Backups of the records still hold the sealed key; remove them, or destroy their master key, too.")
    return tuple(told)


def key_ids(rooms: Rooms, domain: str) -> frozenset[str]:
    """Ids of every key that the domain ever had, also of those that are gone. Raises `NotFound`."""
    done = every(rooms.records, KeyChange, {"domain": domain, "state": KeyChangeState.DONE})
    return rooms.records.get(DomainKey, domain).ids().union(change.key_id for change in done)


def ask(rooms: Rooms, caller: Caller, domain: str, act: KeyAct, reason: str) -> KeyChange:
    """Put on record what shall be done, for another person to decide. Raises `NotFound`, `NotPermitted`, `Conflict`."""
    permissions.require(caller, Scope.KEYS_WRITE)
    told = meaning(rooms, caller, domain, act)
    if any(every(rooms.records, KeyChange, {"domain": domain, "state": KeyChangeState.WAITING})):
        raise Conflict("Something asked of this key waits already.", where=domain, todo="Decide on that first.")
    change = KeyChange(
        id=new_id("keychange"),
        domain=domain,
        act=act,
        key_id=rooms.records.get(DomainKey, domain).key_id,
        meaning=told,
        reason=reason,
        asked_by=caller.name,
        asker_id=caller.subject_id,
        asked_at=rooms.clock.now(),
    )
    rooms.audit.record(_event("key.ask", caller, change, {"reason": reason}), Put(change))
    return rooms.records.get(KeyChange, change.id)


def changes(
    rooms: Rooms, caller: Caller, *, domain: str | None = None, cursor: str | None = None, limit: int = 100
) -> Page[KeyChange]:
    """What was asked, newest first."""
    permissions.require(caller, Scope.KEYS_READ)
    where = {"domain": domain} if domain else {}
    return rooms.records.find(KeyChange, where=where, cursor=cursor, limit=limit, newest_first=True)


def show(rooms: Rooms, caller: Caller, change_id: str) -> KeyChange:
    """One. Raises `NotFound`."""
    permissions.require(caller, Scope.KEYS_READ)
    return rooms.records.get(KeyChange, change_id)


def approve(rooms: Rooms, caller: Caller, change_id: str, reason: str) -> KeyChange:
    """Do it: the key, the decision and the audit entry in one transaction.

    Raises `NotFound`, `NotPermitted` for who asked, `Conflict` when it was decided, when
    the key is another than the one it was asked of, and when that happens meanwhile.
    """
    permissions.require(caller, Scope.KEYS_WRITE)
    change = rooms.records.get(KeyChange, change_id)
    policies.decide_key_change(caller, change)
    key = rooms.records.get(DomainKey, change.domain)
    if key.key_id != change.key_id or (change.act is KeyAct.DESTROY and key.destroyed_at is not None):
        raise Conflict("The domain has another key by now.", where=change_id, todo="Refuse this, and ask anew.")
    after = rooms.keyring.rotated(key) if change.act is KeyAct.ROTATE else rooms.keyring.destroyed(key)
    done = _decided(rooms, caller, change, KeyChangeState.DONE, reason).but(
        new_key_id=after.key_id if change.act is KeyAct.ROTATE else None
    )
    details = {"reason": reason, "key_id": change.key_id, "new_key_id": done.new_key_id, "asked_by": change.asked_by}
    return _write(rooms, _event(f"key.{change.act}", caller, change, details), done, Put(after))


def refuse(rooms: Rooms, caller: Caller, change_id: str, reason: str) -> KeyChange:
    """Turn it down. Raises as `approve`."""
    permissions.require(caller, Scope.KEYS_WRITE)
    change = rooms.records.get(KeyChange, change_id)
    policies.decide_key_change(caller, change)
    decided = _decided(rooms, caller, change, KeyChangeState.REFUSED, reason)
    return _write(rooms, _event("key.refuse", caller, change, {"reason": reason}), decided)


def withdraw(rooms: Rooms, caller: Caller, change_id: str) -> KeyChange:
    """Take back what one asked. Raises `NotFound`, `NotPermitted`, `Conflict`."""
    permissions.require(caller, Scope.KEYS_WRITE)
    change = rooms.records.get(KeyChange, change_id)
    policies.withdraw_key_change(caller, change)
    decided = _decided(rooms, caller, change, KeyChangeState.WITHDRAWN, "")
    return _write(rooms, _event("key.withdraw", caller, change, {}), decided)


def _decided(rooms: Rooms, caller: Caller, change: KeyChange, state: KeyChangeState, reason: str) -> KeyChange:
    return change.but(state=state, decided_by=caller.name, decided_at=rooms.clock.now(), decision=reason)


def _write(rooms: Rooms, event: AuditEvent, change: KeyChange, *more: Put) -> KeyChange:
    try:
        rooms.audit.record(event, Put(change), *more)
    except VersionConflict:
        raise Conflict(
            "Somebody decided on it, or changed the key, at the same time.", where=change.id, todo="Look at it again."
        ) from None
    return rooms.records.get(KeyChange, change.id)


def _event(action: str, caller: Caller, change: KeyChange, details: dict[str, str | None]) -> AuditEvent:
    return AuditEvent(
        action=action,
        target=f"key_change/{change.id}",
        caller=caller,
        details={"domain": change.domain, "act": change.act.value, **details},
    )


def _used(rooms: Rooms) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for dataset in every(rooms.records, Dataset):
        in_force = publish_contract.latest_or_none(rooms, dataset.id)
        for domain in () if in_force is None else parse_contract(in_force.text).domains:
            found[domain] = (*found.get(domain, ()), dataset.id)
    return found

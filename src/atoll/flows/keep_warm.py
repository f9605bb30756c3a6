"""Machines are kept ready for products that declare a pool, and are taken away when they are not wanted.

Level-triggered like all reconciliation: what is on record is compared with what is seen,
again and again. A record and its ledger row stand before the backend is asked, a place
of a pool is held by one record (a unique index), and a machine is taken away only after
its record says so, from when on no launch takes it. Launches go before: they are not
refused for what waits, which gives way within one pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from atoll.errors import AlreadyExists, AtollError, Conflict, NotFound, Unavailable, VersionConflict
from atoll.flows.claim_warm import charge_waiting, waiting_machines
from atoll.flows.hold_quota import host_room
from atoll.flows.rooms import Rooms
from atoll.flows.surroundings import Surroundings
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.record import new_id
from atoll.model.workspace import MachineState, ProductState, ProductVersion, Resource, Size, WarmMachine
from atoll.ports.backend import Backend, Observation
from atoll.ports.records import Put
from atoll.workspaces.placement import place
from atoll.workspaces.quotas import Amount, fits

log = logging.getLogger(__name__)

_S = MachineState
#: An order to make one that shows no effect is given again after this time.
AGAIN_SECONDS = 15.0
#: What has not answered by then is taken away.
READY_SECONDS = 300.0
#: An order to make one may be under way for so long: until then its end is done again.
GRACE_SECONDS = 300.0
#: Waiting is charged this often.
CHARGE_SECONDS = 300.0


@dataclass(frozen=True)
class Pool:
    """One size of one product version on its backend, and how many are kept ready."""

    version: ProductVersion
    size: Size
    backend: str
    count: int


def keep_warm(rooms: Rooms, around: Surroundings, *, grace_seconds: float = GRACE_SECONDS) -> int:
    """Look at every waiting machine, then fill the pools; how much was done.

    Trouble with one machine is told in the log and stops no other.
    """
    pools = {(pool.version.id, pool.size.name, pool.backend): pool for pool in _pools(rooms)}
    waiting = waiting_machines(rooms)
    pressed = _pressed(rooms, waiting)
    grace = timedelta(seconds=grace_seconds)
    count = 0
    for machine in waiting:
        pool = pools.get((machine.product, machine.size, machine.backend))
        unwanted = _unwanted(machine, pool, pressed)
        count += _guarded(machine.id, partial(_look_after, rooms, around, machine, unwanted, grace))
    for pool in pools.values():
        count += _guarded(pool.version.id, partial(_fill, rooms, around, pool))
    return count


def _pools(rooms: Rooms) -> list[Pool]:
    """What is to be kept: of each product the version that a launch takes, while it is published."""
    found = []
    capabilities = {name: backend.capabilities for name, backend in rooms.backends.items()}
    for version in rooms.catalog.list():
        if version.state is not ProductState.PUBLISHED or not version.product.warm_pool:
            continue
        try:
            backend = place(version.product, capabilities).backend
            sizes = {name: rooms.catalog.size(name) for name in version.product.warm_pool}
        except (Conflict, NotFound, Unavailable):
            # It cannot be launched here, so nothing is kept for it.
            continue
        if capabilities[backend].warm:
            found += [Pool(version, sizes[name], backend, n) for name, n in version.product.warm_pool.items()]
    return found


def _pressed(rooms: Rooms, waiting: Sequence[WarmMachine]) -> frozenset[str]:
    """Ids of those that give way, the newest first, so that the others and the workspaces fit on the host."""
    host, taken = host_room(rooms)
    sizes = {size.name: size for size in rooms.catalog.sizes()}
    giving = set()
    for machine in waiting:
        size = sizes.get(machine.size)
        if size is None or machine.ending_at is not None:
            continue
        if fits(taken + Amount.of(size), host):
            taken += Amount.of(size)
        else:
            giving.add(machine.id)
    return frozenset(giving)


def _unwanted(machine: WarmMachine, pool: Pool | None, pressed: frozenset[str]) -> str:
    if pool is None:
        return "Nothing is kept ready of this product version and size any more."
    if machine.place >= pool.count:
        return "Fewer are kept ready now."
    return "Others need its room on the host." if machine.id in pressed else ""


def _look_after(rooms: Rooms, around: Surroundings, machine: WarmMachine, unwanted: str, grace: timedelta) -> int:
    backend = rooms.backends.get(machine.backend)
    if backend is None:
        return 0
    if machine.ending_at is not None:
        return _take_away(rooms, around, backend, machine, grace)
    seen = backend.observe(machine.id)
    why = unwanted or _spoilt(rooms, machine, seen)
    if why:
        return _end(rooms, machine, why)
    if seen.state is _S.ABSENT:
        return _make(rooms, around, backend, machine)
    return _note(rooms, machine, seen) if machine.ready_at is None else _charge(rooms, machine)


def _spoilt(rooms: Rooms, machine: WarmMachine, seen: Observation) -> str:
    """Why nobody should get it; empty when there is nothing against it."""
    if seen.state is _S.UNKNOWN:
        return ""
    if seen.state is _S.ABSENT:
        return "" if _row(rooms, machine).seen_at is None else "It was there and is no more."
    if seen.state not in (_S.STARTING, _S.RUNNING) or not seen.anonymous:
        return f"It does not wait any more. {seen.detail}".strip()
    if seen.outdated:
        return "Its environment was built anew."
    if machine.ready_at is None and rooms.clock.now() - machine.made_at > timedelta(seconds=READY_SECONDS):
        return "It did not answer in time."
    return ""


def _note(rooms: Rooms, machine: WarmMachine, seen: Observation) -> int:
    """It is there; once it answers, it may be launched."""
    now = rooms.clock.now()
    row = _row(rooms, machine)
    writes = [Put(row.but(seen_at=now))] if row.seen_at is None else []
    if seen.state is _S.RUNNING:
        writes.append(Put(machine.but(ready_at=now)))
    if writes:
        rooms.records.transact(writes)
    return len(writes)


def _charge(rooms: Rooms, machine: WarmMachine) -> int:
    """Its waiting goes on the platform's account now and then."""
    now = rooms.clock.now()
    since = machine.charged_until or machine.ready_at or now
    if now - since < timedelta(seconds=CHARGE_SECONDS):
        return 0
    rooms.records.transact([Put(machine.but(charged_until=now)), *charge_waiting(rooms, machine, now)])
    return 1


def _fill(rooms: Rooms, around: Surroundings, pool: Pool) -> int:
    """Make what a pool lacks, as far as there is room on the host."""
    taken_places = {
        machine.place
        for machine in waiting_machines(rooms)
        if (machine.product, machine.size, machine.backend) == (pool.version.id, pool.size.name, pool.backend)
        and machine.ending_at is None
    }
    made = 0
    for place_number in sorted(set(range(pool.count)) - taken_places):
        host, taken = host_room(rooms)
        sizes = {size.name: size for size in rooms.catalog.sizes()}
        for machine in waiting_machines(rooms):
            if machine.size in sizes:
                taken += Amount.of(sizes[machine.size])
        if not fits(taken + Amount.of(pool.size), host):
            break
        made += _begin(rooms, around, pool, place_number)
    return made


def _begin(rooms: Rooms, around: Surroundings, pool: Pool, place_number: int) -> int:
    """Record and ledger row first, then the order; 0 when another process was faster."""
    now = rooms.clock.now()
    row = Resource(
        id=new_id("res"), workspace=new_id("wsp"), operation="", backend=pool.backend, size=pool.size.name, made_at=now
    )
    machine = WarmMachine(
        id=row.workspace,
        product=pool.version.id,
        size=pool.size.name,
        backend=pool.backend,
        place=place_number,
        token=row.id,
        made_at=now,
    )
    try:
        rooms.audit.record(
            _event("machine.make_ready", machine, "Its product keeps machines ready."), Put(machine), Put(row)
        )
    except AlreadyExists:
        return 0
    return _make(rooms, around, rooms.backends[pool.backend], rooms.records.get(WarmMachine, machine.id))


def _make(rooms: Rooms, around: Surroundings, backend: Backend, machine: WarmMachine) -> int:
    """Ask the backend for it, unless it was asked lately. The same token makes it once."""
    now = rooms.clock.now()
    if machine.asked_at is not None and now - machine.asked_at < timedelta(seconds=AGAIN_SECONDS):
        return 0
    machine = rooms.records.put(machine.but(asked_at=now))
    backend.create(around.prepare_warm(machine))
    return 1


def _end(rooms: Rooms, machine: WarmMachine, why: str) -> int:
    ending = machine.but(ending_at=rooms.clock.now(), ending_because=why)
    rooms.audit.record(_event("machine.take_back", machine, why), Put(ending))
    return 1


def _take_away(rooms: Rooms, around: Surroundings, backend: Backend, machine: WarmMachine, grace: timedelta) -> int:
    """Machine and home go; the record closes once no order to make it can be under way."""
    backend.destroy(machine.id)
    backend.forget_home(machine.id)
    now = rooms.clock.now()
    row = _row(rooms, machine)
    last_asked = machine.asked_at or machine.made_at
    if backend.observe(machine.id).state is not _S.ABSENT or (row.seen_at is None and now - last_asked < grace):
        return 0
    around.release_warm(machine)
    # Up to when its end was decided.
    charges = charge_waiting(rooms, machine, machine.ending_at or now)
    rooms.records.transact([Put(machine.but(gone_at=now, charged_until=now)), Put(row.but(gone_at=now)), *charges])
    return 1


def end_again(rooms: Rooms, machine_id: str) -> bool:
    """Something of a machine that nobody had was found after its end: it is done once more. False: it was none."""
    try:
        machine = rooms.records.get(WarmMachine, machine_id)
    except NotFound:
        return False
    if machine.claimed_at is not None:
        return False
    if machine.gone_at is not None:
        rooms.records.put(machine.but(gone_at=None))
    return True


def _row(rooms: Rooms, machine: WarmMachine) -> Resource:
    return rooms.records.get(Resource, machine.token)


def _event(action: str, machine: WarmMachine, because: str) -> AuditEvent:
    return AuditEvent(
        action=action,
        target=f"workspace/{machine.id}",
        caller=PLATFORM,
        because=because,
        details={"product": machine.product, "size": machine.size, "backend": machine.backend},
    )


def _guarded(subject: str, act: Callable[[], int]) -> int:
    try:
        return act()
    except VersionConflict:
        # Another process looks after it, or a launch took it.
        return 0
    except AtollError as error:
        facts: Mapping[str, str] = {"subject": subject, "error_code": error.code}
        log.warning("A machine could not be kept ready now.", extra={"fields": facts})
        return 0

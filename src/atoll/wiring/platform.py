"""One platform from one settings object."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from atoll.deid import KeyRing
from atoll.deliveries import Landing, Quarantine
from atoll.errors import InvalidInput
from atoll.flows import admit_delivery, converge_workspace
from atoll.flows.idle_workspaces import Visits, idle_workspaces
from atoll.flows.meter_storage import meter_storage
from atoll.flows.meter_workspaces import meter_workspaces
from atoll.flows.poll_machines import poll_machines
from atoll.flows.purge_quarantine import purge_quarantine
from atoll.flows.rooms import Rooms
from atoll.flows.schedule_workspaces import schedule_workspaces
from atoll.flows.surroundings import Surroundings
from atoll.flows.sweep_machines import sweep_machines
from atoll.flows.sweep_mounts import sweep_mounts
from atoll.flows.visit_workspace import sweep_visits
from atoll.flows.watch_budgets import watch_budgets
from atoll.lake import Lake
from atoll.ledger import AuditTrail, FlowLog, UsageBook, load_price_books
from atoll.operations import Locks, Operations, Reconciler, Reconcilers, Runner, Story
from atoll.ports.backend import Backend
from atoll.ports.keys import MasterKey
from atoll.providers.clock import SystemClock
from atoll.providers.master_key import FileMasterKey, HexMasterKey
from atoll.providers.records import open_record_store
from atoll.query import QueryEngine
from atoll.settings import Settings
from atoll.workspaces.catalog import Catalog
from atoll.workspaces.sizes import load_sizes

_HOUSEKEEPING_SECONDS = 60.0
_POLL_SECONDS = 5.0
#: How soon a wish of a person is looked at.
_WISH_SECONDS = 0.5


def build(settings: Settings, backends: Mapping[str, Backend] | None = None) -> Rooms:
    """The rooms, with everything they stand on; the first time it makes home and keys.

    Without `backends` workspaces can be looked at, but none can be launched.

    The home and what is in it are readable by their owner only (0700, 0600).
    """
    home = settings.home_dir
    os.umask(0o077)
    for directory in (home, home / "keys", settings.lake_path, settings.quarantine_path, home / "tmp"):
        _private(directory)
    clock = SystemClock()
    records = open_record_store(settings.records_url)
    return Rooms(
        settings=settings,
        clock=clock,
        records=records,
        audit=AuditTrail(records, clock),
        flow_log=FlowLog(records, clock),
        usage=UsageBook(records, clock, load_price_books(settings.price_book)),
        operations=Operations(records, clock),
        locks=Locks(records),
        landing=Landing(settings.quarantine_path, settings.upload_max_bytes),
        quarantine=Quarantine(settings.quarantine_path),
        keyring=KeyRing(records, master_key(settings), clock),
        lake=Lake(settings.lake_catalog_url, settings.lake_path),
        engine=QueryEngine(
            workers=settings.query_workers, concurrency=settings.query_concurrency, temp_dir=home / "tmp"
        ),
        catalog=Catalog(records, clock, load_sizes(settings.size_table)),
        backends=backends or {},
    )


def close(rooms: Rooms) -> None:
    """Release what `build` took. Idempotent."""
    rooms.engine.close()
    rooms.records.close()


def master_key(settings: Settings) -> MasterKey:
    """The master key from the settings, or from its file in the home (made when absent)."""
    text = settings.master_key.get_secret_value()
    return HexMasterKey(text) if text else FileMasterKey(settings.home_dir / "keys" / "master.key")


def stories(rooms: Rooms) -> Mapping[str, Story]:
    """Long work with data, by name."""
    return {admit_delivery.STORY: admit_delivery.story(rooms)}


def runner(rooms: Rooms) -> Runner:
    """What works on data in this process, not started."""
    return Runner(
        rooms.operations,
        stories(rooms),
        workers=rooms.settings.operation_workers,
        lease_seconds=rooms.settings.operation_lease_seconds,
    )


def machine_runner(rooms: Rooms, around: Surroundings) -> Runner:
    """What works on machines in this process, not started; apart, so that neither waits for the other."""
    return Runner(
        rooms.operations,
        converge_workspace.stories(rooms, around),
        workers=rooms.settings.machine_workers,
        lease_seconds=rooms.settings.operation_lease_seconds,
    )


def reconcilers(rooms: Rooms) -> Reconcilers:
    """The housekeeping of data in this process, not started."""
    return Reconcilers(
        [
            Reconciler("meter_storage", _HOUSEKEEPING_SECONDS, partial(meter_storage, rooms)),
            Reconciler("purge_quarantine", _HOUSEKEEPING_SECONDS, partial(purge_quarantine, rooms)),
        ]
    )


def machine_reconcilers(rooms: Rooms, visits: Callable[[str], Visits]) -> tuple[Reconcilers, Reconcilers]:
    """The reconcilers of machines, not started: quick ones, and slow ones that must not hold these up.

    `visits` tells who looks at a machine now.
    """
    converge = converge_workspace.converge_workspaces
    quick = (
        Reconciler("new_wishes", _WISH_SECONDS, partial(converge, rooms, unmet_only=True)),
        Reconciler("poll_machines", _POLL_SECONDS, partial(poll_machines, rooms)),
        Reconciler("converge_workspaces", _POLL_SECONDS, partial(converge, rooms)),
    )
    slow: dict[str, Callable[[], int]] = {
        "sweep_machines": partial(sweep_machines, rooms),
        "idle_workspaces": partial(idle_workspaces, rooms, visits),
        "schedule_workspaces": partial(schedule_workspaces, rooms),
        "meter_workspaces": partial(meter_workspaces, rooms),
        "watch_budgets": partial(watch_budgets, rooms),
        "sweep_mounts": partial(sweep_mounts, rooms),
        "sweep_visits": partial(sweep_visits, rooms),
    }
    duties = [Reconciler(name, _HOUSEKEEPING_SECONDS, run) for name, run in slow.items()]
    return Reconcilers(quick), Reconcilers(duties)


def _private(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise InvalidInput(
            f"The directory cannot be made or made private: {error.strerror}.",
            where=str(directory),
            todo="Choose another with --home (ATOLL_HOME), or mend its permissions.",
        ) from error

"""One platform from one settings object."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from atoll.airlock import Vault
from atoll.deid import KeyRing
from atoll.deliveries import ArchiveLimits, Landing, Quarantine
from atoll.errors import InvalidInput
from atoll.flows import (
    admit_delivery,
    check_airlock,
    compact_dataset,
    converge_workspace,
    erase_person,
    expire_versions,
    make_proof,
    place_incoming,
    run_query_queued,
)
from atoll.flows.assess_risk import assess_datasets
from atoll.flows.back_up_repositories import back_up_repositories
from atoll.flows.idle_workspaces import Visits, idle_workspaces
from atoll.flows.keep_warm import keep_warm
from atoll.flows.maintain_lake import maintain_lake
from atoll.flows.meter_shares import meter_shares
from atoll.flows.meter_storage import meter_storage
from atoll.flows.meter_workspaces import meter_workspaces
from atoll.flows.poll_machines import poll_machines
from atoll.flows.purge_quarantine import purge_quarantine
from atoll.flows.queue_workspaces import admit_queued
from atoll.flows.read_costs import seal_costs
from atoll.flows.read_flows import index_flows
from atoll.flows.read_lake_profile import profile_datasets
from atoll.flows.rooms import Rooms
from atoll.flows.run_query_results import sweep_results
from atoll.flows.schedule_workspaces import schedule_workspaces
from atoll.flows.sign_audit import checkpoint_audit
from atoll.flows.surroundings import Surroundings
from atoll.flows.sweep_airlock import sweep_airlock
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
from atoll.query import KeptResults, QueryEngine
from atoll.settings import Settings
from atoll.wiring import executor, gateway, sign_on
from atoll.workspaces.catalog import Catalog
from atoll.workspaces.project_shares import ProjectShares
from atoll.workspaces.sizes import load_sizes

if TYPE_CHECKING:
    from atoll.providers.aws.master_key import KmsKey

_HOUSEKEEPING_SECONDS = 60.0
_POLL_SECONDS = 5.0
#: How soon a result whose grant has ended is gone; it cannot be read from that moment on.
_RESULTS_SECONDS = 10.0
#: How soon a wish of a person is looked at.
_WISH_SECONDS = 0.5
_QUEUE_SECONDS = 1.0


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
    master = master_key(settings)
    return Rooms(
        settings=settings,
        clock=clock,
        records=records,
        audit=AuditTrail(records, clock),
        flow_log=FlowLog(records, clock),
        usage=UsageBook(records, clock, load_price_books(settings.price_book)),
        operations=Operations(records, clock),
        locks=Locks(records),
        landing=Landing(
            settings.quarantine_path,
            settings.upload_max_bytes,
            ArchiveLimits(settings.archive_files, settings.archive_bytes, settings.archive_ratio),
        ),
        quarantine=Quarantine(settings.quarantine_path),
        keyring=KeyRing(records, master, clock),
        lake=Lake(settings.lake_catalog_url, settings.lake_path),
        engine=QueryEngine(
            workers=settings.query_workers, concurrency=settings.query_concurrency, temp_dir=home / "tmp"
        ),
        results=KeptResults(settings.results_path),
        catalog=Catalog(records, clock, load_sizes(settings.size_table)),
        shares=ProjectShares(settings.shares_path, settings.project_share_bytes),
        repositories=gateway.repositories(settings),
        repository_backups=gateway.backups(settings),
        airlock=Vault(settings.airlock_path, master, settings.airlock_file_bytes),
        backends=backends or {},
        sign_on=sign_on.build(settings, master),
        executor=executor.build(settings),
    )


def close(rooms: Rooms) -> None:
    """Release what `build` took. Idempotent."""
    rooms.engine.close()
    rooms.records.close()


def master_key(settings: Settings) -> MasterKey:
    """The master key: unwrapped by AWS KMS, from the settings, or from its file in the home (made when absent)."""
    text = settings.master_key.get_secret_value()
    if settings.master_key_kms:
        if text:
            raise InvalidInput(
                "Two master keys are given: one by AWS KMS and one in the settings.",
                where="master_key, master_key_kms",
                todo="Unset ATOLL_MASTER_KEY or ATOLL_MASTER_KEY_KMS.",
            )
        # Imported here: who keeps the key on this host waits for no AWS library.
        from atoll.providers.aws.master_key import KmsMasterKey

        return KmsMasterKey(kms_key(settings), settings.home_dir / "keys" / "master.kms")
    return HexMasterKey(text) if text else FileMasterKey(settings.home_dir / "keys" / "master.key")


def kms_key(settings: Settings) -> KmsKey:
    """The key of AWS KMS that the settings name."""
    from atoll.providers.aws.master_key import KmsKey

    return KmsKey(settings.master_key_kms, settings.master_key_kms_region, settings.master_key_kms_endpoint)


def stories(rooms: Rooms) -> Mapping[str, Story]:
    """Long work with data, by name."""
    return {
        admit_delivery.STORY: admit_delivery.story(rooms),
        check_airlock.STORY: check_airlock.story(rooms),
        place_incoming.STORY: place_incoming.story(rooms),
    }


def runner(rooms: Rooms) -> Runner:
    """What works on data in this process, not started."""
    return Runner(
        rooms.operations,
        stories(rooms),
        workers=rooms.settings.operation_workers,
        lease_seconds=rooms.settings.operation_lease_seconds,
    )


def query_runner(rooms: Rooms) -> Runner:
    """What runs queued queries in this process, not started; apart, so that no admission holds them up."""
    return Runner(
        rooms.operations,
        {run_query_queued.STORY: run_query_queued.story(rooms)},
        workers=rooms.settings.query_runners,
        lease_seconds=rooms.settings.operation_lease_seconds,
    )


def upkeep_runner(rooms: Rooms) -> Runner:
    """What maintains the lake in this process, not started; apart, so that no admission waits for it."""
    return Runner(
        rooms.operations,
        {
            compact_dataset.STORY: compact_dataset.story(rooms),
            expire_versions.STORY: expire_versions.story(rooms),
            erase_person.STORY: erase_person.story(rooms),
        },
        workers=rooms.settings.upkeep_workers,
        lease_seconds=rooms.settings.operation_lease_seconds,
    )


def machine_runner(rooms: Rooms, around: Surroundings) -> Runner:
    """What works on machines in this process, not started; apart, so that neither waits for the other."""
    return Runner(
        rooms.operations,
        {**converge_workspace.stories(rooms, around), **make_proof.stories(rooms)},
        workers=rooms.settings.machine_workers,
        lease_seconds=rooms.settings.operation_lease_seconds,
    )


def reconcilers(rooms: Rooms) -> Reconcilers:
    """The housekeeping of data in this process, not started."""
    return Reconcilers(
        [
            Reconciler("meter_storage", _HOUSEKEEPING_SECONDS, partial(meter_storage, rooms)),
            Reconciler("meter_shares", _HOUSEKEEPING_SECONDS, partial(meter_shares, rooms)),
            Reconciler("back_up_repositories", _HOUSEKEEPING_SECONDS, partial(back_up_repositories, rooms)),
            Reconciler("sweep_airlock", _HOUSEKEEPING_SECONDS, partial(sweep_airlock, rooms)),
            Reconciler("purge_quarantine", _HOUSEKEEPING_SECONDS, partial(purge_quarantine, rooms)),
            Reconciler("maintain_lake", _HOUSEKEEPING_SECONDS, partial(maintain_lake, rooms)),
            Reconciler("sweep_results", _RESULTS_SECONDS, partial(sweep_results, rooms)),
            Reconciler("checkpoint_audit", _HOUSEKEEPING_SECONDS, partial(checkpoint_audit, rooms)),
            Reconciler("index_flows", _POLL_SECONDS, partial(index_flows, rooms)),
            Reconciler("seal_costs", _HOUSEKEEPING_SECONDS, partial(seal_costs, rooms)),
        ],
        board=rooms.duties,
    )


def profile_reconcilers(rooms: Rooms) -> Reconcilers:
    """What computes profiles and risks, not started; apart, since a large table takes its time."""
    duties = [
        Reconciler("profile_datasets", _POLL_SECONDS, partial(profile_datasets, rooms)),
        Reconciler("assess_datasets", _POLL_SECONDS, partial(assess_datasets, rooms)),
    ]
    return Reconcilers(duties, board=rooms.duties)


def machine_reconcilers(rooms: Rooms, visits: Callable[[str], Visits]) -> tuple[Reconcilers, Reconcilers, Reconcilers]:
    """The reconcilers of machines, not started: for wishes, quick ones, and slow ones that must not hold these up.

    `visits` tells who looks at a machine now.
    """
    converge = converge_workspace.converge_workspaces
    wishes = (Reconciler("new_wishes", _WISH_SECONDS, partial(converge, rooms, unmet_only=True)),)
    quick = (
        Reconciler("admit_queued", _QUEUE_SECONDS, partial(admit_queued, rooms)),
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
    board = rooms.duties
    return (
        Reconcilers(wishes, rooms.operations.wished, board),
        Reconcilers(quick, board=board),
        Reconcilers(duties, board=board),
    )


def warm_reconcilers(rooms: Rooms, around: Surroundings) -> Reconcilers:
    """What keeps machines ready, not started; apart, since to make one takes its time."""
    duty = Reconciler("keep_warm", _POLL_SECONDS, partial(keep_warm, rooms, around))
    return Reconcilers([duty], board=rooms.duties)


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

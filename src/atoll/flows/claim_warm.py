"""A launch takes a machine that was made ready before anybody asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from atoll.errors import AtollError
from atoll.flows.rooms import Rooms
from atoll.model.ledger import Metric
from atoll.model.meter import MachineMeter, MeterPoint
from atoll.model.person import PLATFORM
from atoll.model.workspace import ProductVersion, Size, WarmMachine, Workspace
from atoll.ports.records import Put, Write, every
from atoll.workspaces import parameters


def waiting_machines(rooms: Rooms) -> tuple[WarmMachine, ...]:
    """Every machine that is nobody's and may still be there, oldest first."""
    return tuple(every(rooms.records, WarmMachine, {"waiting": "waiting"}))


def ready_machine(
    rooms: Rooms, version: ProductVersion, size: Size, backend: str, wanted: Mapping[str, Any]
) -> WarmMachine | None:
    """The machine that a launch may take: ready, of this product version, size and backend; None: make one.

    A machine is made with the defaults of the parameters, so a launch with others takes none.
    """
    if size.name not in version.product.warm_pool or dict(wanted) != parameters.settled(version.product, {}):
        return None
    for machine in waiting_machines(rooms):
        fits = (machine.product, machine.size, machine.backend) == (version.id, size.name, backend)
        if fits and machine.ready_at is not None and machine.ending_at is None:
            return machine
    return None


def claim(rooms: Rooms, machine: WarmMachine, workspace: Workspace) -> tuple[Write, ...]:
    """The writes that make the machine the workspace's, to join the one that puts it on record.

    Its waiting is paid by the platform up to now. They fail with `VersionConflict` when
    another launch has taken it, or it is being taken away.
    """
    now = workspace.created_at
    point = MeterPoint(since=now, begun=now, eur_per_hour=workspace.eur_per_hour)
    return (
        Put(machine.but(claimed_at=now)),
        # Ids are made with the machine: the metering would not look so far back for one that came and went.
        Put(MachineMeter(id=workspace.id, point=point)),
        *charge_waiting(rooms, machine, now),
    )


def charge_waiting(rooms: Rooms, machine: WarmMachine, until: datetime) -> tuple[Write, ...]:
    """What it cost the platform to wait since it was last charged; nothing before it was ready."""
    since = machine.charged_until or machine.ready_at
    if since is None or until <= since:
        return ()
    try:
        price = rooms.catalog.size(machine.size).eur_per_hour
    except AtollError:
        # The size is no more; so is its price.
        return ()
    return (
        rooms.usage.charge(
            metric=Metric.MACHINE_SECONDS,
            quantity=Decimal(str(round((until - since).total_seconds(), 6))),
            unit_price_eur=price / 3600,
            user=PLATFORM.name,
            product=machine.product,
            workspace=machine.id,
            since=since,
            until=until,
            because="It waited, ready, for somebody to launch it.",
        ),
    )

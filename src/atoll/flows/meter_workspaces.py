"""What machines use is metered from what was seen of them, by the second, once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from atoll.errors import AtollError, NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import Metric
from atoll.model.meter import MachineMeter, MeterPass, MeterPoint, Use
from atoll.model.workspace import Workspace
from atoll.ports.records import Append, Put, StreamEntry, every
from atoll.workspaces.metering import Stretch, Transition, advance, settle, use_of

log = logging.getLogger(__name__)

#: What goes on is put into a record this often, not at every pass.
SETTLE_SECONDS = 300.0
#: Entries taken in one transaction: each gives two records at most, and one takes 50 writes.
_BATCH = 20
#: Clocks of several processes may differ by this much.
_MARGIN = timedelta(minutes=10)
_PASS = "workspaces"  # noqa: S105
_DAY_SECONDS = 86_400
_BYTE_DAY_STEP = Decimal("1e-6")


def meter_workspaces(rooms: Rooms) -> int:
    """Meter every workspace up to now; of how many something was charged.

    Running costs the price agreed for the size, and standing (running, hibernated or
    stopped) the storage of the home. How far it got is written in the transaction of
    the charges, so that several processes, or one that died, never charge twice. The
    error of one workspace stops no other.
    """
    begun_at = rooms.clock.now()
    count, failed = 0, False
    for workspace in _to_meter(rooms):
        try:
            count += meter_workspace(rooms, workspace)
        except VersionConflict:
            # Another process meters it now.
            continue
        except AtollError as error:
            failed = True
            facts = {"workspace": workspace.id, "error_code": error.code}
            log.warning("A workspace could not be metered now.", extra={"fields": facts})
    if not failed:
        _note_pass(rooms, begun_at)
    return count


def meter_workspace(rooms: Rooms, workspace: Workspace) -> bool:
    """Meter one workspace up to now; whether something was charged. Raises `VersionConflict`."""
    now = rooms.clock.now()
    meter = _meter(rooms, workspace)
    if meter.closed:
        return False
    charged = False
    while entries := rooms.records.read(f"workspace/{workspace.id}", after=meter.number, limit=_BATCH):
        meter, done = _take(rooms, workspace, meter, entries)
        charged = charged or done
    if workspace.terminated_at is not None:
        end = Transition(workspace.terminated_at, Use.GONE, workspace.eur_per_hour)
        point, stretch = advance(meter.point, end)
        return _charge(rooms, workspace, meter.but(point=point, closed=True), [stretch]) or charged
    due = (now - meter.point.since).total_seconds() >= SETTLE_SECONDS
    if meter.point.use in (Use.RUNNING, Use.KEPT) and (due or meter.point.eur_per_hour != workspace.eur_per_hour):
        meter = meter.but(home_bytes=_home_bytes(rooms, workspace, meter))
        point, stretch = settle(meter.point, now, workspace.eur_per_hour)
        charged = _charge(rooms, workspace, meter.but(point=point), [stretch]) or charged
    return charged


def _take(
    rooms: Rooms, workspace: Workspace, meter: MachineMeter, entries: Sequence[StreamEntry]
) -> tuple[MachineMeter, bool]:
    if meter.point.use is Use.RUNNING:
        meter = meter.but(home_bytes=_home_bytes(rooms, workspace, meter))
    point, stretches = meter.point, []
    for entry in entries:
        point, stretch = advance(point, _transition(workspace, entry))
        stretches.append(stretch)
    moved = meter.but(point=point, number=entries[-1].number)
    charged = _charge(rooms, workspace, moved, stretches)
    return rooms.records.get(MachineMeter, meter.id), charged


def _transition(workspace: Workspace, entry: StreamEntry) -> Transition:
    """An entry `{from, to, because}`, with the time and price of it where it tells them."""
    body = entry.body
    at = datetime.fromisoformat(str(body["at"])) if body.get("at") else entry.at
    price = body.get("eur_per_hour")
    use = use_of(str(body.get("to", "")))
    return Transition(at, use, workspace.eur_per_hour if price is None else Decimal(str(price)))


def _charge(rooms: Rooms, workspace: Workspace, meter: MachineMeter, stretches: Sequence[Stretch | None]) -> bool:
    charges = [charge for stretch in stretches if stretch for charge in _charges(rooms, workspace, meter, stretch)]
    amounts = (Decimal(entry["amount_eur"]) for charge in charges for entry in charge.entries)
    rooms.records.transact([Put(meter.but(spent_eur=sum(amounts, meter.spent_eur))), *charges])
    return bool(charges)


def _charges(rooms: Rooms, workspace: Workspace, meter: MachineMeter, stretch: Stretch) -> Iterator[Append]:
    amounts: list[tuple[Metric, Decimal, Decimal | None]] = []
    if stretch.use is Use.RUNNING:
        amounts.append((Metric.MACHINE_SECONDS, stretch.seconds, stretch.eur_per_hour / 3600))
    byte_days = (meter.home_bytes * stretch.seconds / _DAY_SECONDS).quantize(_BYTE_DAY_STEP)
    if byte_days:
        amounts.append((Metric.MACHINE_STORED_BYTE_DAYS, byte_days, None))
    for metric, quantity, unit_price_eur in amounts:
        yield rooms.usage.charge(
            metric=metric,
            quantity=quantity,
            unit_price_eur=unit_price_eur,
            user=workspace.owner_login,
            project=workspace.project,
            product=workspace.product,
            workspace=workspace.id,
            since=stretch.since,
            until=stretch.until,
            because=f"workspace/{workspace.id}",
        )


def _meter(rooms: Rooms, workspace: Workspace) -> MachineMeter:
    try:
        return rooms.records.get(MachineMeter, workspace.id)
    except NotFound:
        begun = workspace.created_at
        point = MeterPoint(since=begun, begun=begun, eur_per_hour=workspace.eur_per_hour)
        return rooms.records.put(MachineMeter(id=workspace.id, point=point))


def _home_bytes(rooms: Rooms, workspace: Workspace, meter: MachineMeter) -> int:
    """Of the home as it is, or as last seen where the backend cannot tell."""
    backend = rooms.backends.get(workspace.backend)
    try:
        figures = None if backend is None else backend.figures(workspace.id)
    except AtollError:
        figures = None
    return meter.home_bytes if figures is None else figures.home_bytes


def _to_meter(rooms: Rooms) -> Iterator[Workspace]:
    """Those that stand, those not metered to their end, and those that came and went since the last pass."""
    seen: set[str] = set()
    standing = every(rooms.records, Workspace, {"standing": "standing"})
    for workspace in [*standing, *_unfinished(rooms), *_since_last_pass(rooms)]:
        if workspace.id not in seen:
            seen.add(workspace.id)
            yield workspace


def _unfinished(rooms: Rooms) -> Iterator[Workspace]:
    for meter in every(rooms.records, MachineMeter, {"open": "open"}):
        workspace = rooms.records.get(Workspace, meter.id)
        if workspace.standing is None:
            yield workspace


def _since_last_pass(rooms: Rooms) -> Iterator[Workspace]:
    """Every workspace made since the last whole pass; ids are in order of making."""
    try:
        begun_at: datetime | None = rooms.records.get(MeterPass, _PASS).begun_at - _MARGIN
    except NotFound:
        begun_at = None
    for workspace in every(rooms.records, Workspace, newest_first=True):
        if begun_at is not None and workspace.created_at < begun_at:
            return
        yield workspace


def _note_pass(rooms: Rooms, begun_at: datetime) -> None:
    try:
        standing = rooms.records.get(MeterPass, _PASS)
    except NotFound:
        standing = MeterPass(id=_PASS, begun_at=begun_at)
    try:
        rooms.records.put(standing.but(begun_at=max(begun_at, standing.begun_at)))
    except VersionConflict:
        log.debug("another process noted its metering pass")

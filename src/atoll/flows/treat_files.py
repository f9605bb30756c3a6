"""Each file of a delivery through its contract; in a replay, what of it was held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from atoll.deid import DomainKeys, FileReport, KnownNames, deidentify_parts, gather_names, tables_for
from atoll.deliveries import Content
from atoll.flows.rooms import Rooms
from atoll.model.contract import Contract
from atoll.model.dataset import landing_of
from atoll.model.delivery import Delivery
from atoll.operations import StepContext


def treat_files(
    rooms: Rooms, context: StepContext, delivery: Delivery, contract: Contract, replay: int
) -> Mapping[str, Any]:
    """Treated rows to the lake's staging place, the rest held; a line for each file.

    Archives are opened: each member is a file here, with the number it had in the first
    admission. A line has `name`, `table` and `report` (None where no table takes the
    file) and, in a replay, `passed`: nothing of the file was held, so it is not read again.
    """
    keys = {domain: rooms.keyring.keys(domain) for domain in contract.domains}
    lines: list[dict[str, Any]] = []
    before_this = frozenset(f.name for f in delivery.outcome.files) if replay and delivery.outcome else None

    def as_it_is(name: str) -> bool:
        return bool(tables_for(contract, name)) if before_this is None else name in before_this

    contents = rooms.landing.contents(delivery, as_it_is)
    scratch = rooms.quarantine.rows_path(delivery.id, 0, replay).parent
    whole = sum(f.size_bytes for f in contents) or 1
    names = gather_names(contract, [(f.name, f.path) for f in contents if not f.rule], scratch)
    before = 0
    for index, file in enumerate(contents):
        progress = _share(context, before / whole, file.size_bytes / whole)
        line = _line(rooms, context, delivery, contract, index, file, keys, progress, replay, names)
        lines.append({"name": file.name, **line})
        before += file.size_bytes
    return {"files": lines, "key_ids": {domain: key.key_id for domain, key in keys.items()}}


def _line(
    rooms: Rooms,
    context: StepContext,
    delivery: Delivery,
    contract: Contract,
    index: int,
    file: Content,
    keys: Mapping[str, DomainKeys],
    progress: Callable[[float], None],
    replay: int,
    names: KnownNames,
) -> dict[str, Any]:
    if file.rule:
        context.say(f"File {index} is held: {file.rule}.")
        return {"table": None, "report": None, "rule": file.rule, "message": file.message}
    only: frozenset[int] | None = None
    held = 0
    if replay and delivery.outcome is not None:
        known = delivery.outcome.files[index]
        held = known.rows_quarantined
        if known.accepted and not held:
            return {"table": known.table, "report": None, "passed": True}
        if known.accepted:
            only = rooms.quarantine.row_numbers(delivery.id, index, replay - 1)
    report = _treat(rooms, delivery, contract, index, file, keys, progress, replay, only, names)
    if only is not None and (report is None or len(report.met) != held):
        # Another reading of the file would take other rows for those that were held.
        rooms.quarantine.keep_held(delivery.id, index, replay)
        context.say(f"File {index} stays held: the contract reads its rows otherwise than when they were held.")
        return {"table": None if report is None else report.table, "report": None, "kept": True}
    _tell(context, index, report)
    return {
        "table": None if report is None else report.table,
        "report": None if report is None else report.model_dump(mode="json"),
    }


def _treat(
    rooms: Rooms,
    delivery: Delivery,
    contract: Contract,
    index: int,
    file: Content,
    keys: Mapping[str, DomainKeys],
    progress: Callable[[float], None],
    replay: int,
    only: frozenset[int] | None,
    names: KnownNames,
) -> FileReport | None:
    """The account of one file, None where no table of the contract takes its name."""
    tables = tables_for(contract, file.name)
    if not tables:
        return None
    landing = landing_of(delivery.id, replay)
    return deidentify_parts(
        contract,
        file.path,
        file.name,
        keys,
        {table: rooms.lake.staging(delivery.dataset, table, landing) / f"{index:05d}.parquet" for table in tables},
        rooms.quarantine.rows_path(delivery.id, index, replay),
        progress,
        only,
        names,
    )


def _tell(context: StepContext, index: int, report: FileReport | None) -> None:
    if report is None:
        context.say(f"File {index} is held: no table of the contract takes its name.")
        return
    context.say(
        f"File {index} is held: {report.rule}." if report.rule else f"File {index} is treated.",
        table=report.table,
        rows_in=report.rows_in,
        rows_committed=report.rows_committed,
        rows_held=report.rows_held,
    )


def _share(context: StepContext, start: float, part: float) -> Callable[[float], None]:
    """Progress of one file as progress of the step."""

    def tell(fraction: float) -> None:
        context.progress(start + part * fraction)

    return tell

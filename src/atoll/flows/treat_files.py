"""Each file of a delivery through its contract; in a replay, what of it was held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from atoll.deid import DomainKeys, FileReport, KnownNames, deidentify_parts, gather_names, tables_for
from atoll.deliveries import Content
from atoll.flows.rooms import Rooms
from atoll.flows.spread_files import FileJob, spread_files
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
    before_this = frozenset(f.name for f in delivery.outcome.files) if replay and delivery.outcome else None

    def as_it_is(name: str) -> bool:
        return bool(tables_for(contract, name)) if before_this is None else name in before_this

    lines: dict[int, dict[str, Any]] = {}
    jobs: list[FileJob] = []
    contents = rooms.landing.contents(delivery, as_it_is)
    scratch = rooms.quarantine.rows_path(delivery.id, 0, replay).parent
    names = gather_names(contract, [(f.name, f.path) for f in contents if not f.rule], scratch)
    for index, file in enumerate(contents):
        known = _without_reading(context, delivery, index, file, replay)
        if known is not None:
            lines[index] = known
        else:
            jobs.append(_job(rooms, delivery, contract, index, file, replay, names))
    whole = sum(file.size_bytes for file in contents) or 1
    spread = spread_files if rooms.executor is not None else _one_by_one
    for job, report in zip(jobs, spread(rooms, context, contract, keys, jobs, whole), strict=True):
        lines[job.index] = _line(rooms, context, delivery, job, report, replay)
    named = [{"name": file.name, **lines[index]} for index, file in enumerate(contents)]
    return {"files": named, "key_ids": {domain: key.key_id for domain, key in keys.items()}}


def _without_reading(
    context: StepContext, delivery: Delivery, index: int, file: Content, replay: int
) -> dict[str, Any] | None:
    """The line of a file that is not read: an archive that was not opened, or one of which nothing was held."""
    if file.rule:
        context.say(f"File {index} is held: {file.rule}.")
        return {"table": None, "report": None, "rule": file.rule, "message": file.message}
    if replay and delivery.outcome is not None:
        known = delivery.outcome.files[index]
        if known.accepted and not known.rows_quarantined:
            return {"table": known.table, "report": None, "passed": True}
    return None


def _job(
    rooms: Rooms,
    delivery: Delivery,
    contract: Contract,
    index: int,
    file: Content,
    replay: int,
    names: KnownNames,
) -> FileJob:
    only = None
    if replay and delivery.outcome is not None and delivery.outcome.files[index].accepted:
        only = rooms.quarantine.row_numbers(delivery.id, index, replay - 1)
    landing = landing_of(delivery.id, replay)
    staging = {table: rooms.lake.staging(delivery.dataset, table, landing) for table in tables_for(contract, file.name)}
    return FileJob(index, file, staging, rooms.quarantine.rows_path(delivery.id, index, replay), only, names)


def _one_by_one(
    rooms: Rooms,
    context: StepContext,
    contract: Contract,
    keys: Mapping[str, DomainKeys],
    jobs: Sequence[FileJob],
    whole: int,
) -> Iterator[FileReport | None]:
    """Each file in this process; None where no table of the contract takes its name."""
    del rooms
    before = whole - sum(job.file.size_bytes for job in jobs)
    for job in jobs:
        progress = _share(context, before / whole, job.file.size_bytes / whole)
        before += job.file.size_bytes
        if not job.staging:
            yield None
            continue
        staged = {table: place / f"{job.index:05d}.parquet" for table, place in job.staging.items()}
        yield deidentify_parts(
            contract, job.file.path, job.file.name, keys, staged, job.held, progress, job.only, job.names
        )


def _line(
    rooms: Rooms, context: StepContext, delivery: Delivery, job: FileJob, report: FileReport | None, replay: int
) -> dict[str, Any]:
    table = None if report is None else report.table
    if job.only is not None and delivery.outcome is not None:
        held = delivery.outcome.files[job.index].rows_quarantined
        if report is None or len(report.met) != held:
            # Another reading of the file would take other rows for those that were held.
            rooms.quarantine.keep_held(delivery.id, job.index, replay)
            context.say(f"File {job.index} stays held: the contract reads its rows otherwise than when they were held.")
            return {"table": table, "report": None, "kept": True}
    _tell(context, job.index, report)
    return {"table": table, "report": None if report is None else report.model_dump(mode="json")}


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

"""A submitted delivery is verified, de-identified, committed and settled.

Each step may be killed anywhere and is run again from its start: files are written
to the same places, a table's snapshot is found by the delivery id it carries, and the
dataset version and the settlement are one transaction each. All or nothing, once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from atoll.deid import FileReport, parse_contract, table_schema
from atoll.errors import NotFound
from atoll.flows import publish_contract, settle_admission
from atoll.flows.commit_version import commit_version, replay_of, withdraw_version
from atoll.flows.rooms import Rooms
from atoll.flows.treat_files import treat_files
from atoll.model.contract import Contract, ContractVersion
from atoll.model.dataset import landing_of
from atoll.model.delivery import Delivery, Hold
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Failure, Operation
from atoll.model.person import PLATFORM, Caller
from atoll.model.table import StagedFile
from atoll.operations import StepContext, Story

STORY = "admit_delivery"
STEPS = ("verify", "deidentify", "commit", "settle")


def plan(rooms: Rooms, caller: Caller, delivery: Delivery, *, replay: int = 0) -> Operation:
    """The operation that admits the delivery, or with its number a replay of what is held; not yet on record."""
    return rooms.operations.plan(
        story=STORY,
        subject=f"delivery/{delivery.id}",
        steps=STEPS,
        caller=caller,
        deadline_seconds=rooms.settings.admission_deadline_seconds,
        params={"delivery": delivery.id, "replay": replay},
    )


def story(rooms: Rooms) -> Story:
    """The story for the runner."""
    return Story(
        name=STORY,
        steps=(
            ("verify", partial(_timed, partial(verify, rooms))),
            ("deidentify", partial(_timed, partial(deidentify, rooms))),
            ("commit", partial(_timed, partial(commit, rooms))),
            ("settle", partial(settle, rooms)),
        ),
        abandon=partial(abandon, rooms),
    )


def verify(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Every file is what the manifest says; the contract in force is pinned for this admission."""
    delivery = _delivery(rooms, context)
    rooms.landing.verify(delivery, context.progress)
    contract = publish_contract.latest(rooms, delivery.dataset)
    context.say("Every file is what the manifest says.", files=len(delivery.files), contract=contract.id)
    return {"contract": contract.id}


def deidentify(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Each file through the contract: treated rows to the lake's staging place, the rest held."""
    delivery = _delivery(rooms, context)
    contract = _contract(rooms, context)
    return treat_files(rooms, context, delivery, contract, replay_of(context.operation))


def commit(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """One snapshot for each table, bound together in one dataset version."""
    delivery = _delivery(rooms, context)
    contract = _contract(rooms, context)
    staged: dict[str, list[StagedFile]] = {}
    reports: list[FileReport] = []
    for line in context.output("deidentify")["files"]:
        report = FileReport.model_validate(line["report"]) if line["report"] else None
        if report is not None:
            reports.append(report)
        for file in () if report is None else report.all_staged:
            if file.rows > 0:
                staged.setdefault(file.table, []).append(file)
    if not staged:
        context.say("Nothing can be committed; everything is held in quarantine.")
        return {"version": None, "bytes": 0}
    schemas = {table: table_schema(contract, table) for table in staged}
    version = commit_version(rooms, context, delivery, schemas, staged, reports)
    if isinstance(version, Hold):
        context.say(f"Nothing is committed; the delivery waits in quarantine. {version.message}")
        return {"version": None, "bytes": 0, "hold": version.model_dump()}
    context.say("Committed.", version=version.id, rows=version.rows_added)
    return {"version": version.number, "bytes": version.bytes_added}


def settle(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Outcome, audit, flow and cost on record, in one transaction."""
    delivery = _delivery(rooms, context)
    replay = replay_of(context.operation)
    if delivery.outcome is None or len(delivery.replays) < replay:
        if context.output("commit").get("hold"):
            for table in _contract(rooms, context).tables:
                rooms.lake.discard(delivery.dataset, table, landing_of(delivery.id, replay))
        settle_admission.settle(rooms, context, delivery)
    return {}


def abandon(rooms: Rooms, context: StepContext, failure: Failure) -> None:
    """Nothing of a failed admission stays in the lake; its files wait in quarantine."""
    delivery = _delivery(rooms, context)
    try:
        tables: list[str] = list(_contract(rooms, context).tables)
    except (NotFound, StopIteration, KeyError):
        tables = []
    withdraw_version(rooms, context.operation, delivery, tables)
    rooms.audit.record(
        AuditEvent(
            action="delivery.fail",
            target=f"delivery/{delivery.id}",
            caller=PLATFORM,
            because=f"operation/{context.operation.id}",
            details={"error_code": failure.error_code, "step": failure.step},
        )
    )


def _delivery(rooms: Rooms, context: StepContext) -> Delivery:
    return rooms.records.get(Delivery, context.operation.params["delivery"])


def _contract(rooms: Rooms, context: StepContext) -> Contract:
    pinned = rooms.records.get(ContractVersion, context.output("verify")["contract"])
    return parse_contract(pinned.text)


def _timed(step: Callable[[StepContext], Mapping[str, Any]], context: StepContext) -> Mapping[str, Any]:
    started = time.perf_counter()
    output = step(context)
    return {**output, "seconds": round(time.perf_counter() - started, 6)}

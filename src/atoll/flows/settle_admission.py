"""An admission is settled: outcome, audit, flow and cost in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from atoll.deid import FileReport
from atoll.flows.commit_version import replay_of, version_of
from atoll.flows.rooms import Rooms
from atoll.ledger import admission_event
from atoll.model.delivery import Delivery, DeliveryOutcome, FileOutcome, Replay
from atoll.model.ledger import AuditEvent, Metric
from atoll.model.person import PLATFORM
from atoll.operations import StepContext
from atoll.ports.records import Put

_METERED = ("verify", "deidentify", "commit")


def settle(rooms: Rooms, context: StepContext, delivery: Delivery) -> None:
    """Write what became of the delivery. The delivery's version lets it happen once."""
    replay = replay_of(context.operation)
    outcome = _outcome(rooms, context, delivery)
    because = f"operation/{context.operation.id}"
    seconds = sum((Decimal(str(context.output(step)["seconds"])) for step in _METERED), Decimal(0))
    rooms.audit.record(
        AuditEvent(
            action="delivery.admit" if outcome.committed else "delivery.reject",
            target=f"delivery/{delivery.id}",
            caller=PLATFORM,
            because=because,
            details={
                "contract": outcome.contract,
                "version": outcome.dataset_version,
                "replay": replay,
                "rows_in": outcome.rows_in,
                "rows_committed": outcome.rows_committed,
                "rows_quarantined": outcome.rows_quarantined,
                "key_ids": outcome.key_ids,
            },
        ),
        Put(delivery.but(outcome=outcome) if not replay else _replayed(delivery, outcome, replay, context)),
        rooms.flow_log.append(
            admission_event(delivery, outcome, version_of(rooms, delivery.id, replay), because=because)
        ),
        rooms.usage.charge(
            metric=Metric.ADMISSION_SECONDS,
            quantity=seconds,
            user=delivery.source,
            project=None,
            dataset=delivery.dataset,
            because=because,
        ),
    )
    context.say("Settled.", rows_in=outcome.rows_in, rows_committed=outcome.rows_committed)


def _outcome(rooms: Rooms, context: StepContext, delivery: Delivery) -> DeliveryOutcome:
    """What this admission came to by itself."""
    treated = context.output("deidentify")
    committed = context.output("commit")
    lines = _held_whole(rooms, delivery, treated["files"], committed.get("hold"), replay_of(context.operation))
    files = tuple(map(_file_outcome, lines))
    return DeliveryOutcome(
        committed=committed["version"] is not None,
        contract=context.output("verify")["contract"],
        dataset_version=committed["version"],
        key_ids=treated["key_ids"],
        files=files,
        rows_in=sum(f.rows_in or 0 for f in files),
        rows_committed=sum(f.rows_committed for f in files),
        rows_quarantined=sum(f.rows_quarantined for f in files),
        bytes_in=sum(f.size_bytes for f in delivery.files),
        bytes_committed=committed["bytes"],
        finished_at=rooms.clock.now(),
    )


def _replayed(delivery: Delivery, again: DeliveryOutcome, number: int, context: StepContext) -> Delivery:
    """The delivery with a replay counted in: of what was held, so much entered after all."""
    first = delivery.outcome
    assert first is not None
    hold = context.output("commit").get("hold")
    lines = [_stays(line, hold, first.files[n]) for n, line in enumerate(context.output("deidentify")["files"])]
    files = tuple(
        _merged(before, after, line) for before, after, line in zip(first.files, again.files, lines, strict=True)
    )
    whole = first.but(
        committed=first.committed or again.committed,
        dataset_version=again.dataset_version or first.dataset_version,
        key_ids={**first.key_ids, **again.key_ids},
        files=files,
        rows_in=sum(f.rows_in or 0 for f in files),
        rows_committed=sum(f.rows_committed for f in files),
        rows_quarantined=sum(f.rows_quarantined for f in files),
        bytes_committed=first.bytes_committed + again.bytes_committed,
    )
    replay = Replay(
        number=number,
        contract=again.contract,
        dataset_version=again.dataset_version,
        rows_committed=again.rows_committed,
        rows_quarantined=whole.rows_quarantined,
        asked_by=context.operation.asked_by,
        finished_at=again.finished_at,
    )
    return delivery.but(outcome=whole, replays=(*delivery.replays, replay))


def _merged(before: FileOutcome, after: FileOutcome, line: Mapping[str, Any]) -> FileOutcome:
    if line.get("passed") or line.get("kept"):
        return before
    if not before.accepted:
        return after  # the file was held whole, and is read as if it were new
    return before.but(
        # A record that was held as one row may have become several, or none.
        rows_in=(before.rows_in or 0) - before.rows_quarantined + (after.rows_in or 0),
        rows_committed=before.rows_committed + after.rows_committed,
        rows_quarantined=after.rows_quarantined,
        tables={t: before.tables.get(t, 0) + after.tables.get(t, 0) for t in {**before.tables, **after.tables}},
    )


def _held_whole(
    rooms: Rooms, delivery: Delivery, lines: Sequence[Mapping[str, Any]], hold: Mapping[str, str] | None, replay: int
) -> Sequence[Mapping[str, Any]]:
    """The lines of the files, where the delivery is held: none of them has entered.

    In a replay, rows of a file that were held one by one stay so.
    """
    if hold is None:
        return lines
    before = delivery.outcome.files if replay and delivery.outcome is not None else None
    after = []
    for index, line in enumerate(lines):
        known = None if before is None else before[index]
        if known is not None and known.accepted and not line.get("passed") and not line.get("kept"):
            rooms.quarantine.keep_held(delivery.id, index, replay)
        after.append(_stays(line, hold, known))
    return after


def _stays(
    line: Mapping[str, Any], hold: Mapping[str, str] | None, before: FileOutcome | None = None
) -> Mapping[str, Any]:
    report = line["report"]
    if hold is None or not report or report["rule"]:
        return line
    if before is not None and before.accepted:
        return {"name": line["name"], "table": line["table"], "report": None, "kept": True}
    held = {"rows_committed": 0, "rows_held": report["rows_in"], "staged": None, "also_staged": ()}
    return {**line, "report": {**report, **held, "rule": hold["rule"], "message": hold["message"]}}


def _file_outcome(line: Mapping[str, Any]) -> FileOutcome:
    name = line["name"]
    if line.get("passed") or line.get("kept"):
        return FileOutcome(name=name, table=line["table"], accepted=True, rows_in=0)
    if line["report"] is None:
        return FileOutcome(
            name=name,
            table=None,
            accepted=False,
            rule=line.get("rule", "unexpected_file"),
            message=line.get("message", "No table of the contract takes a file of this name."),
        )
    report = FileReport.model_validate(line["report"])
    return FileOutcome(
        name=name,
        table=report.table,
        accepted=not report.rule,
        rows_in=report.rows_in,
        rows_committed=report.rows_committed,
        rows_quarantined=report.rows_held,
        rule=report.rule,
        message=report.message,
        left_out=report.left_out,
        drift=report.drift,
        tables={file.table: file.rows for file in report.all_staged} if report.also_staged else {},
    )

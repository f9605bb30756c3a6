"""Submitted files are looked into, each in a process of its own; then they go to reviewers, or back.

May be killed anywhere: nothing is written before all is known, and then in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from atoll.access import airlock_policies
from atoll.airlock import Earlier, Job, Limits, Pseudonym, check_file
from atoll.deid import parse_contract
from atoll.errors import IntegrityBroken
from atoll.flows import publish_contract
from atoll.flows.rooms import Rooms
from atoll.flows.write_airlock import found, write
from atoll.model.airlock import AirlockFile, AirlockFinding, AirlockRequest, AirlockState, Direction, Severity
from atoll.model.contract import Pseudonymize
from atoll.model.dataset import Dataset
from atoll.model.operation import Failure, Operation
from atoll.model.person import PLATFORM, Caller
from atoll.operations import StepContext, Story
from atoll.ports.records import every

STORY = "check_airlock"
#: Released before: so many files, the newest, and so many bytes are held against a new one.
_EARLIER_FILES = 100
_EARLIER_BYTES = 2**26
_TABULAR = frozenset({"csv", "tsv", "txt", "json", "ndjson", "jsonl", "xlsx", "parquet", "arrow", "html", "notebook"})


def plan(rooms: Rooms, caller: Caller, request_id: str) -> Operation:
    """The operation that checks the request, not yet on record."""
    return rooms.operations.plan(
        story=STORY,
        subject=f"airlock_request/{request_id}",
        steps=("check",),
        caller=caller,
        deadline_seconds=airlock_policies.MAX_FILES * rooms.settings.airlock_check_seconds + 600,
        params={"request": request_id},
    )


def story(rooms: Rooms) -> Story:
    """The story for the runner."""
    return Story(name=STORY, steps=(("check", partial(check, rooms)),), abandon=partial(abandon, rooms))


def check(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Look into every file; what is found decides where the request goes."""
    request_id = context.operation.params["request"]
    request, _ = found(rooms, request_id)
    if not _is_ours(request, context):
        return {}
    pseudonyms = tuple(_pseudonyms(rooms))
    earlier, unread = _readable(rooms, request) if request.direction is Direction.OUT else ((), ())
    checked: list[AirlockFile] = []
    for index, file in enumerate(request.files):
        seen = _look(rooms, request, index, file, pseudonyms, earlier)
        checked.append(seen.but(findings=(*(seen.findings or ()), *(_not_compared(index, label) for label in unread))))
        context.progress((index + 1) / len(request.files))
        context.say(
            f"File {index} is looked into.",
            form=checked[-1].form,
            findings=sorted({f.check for f in checked[-1].findings or ()}),
        )

    def change(newest: AirlockRequest, _project: object) -> AirlockRequest:
        return airlock_policies.checked(newest, checked, rooms.clock.now())

    if not _is_ours(found(rooms, request_id)[0], context):
        return {}
    facts = {"refused": [n for n, file in enumerate(checked) if file.refused], "round": request.round}
    write(rooms, PLATFORM, request_id, "check", change, details=facts, because=f"operation/{context.operation.id}")
    return {}


def abandon(rooms: Rooms, context: StepContext, failure: Failure) -> None:
    """The checks could not be done: back to who asked, who may submit again."""
    request_id = context.operation.params["request"]
    if not _is_ours(found(rooms, request_id)[0], context):
        return
    write(
        rooms,
        PLATFORM,
        request_id,
        "check_fail",
        lambda newest, _project: airlock_policies.unchecked(newest, rooms.clock.now()),
        details={"error_code": failure.error_code},
        because=f"operation/{context.operation.id}",
    )


def _is_ours(request: AirlockRequest, context: StepContext) -> bool:
    """Whether it still waits for this very operation; it may be withdrawn, or be done already."""
    return request.state is AirlockState.CHECKING and request.operation_id == context.operation.id


def _look(
    rooms: Rooms,
    request: AirlockRequest,
    index: int,
    file: AirlockFile,
    pseudonyms: tuple[Pseudonym, ...],
    earlier: tuple[tuple[str, str, bytes], ...],
) -> AirlockFile:
    content = rooms.airlock.whole(file)
    job = Job(
        index=index,
        name=file.name,
        size_bytes=file.size_bytes,
        direction=request.direction,
        threshold=rooms.settings.airlock_threshold,
        pseudonyms=pseudonyms,
        earlier=tuple(Earlier(label=label, name=name, size_bytes=len(old)) for label, name, old in earlier),
        limits=Limits(seconds=rooms.settings.airlock_check_seconds),
    )
    report = check_file(job, content, [old for _, _, old in earlier])
    return file.but(form=report.form, findings=report.findings)


def _pseudonyms(rooms: Rooms) -> Iterator[Pseudonym]:
    """How pseudonyms look by the contracts in force."""
    shapes: set[tuple[str, int]] = set()
    for dataset in every(rooms.records, Dataset):
        version = publish_contract.latest_or_none(rooms, dataset.id)
        contract = None if version is None else parse_contract(version.text)
        for table in contract.tables.values() if contract else ():
            shapes |= {(rule.prefix, rule.length) for rule in table.columns.values() if isinstance(rule, Pseudonymize)}
    for prefix, length in sorted(shapes):
        yield Pseudonym(prefix=prefix, length=length)


def _readable(rooms: Rooms, request: AirlockRequest) -> tuple[tuple[tuple[str, str, bytes], ...], tuple[str, ...]]:
    """Label, name and content of earlier releases; and the labels of those that are broken on the disk."""
    read: list[tuple[str, str, bytes]] = []
    broken: list[str] = []
    for label, file in _earlier(rooms, request):
        try:
            read.append((label, file.name, rooms.airlock.whole(file)))
        except IntegrityBroken:
            broken.append(label)
    return tuple(read), tuple(broken)


def _not_compared(index: int, label: str) -> AirlockFinding:
    return AirlockFinding(
        check="difference",
        severity=Severity.WARN,
        file=index,
        message=f"What left with {label} is broken on the disk, so nothing could be compared with it.",
        todo="Compare by hand; have the disk examined.",
    )


def _earlier(rooms: Rooms, request: AirlockRequest) -> Iterator[tuple[str, AirlockFile]]:
    """Tables that left the project before, the newest first."""
    count = size_bytes = 0
    for other in every(rooms.records, AirlockRequest, {"project": request.project}, newest_first=True):
        if other.direction is not Direction.OUT or other.id == request.id or other.released_at is None:
            continue
        for index in sorted(airlock_policies.approved(other)):
            file = other.files[index]
            size_bytes += file.size_bytes
            count += 1
            if count > _EARLIER_FILES or size_bytes > _EARLIER_BYTES:
                return
            if file.form in _TABULAR:
                yield f"{other.id}, file {index}", file

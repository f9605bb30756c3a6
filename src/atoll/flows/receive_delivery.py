"""A source hands files over: manifest, files, submission. Then the admission takes over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atoll.access import permissions
from atoll.access.directory import source_by_name
from atoll.errors import AlreadyExists, Conflict, InvalidInput, NotFound, NotPermitted, VersionConflict
from atoll.flows import admit_delivery, publish_contract
from atoll.flows.rooms import Rooms
from atoll.model.delivery import Delivery, DeliveryState, ManifestFile, QuarantinedRow, manifest_id
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Operation, OperationState
from atoll.model.person import Caller, SubjectKind
from atoll.model.record import new_id
from atoll.ports.records import Put

_MAX_FILES = 10_000


@dataclass(frozen=True)
class DeliveryView:
    """A delivery with what is derived from elsewhere.

    `received` tells for each file of the manifest whether it is whole and verified here.
    """

    delivery: Delivery
    state: DeliveryState
    received: tuple[bool, ...]
    #: Bytes of each file that are here, those of unfinished ones too.
    arrived: tuple[int, ...]
    operation: Operation | None


@dataclass(frozen=True)
class Arrived:
    """How much of a file is here, and whether that is all of it, verified."""

    arrived_bytes: int
    whole: bool


@dataclass(frozen=True)
class DeliveryPage:
    """Some deliveries, and where the next ones begin."""

    views: tuple[DeliveryView, ...]
    cursor: str | None


def open_delivery(
    rooms: Rooms, caller: Caller, source: str, dataset: str, files: tuple[ManifestFile, ...]
) -> tuple[Delivery, bool]:
    """Announce a delivery by its manifest; True when it is new.

    The same files from the same source to the same dataset are the same delivery,
    whatever became of it. Raises `InvalidInput` for a manifest that cannot be, `NotFound`
    for a source or dataset that is not there, `NotPermitted` when the source may not
    deliver to the dataset.
    """
    _check_manifest(rooms, files)
    permissions.deliver_for(caller, source_by_name(rooms.records, source), dataset)
    publish_contract.latest(rooms, dataset)
    identity = manifest_id(source, dataset, files)
    known = _by_manifest(rooms, identity)
    if known is not None:
        return known, False
    delivery = Delivery(
        id=new_id("dlv"),
        manifest_id=identity,
        source=source,
        dataset=dataset,
        files=tuple(sorted(files, key=lambda f: f.name)),
        opened_by=caller.name,
        opened_at=rooms.clock.now(),
    )
    event = AuditEvent(
        action="delivery.open",
        target=f"delivery/{delivery.id}",
        caller=caller,
        details={
            "source": source,
            "dataset": dataset,
            "files": len(files),
            "bytes": sum(f.size_bytes for f in files),
        },
    )
    try:
        rooms.audit.record(event, Put(delivery))
    except AlreadyExists:
        # Somebody opened the same delivery at the same time: theirs holds.
        known = _by_manifest(rooms, identity)
        if known is None:
            raise
        return known, False
    return rooms.records.get(Delivery, delivery.id), True


def receive_file(rooms: Rooms, caller: Caller, delivery_id: str, index: int, chunks: Iterable[bytes]) -> Delivery:
    """Take one file's content; it is checked against the manifest while it streams.

    A file that is already here whole is left as it is, and its content not read.
    After a failed admission a file that it found broken can be sent again. Raises
    `DeliveryRefused` when size or SHA-256 differ (nothing is kept then), `Conflict`
    while the delivery is being admitted and after.
    """
    delivery, here = _file_to_come(rooms, caller, delivery_id, index)
    if not here:
        rooms.landing.receive(delivery, index, chunks)
        _record_file(rooms, caller, delivery, index)
    return delivery


def receive_part(
    rooms: Rooms,
    caller: Caller,
    delivery_id: str,
    index: int,
    offset: int,
    chunks: Iterable[bytes],
    sha256: str | None = None,
) -> Arrived:
    """Take a part of one file, which begins where the last one ended; `sha256` is of the part.

    What came of a broken connection stays,
    but for a part with a checksum, which is taken whole or not at all. Raises what
    `receive_file` does, and `WrongOffset` for a part that begins elsewhere.
    """
    delivery, here = _file_to_come(rooms, caller, delivery_id, index)
    size_bytes = delivery.files[index].size_bytes
    if here:
        return Arrived(size_bytes, whole=True)
    end = rooms.landing.append(delivery, index, offset, chunks, sha256)
    if end == size_bytes:
        _record_file(rooms, caller, delivery, index)
    return Arrived(end, whole=end == size_bytes)


def _file_to_come(rooms: Rooms, caller: Caller, delivery_id: str, index: int) -> tuple[Delivery, bool]:
    """The delivery, and whether the file is here whole. Raises `NotFound`, `NotPermitted`, `Conflict`."""
    delivery = rooms.records.get(Delivery, delivery_id)
    permissions.change_delivery(caller, delivery)
    if not 0 <= index < len(delivery.files):
        raise NotFound(f"The manifest has no file {index}.", where=delivery_id, todo="Count from 0 in manifest order.")
    here = rooms.landing.received(delivery)[index]
    if not here and _is_closed(rooms, delivery):
        raise Conflict("The delivery was submitted; its files are closed.", where=delivery_id)
    return delivery, here


def _record_file(rooms: Rooms, caller: Caller, delivery: Delivery, index: int) -> None:
    rooms.audit.record(
        AuditEvent(
            action="delivery.receive",
            target=f"delivery/{delivery.id}",
            caller=caller,
            details={"file": index, "bytes": delivery.files[index].size_bytes},
        )
    )


def submit(rooms: Rooms, caller: Caller, delivery_id: str) -> Delivery:
    """Hand the delivery to admission. Again is no harm: what is under way or settled stays.

    A delivery whose admission failed is tried anew. Raises `Conflict` when files are missing.
    """
    delivery = rooms.records.get(Delivery, delivery_id)
    permissions.change_delivery(caller, delivery)
    if _is_closed(rooms, delivery):
        return delivery
    missing = [n for n, here in enumerate(rooms.landing.received(delivery)) if not here]
    if missing:
        raise Conflict(
            f"{len(missing)} of {len(delivery.files)} files are not here yet, the first is file {missing[0]}.",
            where=delivery_id,
            todo="Upload them, then submit again.",
        )
    operation = admit_delivery.plan(rooms, caller, delivery)
    submitted = delivery.but(operation_id=operation.id, submitted_at=delivery.submitted_at or rooms.clock.now())
    event = AuditEvent(
        action="delivery.submit", target=f"delivery/{delivery_id}", caller=caller, because=f"operation/{operation.id}"
    )
    try:
        rooms.audit.record(event, Put(submitted), Put(operation))
    except (VersionConflict, AlreadyExists):
        # Somebody submitted it at the same time: theirs holds.
        return rooms.records.get(Delivery, delivery_id)
    rooms.operations.woken.set()
    return rooms.records.get(Delivery, delivery_id)


def list_deliveries(
    rooms: Rooms,
    caller: Caller,
    source: str | None = None,
    dataset: str | None = None,
    state: DeliveryState | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> DeliveryPage:
    """Deliveries, newest first, of one source, dataset or state if given; a source sees its own only.

    States are derived: with `state` a page may hold fewer than `limit` and still have a cursor.
    """
    where = {}
    if caller.subject_kind is SubjectKind.SOURCE:
        if source not in (None, caller.name):
            raise NotPermitted("A source sees its own deliveries only.", where=f"source/{source}")
        source = caller.name
    if source is not None:
        where["source"] = source
    if dataset is not None:
        where["dataset"] = dataset
    page = rooms.records.find(Delivery, where=where, cursor=cursor, limit=limit, newest_first=True)
    views = (view(rooms, delivery) for delivery in page.records)
    return DeliveryPage(tuple(found for found in views if state in (None, found.state)), page.cursor)


def view(rooms: Rooms, delivery: Delivery) -> DeliveryView:
    """The delivery with its state, files and operation."""
    operation = rooms.operations.get(delivery.operation_id) if delivery.operation_id else None
    if delivery.purged_at is not None:
        received: tuple[bool, ...] = (True,) * len(delivery.files)
        arrived = tuple(file.size_bytes for file in delivery.files)
    else:
        received = rooms.landing.received(delivery)
        arrived = rooms.landing.arrived(delivery)
    return DeliveryView(delivery, delivery.state(operation), received, arrived, operation)


def show(rooms: Rooms, caller: Caller, delivery_id: str) -> DeliveryView:
    """One delivery. Raises `NotFound`, also for another source's delivery."""
    delivery = rooms.records.get(Delivery, delivery_id)
    permissions.see_delivery(caller, delivery)
    return view(rooms, delivery)


def quarantined(
    rooms: Rooms, caller: Caller, delivery_id: str, limit: int = 100, offset: int = 0
) -> tuple[QuarantinedRow, ...]:
    """Rejected rows with masked values: the source and stewards can mend them by place and rule."""
    delivery = rooms.records.get(Delivery, delivery_id)
    permissions.see_quarantine(caller, delivery)
    return rooms.quarantine.masked_rows(delivery.id, limit, offset, replay=len(delivery.replays))


def _is_closed(rooms: Rooms, delivery: Delivery) -> bool:
    """Whether the delivery is under admission, settled or rejected; after a failed admission it is open again."""
    if delivery.outcome is not None or delivery.rejection is not None:
        return True
    if delivery.operation_id is None:
        return False
    last = rooms.operations.get(delivery.operation_id)
    return last.open or last.state is OperationState.SUCCEEDED


def _by_manifest(rooms: Rooms, identity: str) -> Delivery | None:
    page = rooms.records.find(Delivery, where={"manifest_id": identity}, limit=1)
    return page.records[0] if page.records else None


def _check_manifest(rooms: Rooms, files: tuple[ManifestFile, ...]) -> None:
    if not 1 <= len(files) <= _MAX_FILES:
        raise InvalidInput(f"A delivery has 1 to {_MAX_FILES} files, this one has {len(files)}.")
    if len({f.name for f in files}) != len(files):
        raise InvalidInput("Two files of the manifest have the same name.", todo="Name each file once.")
    for number, file in enumerate(files):
        unsafe = "/" in file.name or "\\" in file.name or any(ord(c) < 32 for c in file.name)
        if unsafe or file.name in (".", ".."):
            raise InvalidInput(
                "A file name holds a path or control characters.", where=f"file {number}", todo="Give plain names."
            )
        if file.size_bytes > rooms.settings.upload_max_bytes:
            raise InvalidInput(
                f"A file is larger than {rooms.settings.upload_max_bytes} bytes.",
                where=f"file {number}",
                todo="Split it, or have the operator raise ATOLL_UPLOAD_MAX_BYTES.",
            )

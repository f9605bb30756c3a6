"""Folders that sources left in an inbox become deliveries, once each, and get a receipt."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from atoll.access.directory import source_by_name
from atoll.errors import AtollError, DeliveryRefused, InvalidInput, NotFound, Unavailable
from atoll.flows import receive_delivery
from atoll.flows.manage_source_keys import caller_by_key
from atoll.flows.rooms import Rooms
from atoll.model.delivery import Delivery, DeliveryState, ManifestFile
from atoll.ports.inbox import MANIFEST, RECEIPT, UNFINISHED, Drop, DroppedFile, Inbox

log = logging.getLogger(__name__)

_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
_MANIFEST_BYTES = 4 * 2**20
_RECEIPT_BYTES = 64 * 2**10
_DELIVERY = re.compile(r"^Delivery: (dlv_[0-9a-z]{1,64})$", re.MULTILINE)
_SETTLED = (DeliveryState.COMMITTED, DeliveryState.REJECTED, DeliveryState.FAILED)


def collect_drops(rooms: Rooms, inboxes: Sequence[Inbox]) -> int:
    """Take in every complete folder; how many were submitted.

    A folder is complete when it holds `SHA256SUMS` and every file that this names. Its
    files are received and checked like any upload, and leave the inbox when the delivery
    is submitted; killed anywhere, the next round goes on. What is wrong is told in
    `RECEIPT.txt`, and the folder tried again once something in it changes.
    """
    count = 0
    for inbox in inboxes:
        for drop in inbox.drops():
            try:
                count += _collect(rooms, inbox, drop)
            except NotFound:
                continue  # it went away meanwhile
            except Unavailable as problem:
                log.warning(
                    "A folder of the inbox waits.", extra={"fields": {"source": drop.source, "what": problem.what}}
                )
    return count


def _collect(rooms: Rooms, inbox: Inbox, drop: Drop) -> int:
    files = inbox.files(drop)
    if MANIFEST not in files:
        if RECEIPT in files:
            _follow_up(rooms, inbox, drop, files)
        return 0
    others = _without_receipt(files)
    written_at = max(file.written_at for file in others.values())
    if RECEIPT in files and files[RECEIPT].written_at > written_at:
        return 0
    delivered = _judge(rooms, inbox, drop, files, written_at)
    if not delivered and _without_receipt(inbox.files(drop)) != others:
        # What was judged was still being written: what a receipt says of it would stand for what came since.
        inbox.remove(drop, (RECEIPT,))
    return delivered


def _without_receipt(files: Mapping[str, DroppedFile]) -> Mapping[str, DroppedFile]:
    return {name: file for name, file in files.items() if name != RECEIPT}


def _judge(rooms: Rooms, inbox: Inbox, drop: Drop, files: Mapping[str, DroppedFile], written_at: datetime) -> int:
    """Deliver the folder, last written to at that time, or tell what is wrong with it; how many deliveries."""
    settled = rooms.clock.now() - written_at >= timedelta(seconds=rooms.settings.inbox_settle_seconds)
    try:
        return _deliver(rooms, inbox, drop, files, settled=settled)
    except Unavailable:
        raise
    except AtollError as refused:
        # A file that is still being written is not what its manifest says, yet.
        if settled or not isinstance(refused, (DeliveryRefused, InvalidInput)):
            _tell(
                inbox,
                drop,
                f"Refused. {refused.what}",
                f"Where: {refused.where}" if refused.where else "",
                refused.todo,
            )
        return 0


def _deliver(rooms: Rooms, inbox: Inbox, drop: Drop, files: Mapping[str, DroppedFile], *, settled: bool) -> int:
    manifest = _read_manifest(inbox, drop, files)
    missing = [name for name, _ in manifest if name not in files]
    if missing:
        if settled:
            _tell(inbox, drop, f"Waiting: {len(missing)} of {len(manifest)} files of {MANIFEST} are not here.")
        return 0
    source = source_by_name(rooms.records, drop.source)
    if not source.active:
        return 0
    caller = caller_by_key(rooms, source, f"inbox/{inbox.way}")
    named = tuple(ManifestFile(name=name, size_bytes=files[name].size_bytes, sha256=sha) for name, sha in manifest)
    delivery, new = receive_delivery.open_delivery(rooms, caller, drop.source, drop.dataset, named)
    here = receive_delivery.view(rooms, delivery).received
    for index, file in enumerate(delivery.files):
        if not here[index]:
            receive_delivery.receive_file(rooms, caller, delivery.id, index, inbox.read(drop, file.name))
    receive_delivery.submit(rooms, caller, delivery.id)
    extra = len(set(files) - {file.name for file in named} - {MANIFEST, RECEIPT})
    _tell(
        inbox,
        drop,
        "Received." if new else "Received; the same files had been delivered before.",
        f"Delivery: {delivery.id}",
        f"Files: {len(named)}, {sum(file.size_bytes for file in named)} bytes",
        f"Not named by {MANIFEST} and left here: {extra}" if extra else "",
    )
    inbox.remove(drop, (*(file.name for file in named), MANIFEST))
    return 1


def _read_manifest(inbox: Inbox, drop: Drop, files: Mapping[str, DroppedFile]) -> list[tuple[str, str]]:
    """Name and SHA-256 of each file, in the order of the manifest. Raises `InvalidInput`."""
    if files[MANIFEST].size_bytes > _MANIFEST_BYTES:
        raise InvalidInput(f"{MANIFEST} is larger than {_MANIFEST_BYTES} bytes.", todo="Make several deliveries.")
    try:
        text = b"".join(inbox.read(drop, MANIFEST)).decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"{MANIFEST} is no UTF-8 text.", todo=_HOW) from None
    named: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        name = found[2].removeprefix("./") if found else ""
        if found is None or name in named or name in (MANIFEST, RECEIPT) or name.lower().endswith(UNFINISHED):
            raise InvalidInput(f"A line of {MANIFEST} cannot be taken.", where=f"line {number}", todo=_HOW)
        named[name] = found[1].lower()
    if not named:
        raise InvalidInput(f"{MANIFEST} names no file.", todo=_HOW)
    return list(named.items())


_HOW = f"Write it as the last file, with `sha256sum FILES > {MANIFEST}`: a checksum, two spaces, a name, once each."


def _follow_up(rooms: Rooms, inbox: Inbox, drop: Drop, files: Mapping[str, DroppedFile]) -> None:
    """What became of a delivery goes into its receipt; an old receipt goes."""
    age = rooms.clock.now() - files[RECEIPT].written_at
    if age > timedelta(days=rooms.settings.raw_retention_days):
        inbox.remove(drop, (RECEIPT,))
        return
    if files[RECEIPT].size_bytes > _RECEIPT_BYTES:
        return
    text = b"".join(inbox.read(drop, RECEIPT)).decode(errors="replace")
    found = _DELIVERY.search(text)
    if found is None:
        return
    try:
        view = receive_delivery.view(rooms, rooms.records.get(Delivery, found[1]))
    except NotFound:
        return
    if view.delivery.source != drop.source or view.state not in _SETTLED:
        return
    lines = [f"State: {view.state.value}"]
    if view.delivery.outcome is not None:
        outcome = view.delivery.outcome
        lines.append(
            f"Rows: {outcome.rows_in} read, {outcome.rows_committed} committed, {outcome.rows_quarantined} held"
        )
    if not all(line in text for line in lines):
        kept = [line for line in text.splitlines() if not line.startswith(("State: ", "Rows: "))]
        _tell(inbox, drop, *kept, *lines)


def _tell(inbox: Inbox, drop: Drop, *lines: str) -> None:
    content = "".join(f"{line}\n" for line in lines if line).encode()
    log.info(
        "A folder of the inbox has a receipt.",
        extra={
            "fields": {
                "source": drop.source,
                "dataset": drop.dataset,
                "digest": hashlib.sha256(content).hexdigest()[:12],
            }
        },
    )
    inbox.write(drop, RECEIPT, content)

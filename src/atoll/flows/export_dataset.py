"""A dataset with its contracts and history in one sealed archive, to be kept elsewhere.

A head tells the archive's id and its key, sealed by the master key: who has the archive and
not the master key can read nothing of it. What follows is a tar: `history.json`, the data
files of every version that can be read, and last `files.json` with the SHA-256 of each.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from atoll.deid import DomainKey, parse_contract
from atoll.errors import Conflict, NotFound, Unavailable
from atoll.flows import change_key
from atoll.flows.rooms import Rooms
from atoll.lake import Restoring, SealedWriter
from atoll.model.contract import ContractVersion
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.delivery import Delivery
from atoll.model.export import ArchivedFile, ArchiveList, ExportedDataset, ExportedSnapshot
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.record import new_id
from atoll.ports.records import every

MAGIC = b"atoll dataset export 1\n"
HISTORY = "history.json"
LISTED = "files.json"


class Told(NamedTuple):
    """What was exported or imported."""

    id: str
    dataset: str
    versions: int
    files: int
    path: str


class _Reads(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def export(rooms: Rooms, name: str, target: Path, *, account: str) -> Told:
    """Write the archive, of mode 0600, to a new file, or into a directory under a name of its own.

    `account` is who runs this on the host, for the audit. Deliveries, readers and maintenance
    go on meanwhile. Raises `NotFound`; `Conflict` when the file is there, or a version expired
    in the midst; `Unavailable` when it cannot be written.
    """
    history = _history(rooms, name)
    if target.is_dir():
        target = target / f"{name}-{history.dataset.latest}-{history.id}.atoll"
    if target.exists():
        raise Conflict("There is a file of this name.", where=str(target), todo="Name another.")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            files = _write(rooms, history, out)
            out.flush()
            os.fsync(out.fileno())
        event = AuditEvent(
            action="dataset.export",
            target=f"dataset/{name}",
            caller=PLATFORM,
            details={"export": history.id, "version": history.dataset.latest, "files": files, "account": account},
        )
        rooms.audit.record(event)
        part.rename(target)
    except FileNotFoundError as problem:
        raise Conflict(
            "A file is gone: a version expired, or the directory is not there.",
            where=str(problem.filename),
            todo="Look at the directory; export again.",
        ) from None
    except OSError as problem:
        raise Unavailable(f"The archive cannot be written: {problem.strerror}.", where=str(target)) from None
    finally:
        part.unlink(missing_ok=True)
    return Told(history.id, name, len(history.versions), files, str(target))


def _history(rooms: Rooms, name: str) -> ExportedDataset:
    dataset = rooms.records.get(Dataset, name)
    found = every(rooms.records, DatasetVersion, {"dataset": name})
    # One that is committed at this moment is not of this export.
    versions = tuple(sorted((v for v in found if v.number <= dataset.latest), key=lambda v: v.number))
    contracts = tuple(sorted(every(rooms.records, ContractVersion, {"dataset": name}), key=lambda c: c.number))
    domains = sorted({domain for contract in contracts for domain in parse_contract(contract.text).domains})
    settled = (d for d in every(rooms.records, Delivery, {"dataset": name}) if d.outcome or d.rejection)
    return ExportedDataset(
        id=new_id("exp"),
        exported_at=rooms.clock.now(),
        dataset=dataset,
        contracts=contracts,
        versions=versions,
        deliveries=tuple(settled),
        keys=tuple(_key(rooms, domain).model_dump(mode="json") for domain in domains),
        snapshots=tuple(_snapshots(rooms, versions)),
    )


def _key(rooms: Rooms, domain: str) -> DomainKey:
    """The record, which tells of all the keys that are gone: changes of keys do not travel."""
    key = rooms.records.get(DomainKey, domain)
    return key.but(gone=tuple(sorted(change_key.key_ids(rooms, domain) - key.but(gone=()).ids())))


def _snapshots(rooms: Rooms, versions: tuple[DatasetVersion, ...]) -> Iterator[ExportedSnapshot]:
    """Each snapshot that a version binds, once."""
    restoring = Restoring(rooms.lake)
    before: dict[str, tuple[int, frozenset[str]]] = {}
    for version in versions:
        for state in version.tables if version.live else ():
            last, held = before.get(state.table, (0, frozenset()))
            if state.snapshot_id == last:
                continue
            root = restoring.data(version.dataset, state.table)
            try:
                plan = rooms.lake.plan(version.dataset, state.table, state.snapshot_id)
                summary = restoring.summary(version.dataset, state.table, state.snapshot_id)
            except NotFound:
                raise Conflict(
                    "A version expired in the midst.", where=f"dataset/{version.id}", todo="Export again."
                ) from None
            now = frozenset(str(Path(file.path).relative_to(root)) for file in plan.files)
            before[state.table] = (state.snapshot_id, now)
            yield ExportedSnapshot(
                table=state.table,
                snapshot_id=state.snapshot_id,
                came=tuple(sorted(now - held)),
                gone=tuple(sorted(held - now)),
                summary=summary,
            )


def _write(rooms: Rooms, history: ExportedDataset, out: BinaryIO) -> int:
    """The whole archive; how many data files."""
    key = secrets.token_bytes(32)
    head = {"id": history.id, "key": rooms.keyring.seal(key, context=context(history.id))}
    out.write(MAGIC + json.dumps(head).encode() + b"\n")
    sealed = SealedWriter(out, key, history.id)
    listed: dict[str, ArchivedFile] = {}
    restoring = Restoring(rooms.lake)
    with tarfile.open(fileobj=sealed, mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]  # it only writes
        text = history.model_dump_json().encode()
        listed[HISTORY] = _add(tar, HISTORY, io.BytesIO(text), len(text))
        for snapshot in history.snapshots:
            root = restoring.data(history.dataset.id, snapshot.table)
            for path in snapshot.came:
                member = f"data/{snapshot.table}/{path}"
                # A file that a rewriting took out and a later version still has comes once.
                if member not in listed:
                    with (root / path).open("rb") as file:
                        listed[member] = _add(tar, member, file, os.fstat(file.fileno()).st_size)
        text = ArchiveList(id=history.id, files=listed).model_dump_json().encode()
        _add(tar, LISTED, io.BytesIO(text), len(text))
    sealed.finish()
    return len(listed) - 1


def _add(tar: tarfile.TarFile, name: str, source: _Reads, size_bytes: int) -> ArchivedFile:
    member = tarfile.TarInfo(name)
    member.size = size_bytes
    hashing = Hashing(source)
    tar.addfile(member, hashing)
    return ArchivedFile(size_bytes=size_bytes, sha256=hashing.digest())


class Hashing:
    """Reads on, and hashes what it reads."""

    def __init__(self, source: _Reads) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As the source."""
        data = self._source.read(size)
        self._hash.update(data)
        return data

    def digest(self) -> str:
        """Hexadecimal SHA-256 of all that was read."""
        return self._hash.hexdigest()


def context(export_id: str) -> str:
    """What the master key binds an archive's key to."""
    return f"dataset-export/{export_id}"

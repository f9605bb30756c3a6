"""A dataset brought back from its archive, to a platform that does not have it.

Nothing takes effect before every byte was checked, and the dataset's own record is written
last: one that is killed leaves nothing that anybody sees, and the next begins anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pydantic

from atoll.deid import DomainKey
from atoll.errors import AlreadyExists, Conflict, IntegrityBroken, InvalidInput, NotFound, Unavailable
from atoll.flows import change_key, publish_contract
from atoll.flows.export_dataset import HISTORY, LISTED, MAGIC, Hashing, Told, context
from atoll.flows.rooms import Rooms
from atoll.lake import Restoring, SealedReader
from atoll.model.contract import ContractVersion
from atoll.model.dataset import Dataset, DatasetVersion, TableState
from atoll.model.delivery import Delivery
from atoll.model.erasure import Erasure
from atoll.model.export import ArchivedFile, ArchiveList, ExportedDataset
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM
from atoll.model.record import Record
from atoll.model.table import TableSchema
from atoll.ports.records import Delete, Put, every

_MEMBER = re.compile(r"data/[A-Za-z]\w{0,127}/[A-Za-z]\w{0,127}/[A-Za-z0-9_-]{1,128}\.parquet", re.ASCII)
_AT_ONCE = 40
_CHUNK = 2**20
_LONGEST_HEAD = 4096


def import_(rooms: Rooms, source: Path, *, account: str) -> Told:
    """Bring the dataset of the archive back, with its versions, contracts and settled deliveries.

    The master key must be the one that sealed it. Keys of domains come with it, but those that
    were destroyed here; where the domain has a key, they only find what they made. Raises
    `AlreadyExists` when the platform has the dataset, `Conflict` when a person was erased from
    it since the export or another import runs, `ContractInvalid` when its contract does not
    agree with those in force, `IntegrityBroken` for an archive that is not as it was written,
    `InvalidInput` for no archive.
    """
    with _alone(rooms), _unpacking(rooms) as place:
        history = _unpacked(rooms, source, place)
        name = history.dataset.id
        _check(rooms, history)
        _clear(rooms, name)
        tables = _tables(rooms, history, place)
        strange = _bind(rooms, history, tables)
        event = AuditEvent(
            action="dataset.import",
            target=f"dataset/{name}",
            caller=PLATFORM,
            details={
                "export": history.id,
                "exported_at": history.exported_at.isoformat(),
                "version": history.dataset.latest,
                "other_keys": strange,
                "account": account,
            },
        )
        rooms.audit.record(event, Put(history.dataset.but(version=0)))
    files = sum(len(snapshot.came) for snapshot in history.snapshots)
    return Told(history.id, name, len(history.versions), files, str(source))


@contextmanager
def _alone(rooms: Rooms) -> Iterator[None]:
    """One import at a time on this home. The lock goes with the process, however that ends."""
    descriptor = os.open(rooms.settings.home_dir / "importing", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Conflict("Another import runs.", where="import", todo="Wait until it has ended.") from None
    finally:
        os.close(descriptor)


@contextmanager
def _unpacking(rooms: Rooms) -> Iterator[Path]:
    """A directory (0700) on the lake's disk, so that files need only be renamed; emptied before and after."""
    place = rooms.lake.warehouse / ".import"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _unpacked(rooms: Rooms, source: Path, place: Path) -> ExportedDataset:
    """What the archive says, after its files were put below `place` and every checksum held."""
    try:
        with source.open("rb") as file:
            head = _head(file, source)
            key = rooms.keyring.open_sealed(head["key"], context=context(head["id"]))
            found = _extracted(SealedReader(file, key, head["id"]), place)
    except OSError as problem:
        raise Unavailable(f"The archive cannot be read: {problem.strerror}.", where=str(source)) from None
    try:
        listed = ArchiveList.model_validate_json((place / LISTED).read_bytes())
        history = ExportedDataset.model_validate_json((place / HISTORY).read_bytes())
    except (OSError, pydantic.ValidationError):
        raise _broken("It lacks its history, or has one of another form.", str(source)) from None
    found.pop(LISTED)
    wanted = {f"data/{s.table}/{path}" for s in history.snapshots for path in s.came} | {HISTORY}
    wrong = sorted(name for name in {*found, *listed.files, *wanted} if found.get(name) != listed.files.get(name))
    wrong += sorted(wanted - found.keys())
    if wrong or {listed.id, history.id} != {head["id"]}:
        raise _broken(f"{len(wrong)} of its files are not what its list says.", wrong[0] if wrong else str(source))
    return history


def _head(file: BinaryIO, source: Path) -> dict[str, str]:
    magic, line = file.read(len(MAGIC)), file.readline(_LONGEST_HEAD)
    try:
        head = json.loads(line) if magic == MAGIC else {}
        return {"id": str(head["id"]), "key": str(head["key"])}
    except (ValueError, KeyError, TypeError):
        raise InvalidInput("This is no export of a dataset.", where=str(source)) from None


def _extracted(sealed: SealedReader, place: Path) -> dict[str, ArchivedFile]:
    found: dict[str, ArchivedFile] = {}
    try:
        with tarfile.open(fileobj=sealed, mode="r|") as tar:  # type: ignore[call-overload]  # it only reads
            for member in tar:
                name = member.name
                if not member.isreg() or name in found or not (name in (HISTORY, LISTED) or _MEMBER.fullmatch(name)):
                    raise _broken("It has a file of a name that no export has.", name)
                content = tar.extractfile(member)
                assert content is not None
                hashing = Hashing(content)
                target = place / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    while chunk := hashing.read(_CHUNK):
                        out.write(chunk)
                    out.flush()
                    os.fsync(out.fileno())
                found[name] = ArchivedFile(size_bytes=member.size, sha256=hashing.digest())
    except tarfile.TarError:
        raise _broken("It cannot be unpacked.", "archive") from None
    sealed.finish()
    return found


def _check(rooms: Rooms, history: ExportedDataset) -> None:
    name = history.dataset.id
    try:
        rooms.records.get(Dataset, name)
    except NotFound:
        pass
    else:
        raise AlreadyExists("The platform has the dataset.", where=f"dataset/{name}", todo="Import it elsewhere.")
    if history.contracts:
        publish_contract.check_with_others(rooms, history.contracts[-1].text)
    for erasure in every(rooms.records, Erasure):
        since = erasure.done_at is not None and erasure.done_at >= history.exported_at
        if since and any(line.dataset == name for line in erasure.tables):
            raise Conflict(
                "A person was erased from the dataset after this export was made.",
                where=f"erasure/{erasure.id}",
                todo="Import a later export.",
            )


def _clear(rooms: Rooms, name: str) -> None:
    """Remove what a killed import left; without the dataset's record nobody knows of any of it."""
    left: list[Record] = []
    for kind in (DatasetVersion, ContractVersion, Delivery):
        left += every(rooms.records, kind, {"dataset": name})
    for start in range(0, len(left), _AT_ONCE):
        rooms.records.transact([Delete(record) for record in left[start : start + _AT_ONCE]])
    Restoring(rooms.lake).clear(name)


def _tables(rooms: Rooms, history: ExportedDataset, place: Path) -> dict[tuple[str, int], TableState]:
    """Each snapshot made anew, by table and the id that it had."""
    name = history.dataset.id
    restoring = Restoring(rooms.lake)
    for unpacked in sorted((place / "data").glob("*/*/*")):
        table, landing, file = unpacked.relative_to(place / "data").parts
        target = restoring.data(name, table) / landing / file
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unpacked.rename(target)
    bound = {(s.table, s.snapshot_id): s for version in history.versions if version.live for s in version.tables}
    made: dict[tuple[str, int], TableState] = {}
    for snapshot in history.snapshots:
        key = (snapshot.table, snapshot.snapshot_id)
        was = bound[key]
        schema = TableSchema(dataset=name, table=was.table, columns=was.columns, description=was.description)
        state = restoring.snapshot(schema, snapshot.came, snapshot.gone, snapshot.summary)
        if (state.rows, state.files, state.size_bytes) != (was.rows, was.files, was.size_bytes):
            raise _broken("A table did not become what it was.", f"{name}.{was.table}")
        made[key] = was.but(snapshot_id=state.snapshot_id)
    return made


def _bind(rooms: Rooms, history: ExportedDataset, tables: dict[tuple[str, int], TableState]) -> list[str]:
    """Every record but the dataset's; domains whose key here is not the one that made the pseudonyms."""
    now = rooms.clock.now()
    records: list[Record] = [contract.but(version=0) for contract in history.contracts]
    # Their files and operations stayed behind.
    records += [d.but(version=0, purged_at=d.purged_at or now, operation_id=None) for d in history.deliveries]
    for version in history.versions:
        states = tuple(tables.get((s.table, s.snapshot_id), s) if version.live else s for s in version.tables)
        records.append(version.but(version=0, tables=states))
    strange: list[str] = []
    for text in history.keys:
        key = DomainKey.model_validate(text).but(version=0)
        try:
            standing = rooms.records.get(DomainKey, key.id)
        except NotFound:
            records.append(key)
        else:
            records.append(rooms.keyring.taken_in(standing, key, change_key.key_ids(rooms, key.id)))
            strange += [key.id] if standing.key_id != key.key_id or standing.destroyed_at else []
    _put(rooms, records)
    return strange


def _put(rooms: Rooms, records: Sequence[Record]) -> None:
    for start in range(0, len(records), _AT_ONCE):
        rooms.records.transact([Put(record) for record in records[start : start + _AT_ONCE]])


def _broken(message: str, where: str) -> IntegrityBroken:
    return IntegrityBroken(f"The archive is refused. {message}", where=where, todo="Take another copy of it.")

"""One granted dataset version is laid out as a directory of Parquet files, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from atoll.access import grants
from atoll.errors import AlreadyExists, NotFound, VersionConflict
from atoll.flows import read_lake
from atoll.flows.governed_relations import part_of, relation_of, scanned_bytes
from atoll.flows.rooms import Rooms
from atoll.lake import MountStore, link_files, write_rows
from atoll.model.dataset import DatasetVersion
from atoll.model.grant import Grant
from atoll.model.ledger import Metric
from atoll.model.mount import DatasetMount
from atoll.model.query import QueryLimits, Relation
from atoll.ports.records import Put, Write

MANIFEST = "manifest.json"
#: Changes when what a directory holds is laid out otherwise, so that old ones are not taken for new.
_LAYOUT = 1
#: A whole table is written, not an answer for somebody who waits.
_SECONDS = 6 * 3600.0


@dataclass(frozen=True)
class GrantedVersion:
    """What a project may see of a dataset now.

    Attributes:
        relations: granted tables, planned, by table.
        whole: names of the tables of which every column and row is granted.
    """

    grant: Grant
    version: DatasetVersion
    relations: Mapping[str, Relation]
    whole: frozenset[str]

    @property
    def key(self) -> str:
        """Names the directory: of one project, grant and version, never of two."""
        facts = json.dumps([_LAYOUT, self.grant.project, self.grant.id, self.version.id])
        return hashlib.sha256(facts.encode()).hexdigest()[:40]


def store(rooms: Rooms) -> MountStore:
    """Where the directories are."""
    return MountStore(rooms.settings.home_dir / "mounts")


def granted_versions(rooms: Rooms, project: str) -> tuple[GrantedVersion, ...]:
    """The version of every dataset that a grant in force shows the project, in order of dataset."""
    found = []
    for grant in grants.in_force(rooms.records, project, rooms.clock.now()):
        version = read_lake.granted_version(rooms, grant)
        if version is not None and (granted := _granted(rooms, grant, version)).relations:
            found.append(granted)
    return tuple(found)


def lay_out(rooms: Rooms, granted: GrantedVersion, *, user: str, because: str) -> DatasetMount:
    """The directory of a granted version, made if it is not there.

    Tables granted whole are links to the lake's data files. Of the others the governed
    query engine reads what the grant shows, so that the policy of queries decides here,
    too; its seconds and scanned bytes are charged to `user` and the project, once.
    Killed anywhere and run again gives the same. Raises what the engine raises, and `Unavailable`.
    """
    mount = _announce(rooms, granted)
    work = _Work(rooms, granted)
    made = store(rooms).make(mount.id, work.fill)
    mount = rooms.records.get(DatasetMount, mount.id)
    # Made, but the process died before it could say so: what that used stays uncharged.
    if made or mount.made_at is None:
        charges = _charges(rooms, work, user=user, project=granted.grant.project, because=because) if made else []
        mount = _note_made(rooms, granted, work, charges)
    return mount


def _note_made(rooms: Rooms, granted: GrantedVersion, work: _Work, charges: Sequence[Write]) -> DatasetMount:
    """Put on record that it stands, with its charges. Somebody who found it standing may do so, too."""
    while True:
        mount = rooms.records.get(DatasetMount, granted.key)
        done = mount.but(
            made_at=mount.made_at or rooms.clock.now(),
            linked=tuple(sorted(granted.whole)),
            materialised=tuple(sorted(granted.relations.keys() - granted.whole)),
            written_bytes=mount.written_bytes or work.written_bytes,
        )
        try:
            rooms.records.transact([Put(done), *charges])
        except VersionConflict:
            continue
        return done.but(version=mount.version + 1)


class _Work:
    """Fills a directory, and knows what that used."""

    def __init__(self, rooms: Rooms, granted: GrantedVersion) -> None:
        self._rooms = rooms
        self._granted = granted
        self.written_bytes = 0
        self.seconds = 0.0
        self.read: list[Relation] = []

    def fill(self, directory: Path) -> None:
        for table, relation in sorted(self._granted.relations.items()):
            if table in self._granted.whole:
                link_files(relation.files, directory / table)
            else:
                self._materialise(relation, directory / table)
        manifest = json.dumps(_manifest(self._granted, _files_of(directory)), indent=2)
        (directory / MANIFEST).write_text(manifest + "\n", encoding="utf-8")

    def _materialise(self, relation: Relation, directory: Path) -> None:
        settings = self._rooms.settings
        limits = QueryLimits(
            memory_bytes=settings.query_memory_bytes,
            seconds=_SECONDS,
            max_rows=max(1, sum(file.rows for file in relation.files)),
            threads=settings.query_threads,
        )
        statement = f'SELECT * FROM "{relation.dataset}"."{relation.table}"'  # noqa: S608
        with self._rooms.engine.run(statement, (relation,), limits) as run:
            self.written_bytes += write_rows(run.schema, run, directory)
            self.seconds += run.stats.seconds
        self.read.append(relation)


def _granted(rooms: Rooms, grant: Grant, version: DatasetVersion) -> GrantedVersion:
    relations: dict[str, Relation] = {}
    whole: set[str] = set()
    for state in version.tables:
        part = part_of(grant, state.table)
        if part is None:
            continue
        relation = relation_of(rooms, version, state, part)
        if not relation.columns:
            continue
        relations[state.table] = relation
        if part.row_filter is None and len(relation.columns) == len(state.columns) and relation.files:
            whole.add(state.table)
    return GrantedVersion(grant, version, relations, frozenset(whole))


def _announce(rooms: Rooms, granted: GrantedVersion) -> DatasetMount:
    try:
        return rooms.records.get(DatasetMount, granted.key)
    except NotFound:
        pass
    mount = DatasetMount(
        id=granted.key,
        project=granted.grant.project,
        dataset=granted.grant.dataset,
        dataset_version=granted.version.id,
        grant=granted.grant.id,
    )
    try:
        return rooms.records.put(mount)
    except (AlreadyExists, VersionConflict):
        return rooms.records.get(DatasetMount, granted.key)


def _charges(rooms: Rooms, work: _Work, *, user: str, project: str, because: str) -> list[Write]:
    if not work.read:
        return []
    charge: Callable[..., Write] = rooms.usage.charge
    seconds = Decimal(str(round(work.seconds, 6)))
    writes = [charge(metric=Metric.QUERY_SECONDS, quantity=seconds, user=user, project=project, because=because)]
    for dataset, size_bytes in scanned_bytes(work.read).items():
        writes.append(
            charge(
                metric=Metric.SCANNED_BYTES,
                quantity=Decimal(size_bytes),
                user=user,
                project=project,
                dataset=dataset,
                because=because,
            )
        )
    return writes


def _files_of(directory: Path) -> dict[str, list[str]]:
    tables = sorted(place for place in directory.iterdir() if place.is_dir())
    return {table.name: sorted(file.name for file in table.iterdir()) for table in tables}


def _manifest(granted: GrantedVersion, files: Mapping[str, list[str]]) -> dict[str, Any]:
    """What people and programs inside can know of the directory."""
    expires_at = granted.grant.expires_at
    return {
        "dataset": granted.grant.dataset,
        "version": granted.version.id,
        "pinned": granted.grant.pinned is not None,
        "contract": granted.version.contract,
        "committed_at": granted.version.committed_at.isoformat(),
        "project": granted.grant.project,
        "grant": granted.grant.id,
        "expires_at": None if expires_at is None else expires_at.isoformat(),
        "tables": [_table(granted, table, names) for table, names in files.items()],
    }


def _table(granted: GrantedVersion, table: str, names: list[str]) -> dict[str, Any]:
    relation = granted.relations[table]
    whole = table in granted.whole
    lacks = {name: file.lacks for name, file in zip(names, relation.files, strict=True)} if whole else {}
    return {
        "table": table,
        "granted": "whole" if whole else "in part",
        "row_filter": relation.row_filter,
        "columns": [
            {"name": c.name, "type": str(c.type), "unit": c.unit, "description": c.description}
            for c in relation.columns
        ],
        "files": names,
        # Files of before a column was added do not have it; readers unite files by name.
        "lacks": {name: list(columns) for name, columns in lacks.items() if columns},
    }

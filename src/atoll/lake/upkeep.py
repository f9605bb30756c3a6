"""What keeps tables fast and small for years: files replaced, snapshots expired, orphans swept."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.io.pyarrow import parquet_files_to_data_files
from pyiceberg.manifest import ManifestEntryStatus
from pyiceberg.table import Table

from atoll.errors import Conflict, NotFound
from atoll.lake.change import Change
from atoll.lake.history import REWRITTEN, rewritten
from atoll.lake.lake import Lake, state_of
from atoll.lake.staging import check_name, checked_paths, table_directory
from atoll.model.dataset import TableState
from atoll.model.table import StagedFile, TableSchema

KIND = "atoll.rewriting"


@dataclass(frozen=True)
class Swept:
    """What a sweep removed."""

    files: int
    size_bytes: int


class Upkeep:
    """Maintenance of the tables of a lake. Each call may be killed anywhere and made again."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def place(self, dataset: str, table: str, job: str) -> Path:
        """Where a job writes its files of a table; not made."""
        return table_directory(self._lake.warehouse, dataset, table) / "data" / check_name(job)

    def forget(self, dataset: str, table: str, job: str) -> None:
        """Remove what a job wrote and did not commit. Idempotent; does nothing once it is committed."""
        if self.rewritten(dataset, table, job) is None:
            shutil.rmtree(self.place(dataset, table, job), ignore_errors=True)

    def rewritten(self, dataset: str, table: str, job: str) -> TableState | None:
        """The table as the job's snapshot left it; None when it has not committed."""
        try:
            standing = self._lake.load(dataset, table)
        except NotFound:
            return None
        snapshot = rewritten(standing.metadata, job)
        return state_of(standing, snapshot) if snapshot else None

    def replace(
        self, schema: TableSchema, gone: Collection[str], came: Sequence[StagedFile], *, job: str, kind: str
    ) -> TableState:
        """Take the files at the paths `gone` out of the table and put `came` in, in one snapshot.

        A job that is in the history already changes nothing. Files that came in the
        meantime stay. Raises `Conflict` when one of `gone` is not in the table any more,
        `InvalidInput` and `IntegrityBroken` for files that are not what was staged.
        """
        place = self.place(schema.dataset, schema.table, job)
        where = f"{schema.dataset}.{schema.table}"

        def attempt() -> TableState:
            table = self._lake.load(schema.dataset, schema.table)
            if (snapshot := rewritten(table.metadata, job)) is None:
                _replace(table, set(gone), checked_paths(schema, came, place), {REWRITTEN: job, KIND: kind}, where)
                snapshot = rewritten(table.metadata, job)
            if snapshot is None:
                raise CommitFailedException("the snapshot is not in the table")
            return state_of(table, snapshot)

        return self._lake.until_done(attempt, where)

    def expire(self, dataset: str, table: str, keep: Collection[int]) -> int:
        """Forget every snapshot but those of `keep` and the newest; how many. Files stay until they are swept."""

        def attempt() -> int:
            standing = self._lake.load(dataset, table)
            newest = standing.metadata.current_snapshot_id
            ids = [s.snapshot_id for s in standing.snapshots() if s.snapshot_id not in keep and s.snapshot_id != newest]
            if ids:
                standing.maintenance.expire_snapshots().by_ids(ids).commit()
                self._lake.forget_plans(dataset, table)
            return len(ids)

        return self._lake.until_done(attempt, f"{dataset}.{table}")

    def sweep(self, dataset: str, table: str, *, spare: Collection[str], older_than_seconds: float) -> Swept:
        """Remove files below the table's directory that nothing refers to any more.

        `spare` names directories of `data` that open operations write to: list them
        before this is called, since what they commit meanwhile is not seen here. Younger
        files are left, as somebody may be about to refer to them.
        """
        try:
            standing = self._lake.load(dataset, table)
        except NotFound:
            return Swept(0, 0)
        root = table_directory(self._lake.warehouse, dataset, table)
        before = time.time() - older_than_seconds
        referred = set(_referred(standing))
        files = size_bytes = 0
        for path in _files_below(root):
            inside = path.relative_to(root).parts
            if str(path) in referred or (inside[0] == "data" and inside[1] in spare):
                continue
            facts = path.stat()
            if facts.st_mtime >= before:
                continue
            path.unlink(missing_ok=True)
            files += 1
            size_bytes += facts.st_size
        _remove_empty(root / "data", spare, before)
        return Swept(files, size_bytes)

    def holding(self, paths: Iterable[str], targets: Mapping[str, Sequence[str]]) -> frozenset[str]:
        """Those of the data files in which a column begins with one of the texts that `targets` has for it.

        Only these columns are read. A file that lacks a column does not hold it.
        """
        return frozenset(path for path in paths if _holds(path, targets))

    def data_files(self, dataset: str, table: str) -> frozenset[str]:
        """Paths of every data file that some snapshot of the table still holds."""
        standing = self._lake.load(dataset, table)
        return frozenset(_data_files(standing))


def _holds(path: str, targets: Mapping[str, Sequence[str]]) -> bool:
    with pq.ParquetFile(path) as file:
        columns = [name for name in targets if name in file.schema_arrow.names]
        if not columns:
            return False
        for batch in file.iter_batches(columns=columns):
            for name in columns:
                texts = batch[name].cast(pa.string())
                if any(pc.any(pc.starts_with(texts, pattern=text)).as_py() for text in targets[name]):
                    return True
    return False


def _replace(table: Table, gone: set[str], came: list[str], summary: dict[str, str], where: str) -> None:
    cut = {task.file.file_path: task.file for task in table.scan().plan_files() if task.file.file_path in gone}
    if len(cut) < len(gone):
        raise Conflict(
            "Files to be replaced are not in the table any more.",
            where=where,
            todo="Start the work again; something else has changed the table.",
        )
    with Change(table) as change:
        arrived = list(parquet_files_to_data_files(table.io, change.table_metadata, iter(came)))
        try:
            with change.update_snapshot(summary).overwrite() as overwrite:
                for file in cut.values():
                    overwrite.delete_data_file(file)
                for file in arrived:
                    overwrite.append_data_file(file)
            # The snapshot that takes files out lists them in its manifests, with the bounds of their
            # columns: in those of an erased person's file their pseudonym may stand. The one after it,
            # of the same commit, lists only what is there; it is what a version binds.
            with change.update_snapshot(summary).fast_append():
                pass
        except ValidationException as error:
            raise CommitFailedException(str(error)) from None


def _referred(table: Table) -> Iterator[str]:
    """Paths of all that the table's metadata leads to."""
    yield _path(table.metadata_location)
    for entry in table.metadata.metadata_log:
        yield _path(entry.metadata_file)
    for statistics in table.metadata.statistics:
        yield _path(statistics.statistics_path)
    for snapshot in table.metadata.snapshots:
        yield _path(snapshot.manifest_list)
    for manifest in _manifests(table):
        yield _path(manifest)
    yield from _data_files(table)


def _manifests(table: Table) -> Iterator[str]:
    seen: set[str] = set()
    for snapshot in table.metadata.snapshots:
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                yield manifest.manifest_path


def _data_files(table: Table) -> Iterator[str]:
    """Of every manifest that a snapshot has: a file deleted in one is held by another, or by none."""
    seen: set[str] = set()
    for snapshot in table.metadata.snapshots:
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path in seen:
                continue
            seen.add(manifest.manifest_path)
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
                if entry.status != ManifestEntryStatus.DELETED:
                    yield _path(entry.data_file.file_path)


def _files_below(root: Path) -> Iterator[Path]:
    for zone in ("data", "metadata"):
        for place, _, names in os.walk(root / zone):
            for name in names:
                path = Path(place) / name
                if len(path.relative_to(root).parts) > (2 if zone == "data" else 1):
                    yield path


def _remove_empty(data: Path, spare: Iterable[str], before: float) -> None:
    for place in data.iterdir() if data.is_dir() else ():
        if place.name in spare or not place.is_dir() or place.stat().st_mtime >= before:
            continue
        try:
            place.rmdir()
        except OSError:
            continue  # not empty


def _path(location: str) -> str:
    return location.removeprefix("file://")

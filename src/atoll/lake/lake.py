"""The lake: Iceberg tables in a warehouse directory, and the commits that fill them."""

from __future__ import annotations

import logging
import random
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    TableAlreadyExistsError,
    ValidationException,
)
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Snapshot
from sqlalchemy.exc import IntegrityError, OperationalError

from atoll.errors import Conflict, NotFound, Unavailable
from atoll.lake.catalog import open_catalog
from atoll.lake.change import Change
from atoll.lake.columns import (
    added_columns,
    changed_descriptions,
    check_names,
    column_properties,
    iceberg_schema,
    lake_type,
    read_columns,
)
from atoll.lake.history import CONTRACT, DELIVERY, WITHDRAWN, landed, total
from atoll.lake.manifests import Manifests
from atoll.lake.staging import checked_paths, staging_directory, table_directory
from atoll.model.dataset import TableState
from atoll.model.table import StagedFile, TablePlan, TableSchema

log = logging.getLogger(__name__)

_COMMIT_ATTEMPTS = 30
_TABLE_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.avro.compression-codec": "zstd",
    "commit.manifest-merge.enabled": "true",
    # A full manifest is not written again: merging costs as much at the ten-thousandth delivery as at the
    # hundredth, and some ten files are left to read.
    "commit.manifest.target-size-bytes": str(256 * 2**10),
    # PyIceberg would repeat a lost commit unseen; here every try looks into the
    # history first, since another process may have committed the same delivery.
    "commit.retry.num-retries": "0",
    # A metadata file tells of every snapshot: those of long ago only take room.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}
_DESCRIPTION = "comment"
#: Plans kept in memory: lists of files that they share.
_KNOWN_PLANS = 64

_Result = TypeVar("_Result")


class Lake:
    """Tables named `dataset.table`, filled by deliveries, read by snapshot.

    A commit or withdrawal that is killed at any point and run again has the same
    result as if it had never been killed: what it wrote before the catalog was
    changed is only an orphan metadata file that nothing refers to. Safe to use
    from several threads and processes at once.
    """

    def __init__(self, catalog_url: str, warehouse: Path) -> None:
        """Open or make the catalog (SQLAlchemy URL) and the warehouse directory (0700).

        Raises `Unavailable` when the catalog cannot be opened.
        """
        self._warehouse = warehouse.expanduser().absolute()
        self._warehouse.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._catalog = open_catalog(catalog_url, self._warehouse)
        self._plans: OrderedDict[tuple[str, str, int], TablePlan] = OrderedDict()
        self._plans_lock = threading.Lock()
        self._manifests = Manifests()

    def close(self) -> None:
        """Release the catalog's connections. Idempotent."""
        self._catalog.engine.dispose()

    def staging(self, dataset: str, table: str, delivery_id: str) -> Path:
        """The directory (made, 0700) for a delivery's treated files of a table.

        The files stay there for good once committed. Raises `InvalidInput` for a
        name that cannot be a directory and SQL name.
        """
        place = staging_directory(self._warehouse, dataset, table, delivery_id)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place

    def discard(self, dataset: str, table: str, delivery_id: str) -> None:
        """Remove what a delivery staged for a table and did not commit. Idempotent.

        Raises `Conflict` for a delivery that has landed: its staging place is where its data stays.
        """
        if self.landed(dataset, table, delivery_id) is not None:
            raise Conflict("The delivery has landed.", where=f"{dataset}.{table}", todo="Withdraw it instead.")
        place = staging_directory(self._warehouse, dataset, table, delivery_id)
        shutil.rmtree(place, ignore_errors=True)

    def landed(self, dataset: str, table: str, delivery_id: str) -> TableState | None:
        """The table as the delivery's snapshot left it; None when it has not committed, or was withdrawn.

        Ask before staging again: files of a landed delivery must not be rewritten.
        """
        try:
            standing = self.load(dataset, table)
        except NotFound:
            return None
        snapshot = landed(standing.metadata, delivery_id)
        return state_of(standing, snapshot) if snapshot else None

    def commit(
        self, schema: TableSchema, files: Sequence[StagedFile], *, delivery_id: str, contract: str
    ) -> TableState:
        """Commit a delivery's staged files to a table in exactly one snapshot.

        Makes the table, or adds the columns it lacks, first (in the same commit).
        Columns the schema no longer names stay, empty for the new rows. A delivery
        already in the history changes nothing. The snapshot's summary carries
        `atoll.delivery` and `atoll.contract`; with no row there is still a snapshot.

        Returns the table as the delivery's snapshot left it. Raises `Conflict`
        when a column changed its type, `InvalidInput` and `IntegrityBroken` for
        files that are not the table's staged ones, `Unavailable` when the catalog
        is away or too busy.
        """
        check_names(schema)
        place = staging_directory(self._warehouse, schema.dataset, schema.table, delivery_id)

        def attempt() -> TableState:
            table = self.load_or_create(schema)
            if snapshot := landed(table.metadata, delivery_id):
                return state_of(table, snapshot)
            paths = checked_paths(schema, files, place)
            _append(table, schema, paths, {DELIVERY: delivery_id, CONTRACT: contract})
            snapshot = landed(table.metadata, delivery_id)
            if snapshot is None:
                raise CommitFailedException("the snapshot is not in the table")
            return state_of(table, snapshot)

        return self.until_done(attempt, f"{schema.dataset}.{schema.table}")

    def withdraw(self, dataset: str, table: str, delivery_id: str) -> bool:
        """Remove a delivery's files from the table's newest state by one more snapshot.

        For a delivery whose admission failed for good after this table's commit.
        False when there is nothing to withdraw. The files stay on disk for the
        snapshots that hold them, until those are expired.
        """

        def attempt() -> bool:
            try:
                standing = self.load(dataset, table)
            except NotFound:
                return False
            if landed(standing.metadata, delivery_id) is None:
                return False
            place = staging_directory(self._warehouse, dataset, table, delivery_id)
            with Change(standing) as change, change.update_snapshot({WITHDRAWN: delivery_id}).overwrite() as cut:
                for task in standing.scan().plan_files():
                    if Path(task.file.file_path).is_relative_to(place):
                        cut.delete_data_file(task.file)
            return True

        return self.until_done(attempt, f"{dataset}.{table}")

    def plan(self, dataset: str, table: str, snapshot_id: int) -> TablePlan:
        """The data files and columns of a table at a snapshot. Raises `NotFound`."""
        standing = self.load(dataset, table)
        snapshot = _snapshot(standing, snapshot_id)
        schema = _schema(standing, snapshot)
        return TablePlan(
            dataset=dataset,
            table=table,
            snapshot_id=snapshot_id,
            columns=read_columns(schema, standing.properties),
            files=self._manifests.files(snapshot, standing.io, schema),
        )

    def known_plan(self, dataset: str, table: str, snapshot_id: int) -> TablePlan:
        """As `plan`, from memory when this process planned it before.

        The files of a snapshot never change; the descriptions of columns may, and are those of then.
        """
        key = (dataset, table, snapshot_id)
        with self._plans_lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
                return plan
        plan = self.plan(dataset, table, snapshot_id)
        with self._plans_lock:
            self._plans[key] = plan
            while len(self._plans) > _KNOWN_PLANS:
                self._plans.popitem(last=False)
        return plan

    def forget_plans(self, dataset: str, table: str) -> None:
        """Keep nothing of a table's plans in memory: some may hold bounds of rows that are erased."""
        with self._plans_lock:
            for key in [key for key in self._plans if key[:2] == (dataset, table)]:
                del self._plans[key]
        self._manifests.forget(str(table_directory(self._warehouse, dataset, table)))

    def table_state(self, dataset: str, table: str, snapshot_id: int | None = None) -> TableState:
        """The table at a snapshot, or at its newest. Raises `NotFound`."""
        standing = self.load(dataset, table)
        return state_of(standing, _snapshot(standing, snapshot_id))

    @property
    def catalog(self) -> SqlCatalog:
        """The catalog, for this room only."""
        return self._catalog

    @property
    def warehouse(self) -> Path:
        """The directory below which every table lies."""
        return self._warehouse

    def load(self, dataset: str, table: str) -> Table:
        """The Iceberg table as it is now, for this room only. Raises `NotFound`, `Unavailable`."""
        table_directory(self._warehouse, dataset, table)  # refuses odd names
        try:
            return self._catalog.load_table((dataset, table))
        except NoSuchTableError:
            raise NotFound("There is no such table in the lake.", where=f"{dataset}.{table}") from None
        except OperationalError:
            raise _away(f"{dataset}.{table}") from None

    def load_or_create(self, schema: TableSchema) -> Table:
        """The Iceberg table, made when it is not there, for this room only."""
        name = (schema.dataset, schema.table)
        try:
            return self._catalog.load_table(name)
        except NoSuchTableError:
            pass
        try:
            self._catalog.create_namespace_if_not_exists(schema.dataset)
        except (IntegrityError, NamespaceAlreadyExistsError):
            log.debug("another process made the namespace %s", schema.dataset)
        try:
            return self._catalog.create_table(
                name,
                iceberg_schema(schema.columns),
                location=str(table_directory(self._warehouse, *name)),
                properties=_properties(schema) | _TABLE_PROPERTIES,
            )
        except TableAlreadyExistsError:
            return self._catalog.load_table(name)

    def until_done(self, attempt: Callable[[], _Result], where: str) -> _Result:
        """Run `attempt` until it meets no concurrent commit; each try reads the table anew."""
        for number in range(_COMMIT_ATTEMPTS):
            try:
                return attempt()
            except (CommitFailedException, ValidationException):
                log.info("commit to %s met another one, try %d", where, number + 1)
                time.sleep(min(2.0, 0.02 * 1.5**number) * random.uniform(0.5, 1.5))  # noqa: S311
            except OperationalError:
                raise _away(where) from None
        raise Unavailable("Other commits kept coming first.", where=where, todo="Try again.")


def _append(table: Table, schema: TableSchema, paths: list[str], summary: dict[str, str]) -> None:
    """One transaction: columns added, properties set, files appended in one snapshot."""
    with Change(table) as change:
        prepare(change, table, schema)
        # A repeated delivery is found in the history; looking for its files in every
        # manifest, as `check_duplicate_files` does, would cost more with each delivery.
        change.add_files(paths, snapshot_properties=summary, check_duplicate_files=False)


def prepare(change: Transaction, table: Table, schema: TableSchema) -> None:
    """In the transaction, have the table know the schema's columns and what describes them."""
    added = added_columns(schema, table.schema())
    described = changed_descriptions(schema, table.schema())
    changed = {
        key: value
        for key, value in (_properties(schema) | _TABLE_PROPERTIES).items()
        if table.properties.get(key) != value
    }
    if added or described:
        with change.update_schema() as update:
            for column in added:
                update.add_column(column.name, lake_type(column), doc=column.description or None)
            for name, description in described.items():
                update.update_column(name, doc=description)
    if changed:
        change.set_properties(changed)


def _properties(schema: TableSchema) -> dict[str, str]:
    return column_properties(schema.columns) | {_DESCRIPTION: schema.description}


def _snapshot(table: Table, snapshot_id: int | None) -> Snapshot:
    snapshot = table.current_snapshot() if snapshot_id is None else table.snapshot_by_id(snapshot_id)
    if snapshot is None:
        raise NotFound(
            "The table has no such snapshot." if snapshot_id is not None else "The table has no snapshot yet.",
            where=".".join(table.name()) + (f" at {snapshot_id}" if snapshot_id is not None else ""),
        )
    return snapshot


def _schema(table: Table, snapshot: Snapshot) -> Schema:
    return table.schemas()[snapshot.schema_id] if snapshot.schema_id is not None else table.schema()


def state_of(table: Table, snapshot: Snapshot) -> TableState:
    """The table as a snapshot has it."""
    return TableState(
        table=table.name()[-1],
        snapshot_id=snapshot.snapshot_id,
        rows=total(snapshot, "total-records"),
        size_bytes=total(snapshot, "total-files-size"),
        files=total(snapshot, "total-data-files"),
        columns=read_columns(_schema(table, snapshot), table.properties),
        description=table.properties.get(_DESCRIPTION, ""),
    )


def _away(where: str) -> Unavailable:
    return Unavailable("The lake's catalog does not answer.", where=where, todo="Try again; check its database.")

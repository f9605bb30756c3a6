"""A SQL catalog that reads each metadata file once: what is at a location never changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Self, TypeVar, cast

from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot, SnapshotLogEntry
from pyiceberg.table.update import TableRequirement, TableUpdate
from pyiceberg.typedef import IcebergBaseModel

#: Tables whose newest metadata stays in memory. A thousand snapshots are some 4 MB.
_KNOWN = 64


class _SharedSnapshot(Snapshot):
    """A snapshot that copies of a table's metadata share: PyIceberg copies all of them for each change."""

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self


class _SharedLogEntry(SnapshotLogEntry):
    """As `_SharedSnapshot`."""

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self


class KnowingCatalog(SqlCatalog):
    """As PyIceberg's, but a table whose metadata was read or written here before is not parsed anew.

    A metadata file tells of every snapshot; with thousands of them, to parse and to copy them takes
    longer than all else that a commit or a plan does. Nobody changes metadata they are given.
    """

    def __init__(self, name: str, **properties: str) -> None:
        self._metadata: OrderedDict[str, tuple[str, TableMetadata]] = OrderedDict()
        self._metadata_lock = threading.Lock()
        super().__init__(name, **properties)

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        """Commit, and remember the metadata that was written."""
        response = super().commit_table(table, requirements, updates)
        location = response.metadata_location
        metadata = self._remember(".".join(table.name()), location, response.metadata)
        return response.model_copy(update={"metadata": metadata})

    def _convert_orm_to_iceberg(self, orm_table: IcebergTables) -> Table:
        name = f"{orm_table.table_namespace}.{orm_table.table_name}"
        location = str(orm_table.metadata_location)
        with self._metadata_lock:
            known = self._metadata.get(name)
        if known is None or known[0] != location:
            read = super()._convert_orm_to_iceberg(orm_table).metadata
            known = (location, self._remember(name, location, read))
        return Table(
            identifier=(*self.identifier_to_tuple(str(orm_table.table_namespace)), str(orm_table.table_name)),
            metadata=known[1],
            metadata_location=location,
            io=self._load_file_io(known[1].properties, location),
            catalog=self,
        )

    def _remember(self, name: str, location: str, metadata: TableMetadata) -> TableMetadata:
        shared = metadata.model_copy(
            update={
                "snapshots": [_shared(_SharedSnapshot, snapshot) for snapshot in metadata.snapshots],
                "snapshot_log": [_shared(_SharedLogEntry, entry) for entry in metadata.snapshot_log],
            }
        )
        with self._metadata_lock:
            self._metadata[name] = (location, shared)
            self._metadata.move_to_end(name)
            while len(self._metadata) > _KNOWN:
                self._metadata.popitem(last=False)
        return shared


_Model = TypeVar("_Model", bound=IcebergBaseModel)


def _shared(kind: type[_Model], plain: IcebergBaseModel) -> _Model:
    if isinstance(plain, kind):
        return plain
    fields = {name: getattr(plain, name) for name in type(plain).model_fields}
    return cast(_Model, kind.model_construct(**fields))

"""The data files of a snapshot, read from its manifests once each.

A manifest never changes, and consecutive snapshots share most of theirs: planning after a
commit reads what the commit wrote, however many files the table has.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping

from pyiceberg.conversions import from_bytes
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile as IcebergFile
from pyiceberg.manifest import ManifestContent, ManifestFile
from pyiceberg.schema import Schema
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.types import (
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    PrimitiveType,
    StringType,
    TimestamptzType,
)

from atoll.errors import Conflict
from atoll.lake.columns import lacking
from atoll.model.table import Bounds, DataFile

#: Data files that stay in memory, of all tables: some 100 MB at worst.
_KNOWN_FILES = 100_000
#: Types whose bounds compare as the engine compares values. Not booleans: two values prune nothing.
_BOUNDED = (DateType, DoubleType, IntegerType, LongType, StringType, TimestamptzType)

#: A manifest by its path, as a schema reads it.
_Key = tuple[str, int]


class Manifests:
    """Reads manifests, and keeps what was read last. Safe to use from several threads."""

    def __init__(self, known_files: int = _KNOWN_FILES) -> None:
        self._most = known_files
        self._known: OrderedDict[_Key, tuple[DataFile, ...]] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def files(self, snapshot: Snapshot, io: FileIO, schema: Schema) -> tuple[DataFile, ...]:
        """The data files of a snapshot, by path.

        Raises `Conflict` for a snapshot with deleted rows beside its data files: Atoll makes none.
        """
        found: list[DataFile] = []
        for manifest in snapshot.manifests(io):
            if manifest.content is not ManifestContent.DATA:
                raise Conflict(
                    "The table holds marks of deleted rows, which Atoll does not read.",
                    where=f"snapshot {snapshot.snapshot_id}",
                    todo="Another engine has changed the table; have it rewrite the table's files.",
                )
            found += self._of(manifest, io, schema)
        return tuple(sorted(found, key=lambda file: file.path))

    def forget(self, directory: str) -> None:
        """Keep nothing of the manifests below a directory: bounds of columns may be those of rows that are erased."""
        with self._lock:
            for key in [key for key in self._known if _is_below(key[0], directory)]:
                self._count -= len(self._known.pop(key))

    def _of(self, manifest: ManifestFile, io: FileIO, schema: Schema) -> tuple[DataFile, ...]:
        key = (manifest.manifest_path, schema.schema_id)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known
        bounded = {f.field_id: (f.name, f.field_type) for f in schema.fields if isinstance(f.field_type, _BOUNDED)}
        read = tuple(_data_file(entry.data_file, schema, bounded) for entry in manifest.fetch_manifest_entry(io))
        with self._lock:
            if key not in self._known:
                self._known[key] = read
                self._count += len(read)
            while self._count > self._most and len(self._known) > 1:
                self._count -= len(self._known.popitem(last=False)[1])
        return read


def _data_file(file: IcebergFile, schema: Schema, bounded: Mapping[int, tuple[str, PrimitiveType]]) -> DataFile:
    # Trusted, as this room wrote it: checking each would take longer than reading it.
    return DataFile.model_construct(
        path=file.file_path,
        rows=file.record_count,
        size_bytes=file.file_size_in_bytes,
        lacks=lacking(schema, file.value_counts),
        bounds=_bounds(file.lower_bounds or {}, file.upper_bounds or {}, bounded),
    )


def _bounds(
    lower: Mapping[int, bytes], upper: Mapping[int, bytes], bounded: Mapping[int, tuple[str, PrimitiveType]]
) -> dict[str, Bounds]:
    found: dict[str, Bounds] = {}
    for field, low in lower.items():
        if field in bounded and field in upper:
            name, kind = bounded[field]
            pair: Bounds = (from_bytes(kind, low), from_bytes(kind, upper[field]))
            # Not NaN, which compares with nothing, and no infinity, which JSON does not have.
            if all(math.isfinite(value) for value in pair if isinstance(value, float)):
                found[name] = pair
    return found


def _is_below(location: str, directory: str) -> bool:
    return location.removeprefix("file://").startswith(directory.rstrip("/") + "/")

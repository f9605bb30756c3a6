"""Tables of an export made anew in this lake, whose paths are others."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyiceberg.exceptions import NoSuchNamespaceError
from pyiceberg.io.pyarrow import parquet_files_to_data_files

from atoll.errors import NotFound
from atoll.lake.change import Change
from atoll.lake.lake import Lake, prepare
from atoll.lake.staging import check_name, table_directory
from atoll.model.dataset import TableState
from atoll.model.table import TableSchema

_OURS = "atoll."


class Restoring:
    """What an import does to the lake. A killed import is begun again with `clear`."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def data(self, dataset: str, table: str) -> Path:
        """Where the table's data files lie."""
        return table_directory(self._lake.warehouse, dataset, table) / "data"

    def summary(self, dataset: str, table: str, snapshot_id: int) -> dict[str, str]:
        """What a snapshot says of deliveries and rewritings. Raises `NotFound`."""
        snapshot = self._lake.load(dataset, table).snapshot_by_id(snapshot_id)
        if snapshot is None:
            raise NotFound("The table has no such snapshot.", where=f"{dataset}.{table} at {snapshot_id}")
        told = snapshot.summary.additional_properties if snapshot.summary else {}
        return {key: text for key, text in told.items() if key.startswith(_OURS)}

    def clear(self, dataset: str) -> None:
        """Remove the dataset's tables and files, for good. Only for a dataset that nobody knows of."""
        catalog = self._lake.catalog
        try:
            for name in catalog.list_tables(dataset):
                catalog.drop_table(name)
            catalog.drop_namespace(dataset)
        except NoSuchNamespaceError:
            pass
        shutil.rmtree(self._lake.warehouse / check_name(dataset), ignore_errors=True)

    def snapshot(
        self, schema: TableSchema, came: Sequence[str], gone: Sequence[str], summary: Mapping[str, str]
    ) -> TableState:
        """One more snapshot: files put in and taken out, by their paths below `data`. They must be there."""
        table = self._lake.load_or_create(schema)
        place = self.data(schema.dataset, schema.table)
        paths = [str(place / path) for path in came]
        with Change(table) as change:
            prepare(change, table, schema)
            if gone:
                left = {str(place / path) for path in gone}
                cut = [task.file for task in table.scan().plan_files() if task.file.file_path in left]
                arrived = list(parquet_files_to_data_files(table.io, change.table_metadata, iter(paths)))
                with change.update_snapshot(dict(summary)).overwrite() as overwrite:
                    for file in cut:
                        overwrite.delete_data_file(file)
                    for file in arrived:
                        overwrite.append_data_file(file)
                # As in upkeep: what a version binds lists nothing of the files that went.
                with change.update_snapshot(dict(summary)).fast_append():
                    pass
            else:
                change.add_files(paths, snapshot_properties=dict(summary), check_duplicate_files=False)
        return self._lake.table_state(schema.dataset, schema.table)

"""A transaction on a table whose cost does not grow with the number of its snapshots times its steps."""

from __future__ import annotations

from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import TableUpdate


class Change(Transaction):
    """As PyIceberg's, but the metadata with the changes so far is made once for each change.

    PyIceberg makes it anew, with a deep copy of every snapshot, each time it looks at it: some
    twenty times in one commit. Nobody changes what they are given: updates make copies.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._made: tuple[TableMetadata, tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata with the changes so far."""
        base, updates = self._table.metadata, self._updates
        if self._made is None or self._made[0] is not base or self._made[1] is not updates:
            self._made = (base, updates, super().table_metadata)
        return self._made[2]

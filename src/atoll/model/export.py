"""What an export of a dataset holds beside its data files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from atoll.model.contract import ContractVersion
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.delivery import Delivery
from atoll.model.record import Frozen


class ExportedSnapshot(Frozen):
    """How a table came from one exported snapshot to the next; of the first, all that it holds."""

    table: str
    #: As it was where it was exported.
    snapshot_id: int
    #: Paths below the table's directory of data, such as `dlv_.../0.parquet`.
    came: tuple[str, ...]
    gone: tuple[str, ...]
    #: What its summary says of deliveries and rewritings.
    summary: dict[str, str]


class ExportedDataset(Frozen):
    """A dataset with its contracts, versions and settled deliveries. Its archive is sealed by the master key."""

    #: Of this shape.
    form: int = 1
    id: str
    exported_at: datetime
    dataset: Dataset
    contracts: tuple[ContractVersion, ...]
    versions: tuple[DatasetVersion, ...]
    deliveries: tuple[Delivery, ...]
    #: Records of the keys of the contracts' domains, each still sealed.
    keys: tuple[dict[str, Any], ...]
    #: In the order in which they came to be, of each table.
    snapshots: tuple[ExportedSnapshot, ...]


class ArchivedFile(Frozen):
    """A member of an archive."""

    size_bytes: int
    sha256: str


class ArchiveList(Frozen):
    """The last member of an archive: every other one, by name."""

    id: str
    files: dict[str, ArchivedFile]

"""Tables, commits, versions: the only room that knows Iceberg."""

from atoll.lake.compaction import in_groups, rewritable
from atoll.lake.laid_out import LaidOut
from atoll.lake.lake import Lake
from atoll.lake.mount_files import link_files, write_rows
from atoll.lake.mount_store import MountStore
from atoll.lake.restoring import Restoring
from atoll.lake.sealed import SealedReader, SealedWriter
from atoll.lake.upkeep import Swept, Upkeep

__all__ = [
    "LaidOut",
    "Lake",
    "MountStore",
    "Restoring",
    "SealedReader",
    "SealedWriter",
    "Swept",
    "Upkeep",
    "in_groups",
    "link_files",
    "rewritable",
    "write_rows",
]

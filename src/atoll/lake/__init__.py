"""Tables, commits, versions: the only room that knows Iceberg."""

from atoll.lake.lake import Lake
from atoll.lake.mount_files import link_files, write_rows
from atoll.lake.mount_store import MountStore

__all__ = ["Lake", "MountStore", "link_files", "write_rows"]

"""Tables, commits, versions: the only room that knows Iceberg."""

from atoll.lake.lake import Lake

__all__ = ["Lake"]

"""Projects' shares as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from atoll.flows.read_share import ShareUse
from atoll.model.record import Frozen
from atoll.workspaces.project_shares import ShareEntry


class ShareAnswer(Frozen):
    """A project's share, and how full it is."""

    #: Where machines see it.
    path: str
    used_bytes: int
    quota_bytes: int

    @classmethod
    def of(cls, use: ShareUse) -> Self:
        """The share."""
        return cls(path=use.path, used_bytes=use.used_bytes, quota_bytes=use.quota_bytes)


class ShareEntryAnswer(Frozen):
    """A file or folder of a share."""

    name: str
    folder: bool
    size_bytes: int
    changed_at: datetime

    @classmethod
    def of(cls, entry: ShareEntry) -> Self:
        """The entry."""
        return cls(name=entry.name, folder=entry.folder, size_bytes=entry.size_bytes, changed_at=entry.changed_at)


class FileOfShare(Frozen):
    """A file of the project's share."""

    #: Below the share, such as `results/table-1.csv`.
    path: Annotated[str, Field(min_length=1, max_length=2000)]

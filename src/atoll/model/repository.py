"""Git repositories of projects, and the generations of their backups."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Frozen, Record


class Repository(Record):
    """A project's git repository. Id `<project>/<name>`; what is in it lies on the host."""

    kind: ClassVar[str] = "repository"
    indexes: ClassVar[tuple[str, ...]] = ("project",)

    project: str
    name: str
    created_at: datetime
    #: Login, or `platform` for one that was found on the host.
    created_by: str
    pushes: int = 0
    last_push_at: datetime | None = None
    last_push_by: str = ""
    #: When its backup was last made, or found to be what the repository still is.
    backed_up_at: datetime | None = None
    #: The newest generation of its backup; empty when there is none.
    generation: str = ""
    #: Why the last backup failed; empty when it did not.
    backup_failure: str = ""


class BundleFile(Frozen):
    """A git bundle of a backup."""

    name: str
    sha256: str
    bytes: int


class Generation(Frozen):
    """What a repository was at one time, and the bundles that bring it back, in their order."""

    id: str
    made_at: datetime
    #: What `HEAD` names, e.g. `refs/heads/main`.
    head: str
    #: Object ids by ref.
    refs: dict[str, str]
    #: The first is whole, each further one holds what came after those before it.
    files: tuple[BundleFile, ...]

    @property
    def bytes(self) -> int:
        """Size of all its bundles; those of a neighbour are often the same files."""
        return sum(file.bytes for file in self.files)

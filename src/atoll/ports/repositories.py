"""Where the git repositories of projects lie, and their backups."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Protocol

from atoll.model.repository import Generation


class RepositoryHost(Protocol):
    """Bare repositories by project and name. Names that are none raise `InvalidInput` everywhere."""

    def projects(self) -> tuple[str, ...]:
        """Projects that have some."""
        ...

    def names(self, project: str) -> tuple[str, ...]:
        """Repositories of a project, by name."""
        ...

    def exists(self, project: str, name: str) -> bool:
        """Whether it stands."""
        ...

    def create(self, project: str, name: str) -> Path:
        """Make an empty one. Raises `AlreadyExists`."""
        ...

    def size_bytes(self, project: str, name: str) -> int:
        """Size on disk. Raises `NotFound`."""
        ...


class RepositoryBackups(Protocol):
    """Generations of backups of the repositories."""

    def back_up(self, project: str, name: str, now: datetime) -> Generation | None:
        """Make a generation if the repository is no longer what the newest one says; gives the newest.

        None while there is nothing in it. Raises `NotFound`, `IntegrityBroken`, `Unavailable`.
        """
        ...

    def generations(self, project: str, name: str) -> tuple[Generation, ...]:
        """Those that are kept, newest first; also of a repository that is lost."""
        ...

    def restore(self, project: str, name: str, generation: str, into: str, now: datetime, *, replace: bool) -> Path:
        """Bring a generation back as the repository `into` of the same project.

        With `replace` one that stands is put aside, not removed. Raises `NotFound`,
        `AlreadyExists`, `IntegrityBroken` for a backup that is damaged.
        """
        ...

"""Git repositories, pushes and packages as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from atoll.flows.manage_repositories import RepositoryView
from atoll.model.package import PackageDownload
from atoll.model.push import Push
from atoll.model.record import Frozen
from atoll.model.repository import Generation
from atoll.model.said import Sentence
from atoll.ports.records import StreamEntry

_Name = Annotated[str, Field(max_length=80)]


class NewRepository(Frozen):
    """A repository to make."""

    name: _Name


class Restoration(Frozen):
    """A backup to bring back."""

    #: Id of the generation; left out, the newest.
    generation: Annotated[str, Field(max_length=40)] = ""
    #: Name of the repository it becomes; left out, its own.
    into: _Name | None = None
    #: Put a repository of that name aside on the host; without it one that stands is a conflict.
    replace: bool = False


class GenerationAnswer(Frozen):
    """A backup."""

    id: str
    made_at: datetime
    #: How many refs it brings back.
    refs: int
    #: Size of its bundles; neighbours share most of them.
    bytes: int

    @classmethod
    def of(cls, generation: Generation) -> Self:
        """The generation, without the names of what is in it."""
        return cls(id=generation.id, made_at=generation.made_at, refs=len(generation.refs), bytes=generation.bytes)


class RepositoryAnswer(Frozen):
    """A repository of a project. Machines reach it as `atoll:<project>/<name>.git`."""

    project: str
    name: str
    address: str
    created_at: datetime
    created_by: str
    #: On disk; null for one that does not stand on this host.
    size_bytes: int | None
    pushes: int
    last_push_at: datetime | None
    last_push_by: str
    #: When its newest backup was made, or found to be what it still is.
    last_backup_at: datetime | None
    #: Why the last backup failed; empty when it did not.
    backup_failure: Sentence
    #: Newest first; in a list they are left out.
    backups: tuple[GenerationAnswer, ...]

    @classmethod
    def of(cls, view: RepositoryView) -> Self:
        """The repository."""
        one = view.repository
        return cls(
            project=one.project,
            name=one.name,
            address=f"atoll:{one.project}/{one.name}.git",
            created_at=one.created_at,
            created_by=one.created_by,
            size_bytes=view.size_bytes,
            pushes=one.pushes,
            last_push_at=one.last_push_at,
            last_push_by=one.last_push_by,
            last_backup_at=one.backed_up_at if one.generation else None,
            backup_failure=one.backup_failure,
            backups=tuple(map(GenerationAnswer.of, view.generations)),
        )


class PushAnswer(Push):
    """A push, and when it ended."""

    at: datetime

    @classmethod
    def of(cls, entry: StreamEntry) -> Self:
        """The entry."""
        return cls.model_validate(dict(entry.body))


class PackageAnswer(PackageDownload):
    """A package file that went into a machine, and when."""

    at: datetime

    @classmethod
    def of(cls, entry: StreamEntry) -> Self:
        """The entry."""
        return cls.model_validate(dict(entry.body))

"""Whose gateway it is, what it may do, and what the platform is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from atoll.model.package import PackageDownload
from atoll.model.push import Push


@dataclass(frozen=True)
class Machine:
    """One machine, as its gateway knows it.

    Attributes:
        workspace: id of the workspace.
        project: name of its project; no other project is reached.
        socket: where the machine's gateway listens, `<machine>/gw/gw.sock`.
        uid: account on the host that the machine's processes run under; None is the platform's own.
    """

    workspace: str
    project: str
    socket: Path
    uid: int | None = None


@dataclass(frozen=True)
class Identity:
    """For whom a machine speaks, at this moment.

    Attributes:
        login: the person, for records of downloads and pushes.
        token: bearer token of the workspace for the platform's API. It never enters the machine.
    """

    login: str
    token: SecretStr


@dataclass(frozen=True)
class Callbacks:
    """What the gateway asks and tells the platform. All are called in threads and may block.

    Attributes:
        identity: the identity of a workspace by id, asked anew for every request, so that what is
            revoked ends at once. Raises `NotAuthenticated`, `NotPermitted` or `NotFound` to refuse.
        record_download: told of each package file before its last byte goes in. What it raises
            keeps the file out: nothing enters off the record.
        record_push: told of each push with what became of every ref, before the answer ends.
        create_repository: whether a repository that is missing may be made for this first push,
            by workspace and name; its project is the workspace's.
    """

    identity: Callable[[str], Identity]
    record_download: Callable[[PackageDownload], None]
    record_push: Callable[[Push], None]
    create_repository: Callable[[str, str], bool] = field(default=lambda _workspace, _name: False)

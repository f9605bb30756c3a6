"""Packages and their files, as an index tells of them, the same for every ecosystem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Digest:
    """A hash that an index promises: algorithm as hashlib names it, and hexadecimal value."""

    algorithm: str
    value: str

    @property
    def key(self) -> str:
        """Name in the cache."""
        return f"{self.algorithm}-{self.value}"


#: Of an index that promises nothing.
NO_DIGEST = Digest("none", "")


@dataclass(frozen=True)
class Release:
    """One file of one version of a package.

    Attributes:
        published_at: when upstream took it in, None when it does not say.
        facts: what else the index tells of it and is passed on.
    """

    version: str
    file: str
    url: str
    digest: Digest
    published_at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Package:
    """A package with its files, in the order of its index.

    Attributes:
        tags: names of versions, like npm's `latest`.
    """

    name: str
    releases: tuple[Release, ...]
    tags: Mapping[str, str] = field(default_factory=dict)


def time_of(text: object) -> datetime | None:
    """A time with its zone as an index writes it, None when it is none."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None

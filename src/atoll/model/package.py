"""Packages that go into machines."""

from __future__ import annotations

from atoll.model.record import Frozen


class PackageDownload(Frozen):
    """A package file that went into a machine."""

    #: Where it went, and the login for whom.
    workspace: str
    project: str
    login: str
    #: `pypi`, `npm`, `cran` or `debian`.
    ecosystem: str
    #: As the ecosystem names them; both empty for a list of all packages.
    package: str
    version: str
    file: str
    #: Hexadecimal, of what went in.
    sha256: str
    bytes: int
    #: Whether it was checked against a hash that the index promised.
    verified: bool
    #: Whether the mirror had it already.
    from_cache: bool

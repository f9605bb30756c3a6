"""Order of versions, by the rules of each ecosystem."""

from __future__ import annotations

import re
from typing import Any

from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

_SEMVER = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")


def order(ecosystem: str, version: str) -> Any:  # noqa: ANN401 - each ecosystem has its own kind of key
    """A key to compare versions of one ecosystem by, None when the version cannot be read.

    PyPI by PEP 440, npm by SemVer 2.0 section 11, CRAN by its numbers; Debian's order
    is not known here.
    """
    if ecosystem == "pypi":
        try:
            return PythonVersion(version)
        except InvalidVersion:
            return None
    if ecosystem == "npm":
        return _semver(version)
    if ecosystem == "cran":
        parts = re.split(r"[.-]", version)
        return tuple(map(int, parts)) if all(map(str.isdecimal, parts)) else None
    return None


def is_prerelease(version: str) -> bool:
    """Whether npm takes the version for a preview."""
    return "-" in version.partition("+")[0]


def _semver(version: str) -> tuple[Any, ...] | None:
    if version == "0":  # OSV's word for the first of all versions
        return ((0, 0, 0), 0, ())
    match = _SEMVER.fullmatch(version)
    if match is None:
        return None
    numbers = tuple(int(part) for part in match.group(1, 2, 3))
    preview = match.group(4)
    if preview is None:
        return (numbers, 1, ())
    parts = tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in preview.split("."))
    return (numbers, 0, parts)

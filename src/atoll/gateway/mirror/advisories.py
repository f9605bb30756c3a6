"""Known vulnerabilities, from a local directory of files in the OSV format.

The format: https://ossf.github.io/osv-schema/ . Operators bring the files; nothing is fetched.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from atoll.errors import InvalidInput
from atoll.gateway.mirror.names import normal_name
from atoll.gateway.mirror.versions import order

#: OSV's names of ecosystems.
_ECOSYSTEMS = {"PyPI": "pypi", "npm": "npm", "CRAN": "cran", "Debian": "debian"}


class Advisories:
    """Which versions are known to be vulnerable.

    Args:
        directory: with `*.json`, at any depth; None knows of nothing. Read once.

    Raises `InvalidInput` for a file that is not in the format: a hold that is not
    understood must not be taken for none.
    """

    def __init__(self, directory: Path | None) -> None:
        self._affected: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
        for path in sorted(directory.rglob("*.json")) if directory else ():
            try:
                self._take(json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise InvalidInput(
                    "A vulnerability file is not in the OSV format.",
                    where=path.name,
                    todo="Mend it or take it out of the directory of advisories.",
                ) from None

    def _take(self, advisory: Mapping[str, Any]) -> None:
        name = str(advisory["id"])
        if advisory.get("withdrawn"):
            return
        for affected in advisory.get("affected", ()):
            package = affected.get("package")
            if package is None:
                continue
            ecosystem = _ECOSYSTEMS.get(package["ecosystem"].partition(":")[0])
            if ecosystem is not None:
                _check(affected)
                self._affected[ecosystem, normal_name(ecosystem, package["name"])].append((name, affected))

    def of(self, ecosystem: str, package: str, version: str) -> tuple[str, ...]:
        """Ids of the advisories that name this version. A version that cannot be compared counts as named."""
        return tuple(
            name
            for name, affected in self._affected.get((ecosystem, normal_name(ecosystem, package)), ())
            if _names(affected, ecosystem, version)
        )


def _check(affected: Mapping[str, Any]) -> None:
    for known in affected.get("ranges", ()):
        for event in known["events"]:
            event.items()


def _names(affected: Mapping[str, Any], ecosystem: str, version: str) -> bool:
    if version in affected.get("versions", ()):
        return True
    ranges = [known for known in affected.get("ranges", ()) if known["type"] != "GIT"]
    if not ranges and not affected.get("versions"):
        return True  # the whole package
    return any(_within(known["events"], ecosystem, version) for known in ranges)


def _within(events: Iterable[Mapping[str, str]], ecosystem: str, version: str) -> bool:
    """OSV's own algorithm: the last event at or before the version says whether it is affected."""
    here = order(ecosystem, version)
    marks = [(kind, order(ecosystem, at)) for event in events for kind, at in event.items() if kind != "limit"]
    if here is None or any(at is None for _, at in marks):
        return True
    vulnerable = False
    for kind, at in sorted(marks, key=lambda mark: mark[1]):
        if kind == "introduced" and here >= at:
            vulnerable = True
        elif (kind == "fixed" and here >= at) or (kind == "last_affected" and here > at):
            vulnerable = False
    return vulnerable

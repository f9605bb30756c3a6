"""Names of packages: which are names at all, and which are the same."""

from __future__ import annotations

import re

from atoll.errors import NotFound

#: PEP 508; npm's rules for new packages, scope included; R's "Writing R Extensions" 1.1.1; Debian Policy 5.6.7.
_NAMES = {
    "pypi": re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?"),
    "npm": re.compile(r"(?:@[a-z0-9~-][a-z0-9._~-]{0,99}/)?[A-Za-z0-9~-][A-Za-z0-9._~-]{0,127}"),
    "cran": re.compile(r"[A-Za-z][A-Za-z0-9.]{0,126}[A-Za-z0-9]"),
    "debian": re.compile(r"[a-z0-9][a-z0-9+.-]{1,126}"),
}


def normal_name(ecosystem: str, name: str) -> str:
    """The one spelling of a name: for PyPI by PEP 503, elsewhere as it is."""
    return re.sub(r"[-_.]+", "-", name).lower() if ecosystem == "pypi" else name


def checked_name(ecosystem: str, name: str) -> str:
    """The one spelling. Raises `NotFound` for what is no name."""
    if _NAMES[ecosystem].fullmatch(name) is None:
        raise NotFound("No package has such a name.", where=f"{ecosystem}/{name[:80]}")
    return normal_name(ecosystem, name)

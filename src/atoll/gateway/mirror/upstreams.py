"""Where packages come from: what the operators set, or what this host's own tools are set to."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping

from atoll.errors import Unavailable

_WAIT_SECONDS = 20


class Upstreams:
    """The address of each ecosystem's index, found at its first use.

    Args:
        urls: set by operators, by ecosystem; an empty one is found out from the host.
        discover: whether what is not set is found out from the host's own pip, npm, R and apt.
    """

    def __init__(self, urls: Mapping[str, str], *, discover: bool = True) -> None:
        self._urls = {ecosystem: url.rstrip("/") for ecosystem, url in urls.items() if url}
        self._discover = discover

    async def url(self, ecosystem: str) -> str:
        """The address, with no slash at its end. Raises `Unavailable` when there is none."""
        found = self._urls.get(ecosystem, "")
        if not found and self._discover:
            found = await asyncio.to_thread(discovered, ecosystem)
            self._urls[ecosystem] = found
        if not found.startswith(("http://", "https://")):
            raise Unavailable(
                f"The package mirror has no upstream for {ecosystem}.",
                todo=f"Operators set ATOLL_MIRROR_{ecosystem.upper()}_URL.",
            )
        return found


def discovered(ecosystem: str) -> str:
    """What this host's own tool is set to, empty when there is no such tool or setting."""
    return _FINDERS[ecosystem]().strip().rstrip("/")


def _pip() -> str:
    """PIP_INDEX_URL, pip's configuration, pip's own default: in pip's order."""
    if url := os.environ.get("PIP_INDEX_URL"):
        return url
    if url := _output(sys.executable, "-m", "pip", "config", "get", "global.index-url"):
        return url
    try:
        return str(importlib.import_module("pip._internal.models.index").PyPI.simple_url)
    except (ImportError, AttributeError):
        return ""


def _npm() -> str:
    return _output("npm", "config", "get", "registry")


def _r() -> str:
    return _output("Rscript", "-e", 'cat(getOption("repos")["CRAN"])')


def _apt() -> str:
    """The first archive that apt knows of."""
    lines = _output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").splitlines()
    ordinary = [line for line in lines if "security" not in line]
    return (ordinary or lines or [""])[0]


_FINDERS: Mapping[str, Callable[[], str]] = {"pypi": _pip, "npm": _npm, "cran": _r, "debian": _apt}


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_WAIT_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

"""The mirror of CRAN: an index of just the packages that someone asks for, and their files.

CRAN has one list of all packages, and R wants a list before it installs. So a
repository below `/cran/for/<name>+<name>/` lists these packages and what they need,
put together from each one's own DESCRIPTION; inside machines `install.packages`
goes there (see `inside`). The list of all is passed on only where operators say so.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from atoll.errors import LimitExceeded, NotFound, NotPermitted
from atoll.gateway.mirror.archives import ArchiveMirror
from atoll.gateway.mirror.holds import Holds
from atoll.gateway.mirror.names import checked_name
from atoll.gateway.mirror.release import NO_DIGEST, Package, Release
from atoll.gateway.mirror.sending import Taker
from atoll.gateway.mirror.upstream import Packages, Upstream
from atoll.gateway.mirror.upstreams import Upstreams

_FOR = re.compile(r"for/(?P<names>[A-Za-z0-9.+]{1,2000})/(?P<rest>.*)")
_LIST = "src/contrib/PACKAGES"
_PACKAGES_MAX = 1000
#: What a list says of a package ("Writing R Extensions", `tools::write_PACKAGES`).
_LISTED = (
    "Package",
    "Version",
    "Depends",
    "Imports",
    "LinkingTo",
    "Suggests",
    "Enhances",
    "License",
    "NeedsCompilation",
)
_NEEDS = ("Depends", "Imports", "LinkingTo")
#: What comes with R itself.
_WITH_R = frozenset(
    "R base compiler datasets graphics grDevices grid methods parallel splines stats stats4 tcltk tools utils".split()  # noqa: SIM905
)


class CranIndex:
    """What upstream says of single packages of CRAN."""

    def __init__(self, upstream: Upstream, upstreams: Upstreams, packages: Packages, holds: Holds) -> None:
        self._upstream = upstream
        self._upstreams = upstreams
        self._packages = packages
        self._holds = holds

    async def published_at(self, name: str, version: str) -> datetime | None:
        """When the version came to CRAN; None when it is not the newest, of which alone CRAN tells."""
        try:
            package = await self._package(name)
        except NotFound:
            return None
        return next((r.published_at for r in package.releases if r.version == version), None)

    async def listing(self, names: Iterable[str]) -> str:
        """A list of the packages and all that they need, in the format of `PACKAGES`.

        Raises `NotPermitted` when one that was asked for is held; what is held of their needs is left out.
        """
        wanted = {checked_name("cran", name) for name in names}
        asked, seen, entries = set(wanted), set(wanted), []
        while wanted:
            if len(seen) > _PACKAGES_MAX:
                raise LimitExceeded("The packages need too many others.", todo="Ask for fewer at once.")
            found = await asyncio.gather(*(self._entry(name, asked=name in asked) for name in sorted(wanted)))
            wanted = set()
            for release in filter(None, found):
                entries.append(_entry_text(release.facts))
                wanted |= _needs(release.facts) - seen
            seen |= wanted
        return "\n".join(entries)

    async def _entry(self, name: str, *, asked: bool) -> Release | None:
        try:
            self._holds.check_name("cran", name)
            return self._holds.let_through("cran", await self._package(name))[0]
        except NotFound:
            return None  # R says that it is not available
        except NotPermitted:
            if asked:
                raise
            return None

    async def _package(self, name: str) -> Package:
        async def ask() -> Package:
            url = f"{await self._upstreams.url('cran')}/web/packages/{name}/DESCRIPTION"
            facts = _fields((await self._upstream.page(url, "text/plain")).text.decode("utf-8", "replace"))
            version = facts.get("Version", "")
            if facts.get("Package") != name or re.fullmatch(r"[0-9.-]+", version) is None:
                raise NotFound("Upstream has no such package.", where=f"cran/{name}")
            return Package(name, (Release(version, "", url, NO_DIGEST, _published_at(facts), facts),))

        return await self._packages.get("cran", name, ask)


class CranMirror:
    """Answers R's `install.packages`."""

    def __init__(self, index: CranIndex, archive: ArchiveMirror) -> None:
        self._index = index
        self._archive = archive

    async def handle(self, request: web.Request, path: str, taker: Taker) -> web.StreamResponse:
        """Answer `path`, which is what follows `/cran/`. Raises domain errors."""
        match = _FOR.fullmatch(path)
        if match is None:
            return await self._archive.handle(request, path, taker)
        if match["rest"] == _LIST:
            text = await self._index.listing(match["names"].split("+"))
            return web.Response(text=text, headers={"Cache-Control": "no-store"})
        if match["rest"].startswith(_LIST):
            raise NotFound("The list is plain text only.")  # R goes on to that
        return await self._archive.handle(request, match["rest"], taker)


def _fields(text: str) -> dict[str, str]:
    """The fields of a Debian control file, as R writes them; long ones go on in indented lines."""
    fields: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and last:
            fields[last] += " " + line.strip()
        else:
            last, colon, value = line.partition(":")
            if not colon:
                break
            fields[last] = value.strip()
    return fields


def _needs(fields: Mapping[str, str]) -> set[str]:
    named = (part.partition("(")[0].strip() for need in _NEEDS for part in fields.get(need, "").split(","))
    return {name for name in named if re.fullmatch(r"[A-Za-z][A-Za-z0-9.]*[A-Za-z0-9]", name)} - _WITH_R


def _entry_text(fields: Mapping[str, str]) -> str:
    return "".join(f"{name}: {fields[name]}\n" for name in _LISTED if name in fields)


def _published_at(fields: Mapping[str, str]) -> datetime | None:
    try:
        told = fields["Date/Publication"].removesuffix(" UTC")
        return datetime.fromisoformat(told).replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return None

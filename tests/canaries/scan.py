"""Looking for canaries in every byte of every file.

    leaks = scan(home, planted.canaries, exclude=[home / "quarantine"])
    assert not leaks, describe(leaks)

`scan` reads each file below `root` raw, and what can be opened is opened: gzip, zlib and
zstd streams, zip archives, Avro blocks, Parquet (all columns, statistics, metadata),
Arrow IPC, SQLite (all cells, in all tables; beside the raw pages, deleted rows and WAL).
In every stretch of bytes it looks for

- tokens: as they are, in any case, UTF-16, hexadecimal, base64 at each of its three
  alignments (standard and URL alphabet); the first 12 characters count as found;
- digits: as text;
- dates and datetimes: ISO text, with `T` or blank, and datetimes as microseconds since
  1970, as text and as 8-byte integers of opened containers;
- cells (short values, ZIP codes): as a whole cell of Parquet, Arrow or SQLite, or quoted.

`scan_bytes(data, canaries)` does the same for bytes that are no file: an API answer, a log.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from tests.canaries.containers import opened
from tests.canaries.tokens import DIGITS_PREFIX, TOKEN_LENGTH, TOKEN_PREFIX, Canary, Kind

_HALF = 12
_TOKEN = re.compile(TOKEN_PREFIX.encode() + rb"[A-Z2-7]{%d,%d}" % (_HALF - len(TOKEN_PREFIX), TOKEN_LENGTH - 4), re.I)
_HEX = re.compile(TOKEN_PREFIX.encode().hex().encode() + rb"(?:[0-9a-f]{2}){8,12}", re.I)
_HEX_LOWER = re.compile(TOKEN_PREFIX.lower().encode().hex().encode() + rb"(?:[0-9a-f]{2}){8,12}", re.I)
_UTF16 = re.compile(b"".join(b"%c\0" % c for c in TOKEN_PREFIX.encode()) + rb"(?:[A-Z2-7]\0){8,12}", re.I)
_DIGITS = re.compile(DIGITS_PREFIX.encode() + rb"[0-9]{7}")
_DATE = re.compile(rb"([2-9][0-9]{3}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}:[0-9]{2}))?")
_MICROS_TEXT = re.compile(rb"(?<![0-9])[0-9]{16,18}(?![0-9])")
_QUOTED = re.compile(rb"[\"'>,|\t]([0-9]{5,9})[\"'<,|\t\r\n]")
_BASE64_RUN = rb"[A-Za-z0-9+/_-]{8,40}"


@dataclass(frozen=True)
class Leak:
    """A canary found: where, and in what form (`token`, `hex`, `base64`, `cell`, ...)."""

    path: str
    within: str
    form: str
    canary: Canary


def scan(root: Path, canaries: Iterable[Canary], exclude: Sequence[Path] = ()) -> list[Leak]:
    """Every canary in every file below `root`, file names included; sorted by path.

    Args:
        root: a folder, or one file.
        canaries: as `plant` returned them.
        exclude: folders or files that may hold them (quarantine, the landing place).
    """
    finder = _Finder(tuple(canaries))
    skipped = [e.resolve() for e in exclude]
    leaks: set[Leak] = set()
    for path in sorted([root] if root.is_file() else root.rglob("*")):
        if any(path.resolve().is_relative_to(e) for e in skipped):
            continue
        leaks |= {Leak(str(path), "name", form, canary) for form, canary in finder.find(path.name.encode())}
        if path.is_file() and not path.is_symlink():
            leaks |= set(_scan_file(path, finder))
    return sorted(leaks, key=lambda leak: (leak.path, leak.within, leak.form, leak.canary.text))


def scan_bytes(data: bytes, canaries: Iterable[Canary], name: str = "bytes") -> list[Leak]:
    """Every canary in some bytes that are no file; containers are opened as in `scan`."""
    finder = _Finder(tuple(canaries))
    found = [
        (part.within, *hit) for part in opened(data) for hit in finder.find(part.data, part.is_container, part.cells)
    ]
    return [Leak(name, within, form, canary) for within, form, canary in sorted(set(found), key=str)]


def describe(leaks: Sequence[Leak], limit: int = 20) -> str:
    """The leaks as text for an assertion's message."""
    lines = [
        f"{leak.path} [{leak.within}] {leak.form}: {leak.canary.file} {leak.canary.column} ({leak.canary.treatment})"
        for leak in leaks[:limit]
    ]
    return "\n".join([f"{len(leaks)} canaries found", *lines])


def _scan_file(path: Path, finder: _Finder) -> Iterator[Leak]:
    for part in opened(path.read_bytes(), path):
        for form, canary in finder.find(part.data, part.is_container, part.cells):
            yield Leak(str(path), part.within, form, canary)


@dataclass(frozen=True)
class _Finder:
    canaries: tuple[Canary, ...]

    def find(self, data: bytes, integers: bool = False, cells: Sequence[str] = ()) -> Iterator[tuple[str, Canary]]:
        """Form and canary of all hits in `data` and `cells`."""
        yield from self._tokens(data)
        for hit in _DIGITS.findall(data):
            yield from self._exact("digits", hit)
        for day, time in _DATE.findall(data):
            yield from self._exact("date", day)
            yield from self._exact("datetime", day + b"T" + time + b"Z")
        for hit in _MICROS_TEXT.findall(data):
            yield from self._micros(int(hit))
        for hit in _QUOTED.findall(data):
            yield from self._exact("cell", hit)
        for cell in cells:
            yield from self._exact("cell", cell.encode())
        if integers:
            yield from self._integers(data)

    def _tokens(self, data: bytes) -> Iterator[tuple[str, Canary]]:
        for hit in _TOKEN.findall(data):
            yield from self._token("token", hit)
        for hit in (*_HEX.findall(data), *_HEX_LOWER.findall(data)):
            yield from self._token("hex", bytes.fromhex(hit.decode()))
        for hit in _UTF16.findall(data):
            yield from self._token("utf-16", hit.replace(b"\0", b""))
        for pattern, lead in _BASE64:
            for run in pattern.findall(data):
                text = run.translate(bytes.maketrans(b"-_", b"+/"))
                text = lead + text
                decoded = base64.b64decode(text[: len(text) // 4 * 4])
                for hit in _TOKEN.findall(decoded):
                    yield from self._token("base64", hit)

    def _token(self, form: str, text: bytes) -> Iterator[tuple[str, Canary]]:
        found = self._halves.get(text.upper()[:_HALF].decode("latin-1"))
        if found is not None:
            yield form, found

    def _exact(self, form: str, text: bytes) -> Iterator[tuple[str, Canary]]:
        found = self._texts.get(text.decode("latin-1"))
        if found is not None:
            yield form, found

    def _micros(self, value: int) -> Iterator[tuple[str, Canary]]:
        found = self._moments.get(value)
        if found is not None:
            yield "microseconds", found

    def _integers(self, data: bytes) -> Iterator[tuple[str, Canary]]:
        wanted = np.array(sorted(self._moments), dtype="<i8")
        if not len(wanted):
            return
        for shift in range(8):
            count = (len(data) - shift) // 8
            if count <= 0:
                return
            values = np.frombuffer(data, dtype="<i8", count=count, offset=shift)
            for value in np.intersect1d(values, wanted):
                yield "integer", self._moments[int(value)]

    @cached_property
    def _halves(self) -> dict[str, Canary]:
        return {c.text[:_HALF]: c for c in self.canaries if c.kind is Kind.TOKEN}

    @cached_property
    def _texts(self) -> dict[str, Canary]:
        return {c.text: c for c in self.canaries if c.kind is not Kind.TOKEN}

    @cached_property
    def _moments(self) -> dict[int, Canary]:
        moments = [(datetime.fromisoformat(c.text), c) for c in self.canaries if c.kind is Kind.DATETIME]
        start = datetime(1970, 1, 1, tzinfo=UTC)
        return {round((moment - start).total_seconds()) * 1_000_000: canary for moment, canary in moments}


def _base64_patterns() -> list[tuple[re.Pattern[bytes], bytes]]:
    """For each alignment, the characters that are sure, and those to put before them."""
    patterns = []
    for prefix in (TOKEN_PREFIX, TOKEN_PREFIX.lower()):
        for before in range(3):
            sure = base64.b64encode(b"\0" * before + prefix.encode() + b"\0\0")
            first = -(-before * 8 // 6)
            last = (before + len(prefix)) * 8 // 6
            patterns.append((re.compile(re.escape(sure[first:last]) + _BASE64_RUN), sure[:first]))
    return patterns


_BASE64 = _base64_patterns()

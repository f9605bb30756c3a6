"""Where a large file is cut, so that each piece is read as its rows are in the whole.

CSV is cut behind a line end outside quotes, when every quote of the file stands well; JSON
lines behind a line end before a line that is a record. Anything else is not cut.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

from atoll.deid.readers.csv_header import read_header
from atoll.deid.readers.csv_quotes import QuoteCheck
from atoll.deid.readers.fhir import is_lines
from atoll.errors import DeliveryRefused
from atoll.model.contract import CsvDialect, Format, TableContract

_CHUNK_BYTES = 1 << 18
_CR, _LF = 13, 10
#: A line that may begin a piece is looked for so far, then the file is not cut there.
_LINE_MAX_BYTES = 8 << 20
_LINES_TRIED = 20


@dataclass(frozen=True)
class Piece:
    """Bytes `start` to `end` of a file, behind the first `head` ones, which every piece begins with."""

    head: int
    start: int
    end: int


def pieces_of(path: Path, table: TableContract, share_bytes: int) -> tuple[Piece, ...]:
    """The pieces of the file, each of about `share_bytes` at most; none where it is to be read whole."""
    size = path.stat().st_size
    count = math.ceil(size / share_bytes)
    if count < 2 or table.each is not None:
        return ()
    targets = [size * n // count for n in range(1, count)]
    match table.format:
        case Format.CSV:
            try:
                head = read_header(path, table).data_offset
            except DeliveryRefused:
                return ()
            cuts = _csv_cuts(path, head, table.csv, targets)
        case Format.NDJSON | Format.FHIR if table.format is Format.NDJSON or is_lines(path):
            head, cuts = 0, _line_cuts(path, targets)
        case _:
            return ()
    edges = [head, *cuts, size]
    return tuple(Piece(head, a, b) for a, b in pairwise(edges)) if cuts else ()


@contextmanager
def cut_out(path: Path, piece: Piece, place: Path) -> Iterator[Path]:
    """The piece as a file at `place`, 0600, as long as the context lasts."""
    try:
        place.touch(0o600, exist_ok=False)
        with path.open("rb") as source, place.open("wb") as out:
            for start, end in ((0, piece.head), (piece.start, piece.end)):
                at = start
                while at < end and (copied := os.sendfile(out.fileno(), source.fileno(), at, end - at)):
                    at += copied
        yield place
    finally:
        place.unlink(missing_ok=True)


def _csv_cuts(path: Path, head: int, dialect: CsvDialect, targets: list[int]) -> list[int]:
    check = QuoteCheck(separator=dialect.separator, quote=dialect.quote)
    cuts: list[int] = []
    wanted = [target for target in targets if target > head]
    position, is_open = head, False
    buffer = bytearray(_CHUNK_BYTES)
    with path.open("rb", buffering=0) as file:
        file.seek(head)
        while size := file.readinto(buffer):
            chunk = np.frombuffer(memoryview(buffer)[:size], dtype=np.uint8)
            while wanted and wanted[0] < position + size:
                cut = _cut_within(chunk, max(0, wanted[0] - position), is_open, ord(dialect.quote))
                if cut is None:
                    break
                cuts.append(position + cut)
                wanted = [target for target in wanted if target > cuts[-1]]
            is_open ^= bool(check.feed(chunk) % 2)
            position += size
    return cuts if check.sound else []


def _cut_within(chunk: npt.NDArray[np.uint8], first: int, is_open: bool, quote: int) -> int | None:
    """Behind a line end outside quotes, with a line before and behind it that is not empty."""
    ends = np.flatnonzero(chunk[first:] == _LF) + first
    quotes = np.flatnonzero(chunk == quote)
    outside = (np.searchsorted(quotes, ends) + is_open) % 2 == 0
    for end in ends[outside]:
        at = int(end)
        before = at - 2 if at > 0 and chunk[at - 1] == _CR else at - 1
        if before >= 0 and at + 1 < len(chunk) and chunk[before] != _LF and chunk[at + 1] not in (_CR, _LF):
            return at + 1
    return None


def _line_cuts(path: Path, targets: list[int]) -> list[int]:
    cuts: list[int] = []
    with path.open("rb") as file:
        for target in targets:
            file.seek(max(target, cuts[-1] if cuts else 0))
            file.readline(_LINE_MAX_BYTES)
            for _ in range(_LINES_TRIED):
                at = file.tell()
                line = file.readline(_LINE_MAX_BYTES)
                if line.endswith(b"\n") and _is_record(line):
                    if at not in cuts:
                        cuts.append(at)
                    break
    return cuts


def _is_record(line: bytes) -> bool:
    """Whether a file that begins with the line is read as lines."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(record, dict) and record.get("resourceType") != "Bundle"

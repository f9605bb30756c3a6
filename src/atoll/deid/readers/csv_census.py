"""Bytes of a CSV file counted, to prove that no row was padded or cut in reading.

Polars raises on a row with too many fields but fills up one with too few. A file whose
rows are all at most n fields long and which has (rows x (n - 1)) separators outside its
values has exactly n fields in each row; counting is far cheaper than a second parser.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from atoll.deid.readers.csv_quotes import QuoteCheck

#: Fits the second-level cache; larger chunks are slower.
_CHUNK_BYTES = 1 << 18
_CR, _LF = 13, 10


@dataclass(frozen=True)
class Census:
    """Bytes counted from the first data row on.

    Attributes:
        separators, quotes, nuls: how often each stands in the data.
        quotes_sound: whether every quote stands where one may (see `csv_quotes`).
        lone_returns: CR that no LF follows; Polars may swallow one.
        blank_end: whether the file ends with an empty line.
        separator_end: whether its last byte is a separator; Polars drops a field too many that is empty and last.
    """

    separators: int
    quotes: int
    quotes_sound: bool
    nuls: int
    lone_returns: int
    blank_end: bool
    separator_end: bool


def take_census(path: Path, *, offset: int, separator: str, quote: str) -> Census:
    """Count in `path` from byte `offset` on."""
    separators = quotes = nuls = lone = 0
    check = QuoteCheck(separator=separator, quote=quote)
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    tail = b""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        while size := file.readinto(buffer):
            chunk = np.frombuffer(view[:size], dtype=np.uint8)
            separators += _count(chunk, ord(separator))
            quotes += check.feed(chunk)
            nuls += _count(chunk, 0)
            if returns := _count(chunk, _CR):
                lone += returns - int(np.count_nonzero((chunk[:-1] == _CR) & (chunk[1:] == _LF)))
            # A CR at the end of one chunk and the LF at the start of the next belong together.
            lone -= tail[-1:] == b"\r" and chunk[0] == _LF
            tail = (tail + bytes(view[max(0, size - 4) : size]))[-4:]
    ends = tail.replace(b"\r", b"")
    blank_end = ends.endswith(b"\n\n") or ends == b"\n"
    separator_end = tail.endswith(separator.encode())
    return Census(separators, quotes, check.sound, nuls, lone, blank_end, separator_end)


def _count(chunk: npt.NDArray[np.uint8], byte: int) -> int:
    return int(np.count_nonzero(chunk == byte))

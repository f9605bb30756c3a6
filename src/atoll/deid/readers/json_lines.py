"""Lines of a file of JSON objects, in blocks, without holding the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_BLOCK_BYTES = 4 << 20
#: A longer line is not read as a row; one clinical note of this size is not credible.
MAX_LINE_BYTES = 64 << 20
_BOM = b"\xef\xbb\xbf"


def line_blocks(path: Path) -> Iterator[list[bytes]]:
    """The lines that are not blank, some megabytes at a time, without line ends.

    A line beyond MAX_LINE_BYTES is given cut to that length plus one byte, so that the
    caller can tell; the rest of it is skipped.
    """
    rest, skipping = b"", False
    with path.open("rb") as file:
        if file.read(len(_BOM)) != _BOM:
            file.seek(0)
        while block := file.read(_BLOCK_BYTES):
            *whole, last = block.split(b"\n")
            if whole:
                first = b"" if skipping else rest + whole[0]
                yield [line for line in (first.strip(), *(w.strip() for w in whole[1:])) if line]
                rest, skipping = last, False
            elif not skipping:
                rest += last
            if len(rest) > MAX_LINE_BYTES:
                yield [rest[: MAX_LINE_BYTES + 1]]
                rest, skipping = b"", True
    if rest.strip():
        yield [rest.strip()]

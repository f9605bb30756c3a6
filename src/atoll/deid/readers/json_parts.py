"""Parts of one large JSON value, one after the other, without holding it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import ijson

from atoll.deid.readers.json_lines import MAX_LINE_BYTES
from atoll.deid.readers.refusal import FileRefused

_BOM = b"\xef\xbb\xbf"
_READ_BYTES = 1 << 16


@contextmanager
def open_json(path: Path) -> Iterator[BinaryIO]:
    """The file behind its byte order mark."""
    with path.open("rb") as file:
        if file.read(len(_BOM)) != _BOM:
            file.seek(0)
        yield file


def json_items(path: Path, prefix: str, *, todo: str) -> Iterator[object]:
    """The values at `prefix` (ijson's way to write it: `rows.item`), parsed.

    Whole numbers are int, others float.

    Raises:
        FileRefused: no JSON or cut off (rule `damaged`), or a value larger than a line may
            be (`too_large`).
    """
    with open_json(path) as file:
        metered = _Metered(file)
        try:
            for item in ijson.items(metered, prefix, use_float=True, buf_size=_READ_BYTES):
                metered.since = 0
                yield item
        except (ijson.JSONError, ValueError, OverflowError):
            what = "The file is no JSON from some place on, or ends within it."
            raise FileRefused(what, rule="damaged", todo=todo) from None


class _Metered:
    """A file that counts what is read, so that one value cannot fill the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.since = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.since += len(data)
        if self.since > MAX_LINE_BYTES + _READ_BYTES:
            raise FileRefused(f"A value of the file is longer than {MAX_LINE_BYTES} bytes.", rule="too_large")
        return data

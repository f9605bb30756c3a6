"""Files that are on the disk before the catalog refers to them.

The catalog's commit survives a power cut; a metadata file that it names but that was
still in the page cache would not, and the table would be lost with it.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from pyiceberg.io import OutputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO


class DurableStream:
    """An output stream that syncs its file and directory when it is closed."""

    def __init__(self, inner: OutputStream, path: Path) -> None:
        self._inner = inner
        self._path = path
        self._closed = False

    def write(self, b: bytes) -> int:
        """Write bytes; how many were taken."""
        return self._inner.write(b)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._inner.tell()

    def close(self) -> None:
        """Close and sync. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._inner.close()
        for place in (self._path, self._path.parent):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def __enter__(self) -> DurableStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class DurableFile(PyArrowFile):
    """A local file, written durably."""

    def create(self, overwrite: bool = False) -> OutputStream:
        """An output stream that syncs when it is closed. Raises `FileExistsError`."""
        return DurableStream(super().create(overwrite), Path(self._path))


class DurableFileIO(PyArrowFileIO):
    """PyIceberg's file access, with durable writes to local files."""

    def new_output(self, location: str) -> PyArrowFile:
        """The file at a location, to be written."""
        scheme, netloc, path = self.parse_location(location, self.properties)
        if scheme != "file":
            return super().new_output(location)
        return DurableFile(
            fs=self.fs_by_scheme(scheme, netloc),
            location=location,
            path=path,
            buffer_size=int(self.properties.get("buffer-size", 1024 * 1024)),
        )

"""Files that hold other bytes: each is opened, so that nothing hides in compression."""

from __future__ import annotations

import gzip
import io
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

_DEPTH = 4
_UNREADABLE = (
    *(OSError, EOFError, IndexError, ValueError),
    *(zlib.error, zipfile.BadZipFile, pa.ArrowException, sqlite3.Error),
)


@dataclass(frozen=True)
class Part:
    """A stretch of bytes to search, and whole cells where the container knows them."""

    within: str
    data: bytes
    is_container: bool = False
    cells: Sequence[str] = ()


def opened(data: bytes, path: Path | None = None, within: str = "raw", depth: int = 0) -> Iterator[Part]:
    """The bytes themselves, and all that can be taken out of them.

    A container that cannot be opened (half written, say) is searched raw only.
    """
    yield Part(within, data, is_container=data[:4] in (b"Obj\x01", b"ARRO", b"PAR1"))
    if depth == _DEPTH:
        return
    try:
        yield from _inside(data, path, depth)
    except (
        OSError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
        pa.ArrowException,
        sqlite3.Error,
        IndexError,
        ValueError,
    ):
        return


def _inside(data: bytes, path: Path | None, depth: int) -> Iterator[Part]:
    if data[:2] == b"\x1f\x8b":
        yield from opened(gzip.decompress(data), within="gzip", depth=depth + 1)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        with pa.input_stream(io.BytesIO(data), compression="zstd") as stream:
            yield from opened(stream.read(), within="zstd", depth=depth + 1)
    elif data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from opened(archive.read(name), within=f"zip {name}", depth=depth + 1)
    elif data[:4] == b"PAR1":
        yield from _parquet(data)
    elif data[:6] == b"ARROW1":
        yield from _table("arrow", pa.ipc.open_file(pa.BufferReader(data)).read_all())
    elif data[:4] == b"Obj\x01":
        for block in _avro_blocks(data):
            yield Part("avro", block, is_container=True)
    elif data[:16] == b"SQLite format 3\0" and path is not None:
        yield from _sqlite(path)
    elif data[:4] == b"\xff\xff\xff\xff":
        yield from _table("arrow", pa.ipc.open_stream(pa.BufferReader(data)).read_all())


def _parquet(data: bytes) -> Iterator[Part]:
    file = pq.ParquetFile(pa.BufferReader(data))
    yield Part("parquet metadata", repr((file.metadata.metadata, file.schema_arrow)).encode())
    bounds: list[Any] = []
    for group in range(file.metadata.num_row_groups):
        for column in range(file.metadata.num_columns):
            statistics = file.metadata.row_group(group).column(column).statistics
            if statistics is not None and statistics.has_min_max:
                bounds += [statistics.min, statistics.max]
    yield _cells("parquet statistics", bounds)
    yield from _table("parquet", file.read())


def _table(within: str, table: pa.Table) -> Iterator[Part]:
    for name in table.column_names:
        yield _cells(f"{within} column {name}", table.column(name).unique().to_pylist())


def _cells(within: str, values: Sequence[Any]) -> Part:
    texts = [v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in values if v is not None]
    return Part(within, "\n".join(texts).encode("utf-8", errors="replace"), cells=texts)


def _avro_blocks(data: bytes) -> Iterator[bytes]:
    """The blocks of an Avro file, decompressed (Avro 1.11, Object Container Files)."""
    stream = io.BytesIO(data[4:])
    metadata = _avro_map(stream)
    sync = stream.read(16)
    while stream.tell() < len(data) - 4:
        _long(stream)
        block = stream.read(_long(stream))
        yield zlib.decompress(block, wbits=-15) if metadata.get(b"avro.codec") == b"deflate" else block
        if stream.read(16) != sync:
            return


def _avro_map(stream: io.BytesIO) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    while count := _long(stream):
        if count < 0:
            _long(stream)
        for _ in range(abs(count)):
            key = stream.read(_long(stream))
            found[key] = stream.read(_long(stream))
    return found


def _long(stream: io.BytesIO) -> int:
    """A zig-zag variable-length integer."""
    value = shift = 0
    while True:
        byte = stream.read(1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1)


def _sqlite(path: Path) -> Iterator[Part]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        database.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            rows = database.execute(f'SELECT * FROM "{name}"').fetchall()
            values = [value for row in rows for value in row]
            yield _cells(f"sqlite {name}", values)
            for value in values:
                if isinstance(value, bytes):
                    yield from opened(value, within=f"sqlite {name} blob", depth=_DEPTH - 1)
    database.close()

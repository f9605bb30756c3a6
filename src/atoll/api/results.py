"""Results of queries in the formats that people ask for, a piece at a time.

Each encoder makes the first rows before it yields its first piece, so that an error
in making them comes before any byte has left.
"""

from __future__ import annotations

import base64
import io
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from atoll.api.schemas.queries import ResultFormat
from atoll.model.query import ResultColumn
from atoll.query import ResultFile

MEDIA_TYPES: Mapping[ResultFormat, str] = MappingProxyType(
    {
        ResultFormat.JSON: "application/json",
        ResultFormat.CSV: "text/csv; charset=utf-8",
        ResultFormat.ARROW: "application/vnd.apache.arrow.stream",
        ResultFormat.PARQUET: "application/vnd.apache.parquet",
    }
)
#: A Parquet result beyond this waits on disk, in an unnamed file.
_SPOOL_BYTES = 32 * 2**20
_PIECE_BYTES = 2**20
_ROWS_AT_ONCE = 10_000

Batches = Iterable[pa.RecordBatch]


def encode(form: ResultFormat, query_id: str, schema: pa.Schema, batches: Batches, spool_dir: Path) -> Iterator[bytes]:
    """The result as bytes, a piece at a time; what must wait on disk waits in `spool_dir`."""
    if form is ResultFormat.PARQUET:
        return _parquet(schema, batches, spool_dir)
    return _ENCODERS[form](query_id, schema, batches)


def json_rows(columns: Sequence[ResultColumn], result: ResultFile, offset: int, limit: int) -> bytes:
    """A page of a kept result: `{"columns": ..., "offset": ..., "total": ..., "rows": [[...], ...]}`."""
    rows = [row for batch in result.batches(offset, limit) for row in _rows(batch)]
    told = {"columns": [dict(column) for column in columns], "offset": offset, "total": result.rows, "rows": rows}
    return orjson.dumps(told, default=_plain)


def _json(query_id: str, schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    """`{"query_id": ..., "columns": [{"name", "type"}], "rows": [[...], ...]}`.

    Decimals are strings, so that no digit is lost; binary is base64; NaN and infinity are null.
    """
    columns = [{"name": field.name, "type": str(field.type)} for field in schema]
    head = orjson.dumps({"query_id": query_id, "columns": columns})[:-1] + b',"rows":['
    piece, comma = head, b""
    for batch in _small(batches):
        rows = orjson.dumps(_rows(batch), default=_plain)[1:-1]
        if rows:
            yield piece + comma + rows
            piece, comma = b"", b","
    yield piece + b"]}\n"


def _csv(query_id: str, schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    """RFC 4180 with a head line. Null is an empty field, an empty text is `""`; nested values are JSON."""
    plain = pa.schema([(field.name, pa.string() if _nested(field.type) else field.type) for field in schema])
    piece = _csv_text(plain.empty_table(), head=True)
    for batch in batches:
        yield piece + _csv_text(_flat(batch, plain), head=False)
        piece = b""
    if piece:
        yield piece


def _arrow(query_id: str, schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    """Arrow IPC stream format."""
    drain = _Drain()
    with pa.ipc.new_stream(pa.PythonFile(drain, mode="w"), schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield drain.take()
    yield drain.take()


def _parquet(schema: pa.Schema, batches: Batches, spool_dir: Path) -> Iterator[bytes]:
    """Parquet with zstd. Its end holds its index, so it is made whole before the first piece."""
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES, dir=str(spool_dir)) as file:
        with pq.ParquetWriter(pa.PythonFile(file, mode="w"), schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
        file.seek(0)
        while piece := file.read(_PIECE_BYTES):
            yield piece


_ENCODERS: Mapping[ResultFormat, Callable[[str, pa.Schema, Batches], Iterator[bytes]]] = MappingProxyType(
    {
        ResultFormat.JSON: _json,
        ResultFormat.CSV: _csv,
        ResultFormat.ARROW: _arrow,
    }
)


class _Drain:
    """A file, as far as Arrow asks for one, whose bytes are taken away as they come."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep the bytes until they are taken."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """Nothing to let go of."""

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _small(batches: Batches) -> Iterator[pa.RecordBatch]:
    """The batches cut into pieces that are cheap to hold as Python values."""
    return itertools.chain.from_iterable(
        (batch.slice(start, _ROWS_AT_ONCE) for start in range(0, batch.num_rows, _ROWS_AT_ONCE)) for batch in batches
    )


def _rows(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _csv_text(rows: pa.RecordBatch | pa.Table, *, head: bool) -> bytes:
    text = io.BytesIO()
    pa_csv.write_csv(rows, text, pa_csv.WriteOptions(include_header=head))
    return text.getvalue()


def _nested(kind: pa.DataType) -> bool:
    """Types that CSV has no form for."""
    return bool(pa.types.is_nested(kind) or pa.types.is_interval(kind))


def _flat(batch: pa.RecordBatch, plain: pa.Schema) -> pa.RecordBatch:
    columns = [
        pa.array(
            [None if v is None else orjson.dumps(v, default=_plain).decode() for v in column.to_pylist()], pa.string()
        )
        if _nested(column.type)
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=plain)


def _plain(value: object) -> object:
    """What JSON has no word for."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, timedelta):
        return value.total_seconds()
    # What is left (intervals of months and the like) has a text of its own.
    return str(value)

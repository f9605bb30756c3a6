"""Governed SQL."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import httpx

from atoll.client.connection import Connection, Json, segment
from atoll.client.problems import BY_CODE
from atoll.errors import AtollError, Unavailable

if TYPE_CHECKING:
    import pyarrow as pa
    from _typeshed import WriteableBuffer

#: Formats of a result.
FORMATS = ("json", "csv", "arrow", "parquet")


@dataclass(frozen=True)
class Result:
    """A result on its way.

    Attributes:
        query_id: the query on record; `Queries.show` tells what it used once the result is read.
        chunks: the result in the format asked for.
    """

    query_id: str
    chunks: Iterator[bytes]


class _Body(io.RawIOBase):
    """Chunks that come, as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        taken = self._rest[: len(view)]
        view[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


class Queries:
    """SQL under a project's grants."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def run(self, project: str, sql: str, format: str = "arrow") -> Iterator[Result]:
        """Run a statement and hand over its result as it comes.

        Raises `StatementRefused`, `NotPermitted`, `LimitExceeded` (also while the result
        is read: a result that ends early is never taken for a whole one).
        """
        body = {"project": project, "sql": sql, "format": format}
        query_id = ""
        try:
            with self._connection.stream("/queries", body) as response:
                query_id = response.headers.get("X-Atoll-Query-Id", "")
                yield Result(query_id, response.iter_bytes())
        except Unavailable:
            if query_id and (reason := self._failure(query_id)):
                raise reason from None
            raise

    @contextmanager
    def batches(self, project: str, sql: str) -> Iterator[tuple[str, pa.RecordBatchReader]]:
        """Run a statement; the query's id and a reader of its record batches as they come."""
        import pyarrow as pa

        with (
            self.run(project, sql, "arrow") as result,
            pa.ipc.open_stream(io.BufferedReader(_Body(result.chunks), 2**20)) as reader,
        ):
            yield result.query_id, reader

    def arrow(self, project: str, sql: str) -> pa.Table:
        """Run a statement; its whole result as an Arrow table."""
        with self.batches(project, sql) as (_, reader):
            return reader.read_all()

    def save(self, project: str, sql: str, format: str, out: BinaryIO) -> str:
        """Run a statement, write its result to `out` as it comes; gives the query's id."""
        with self.run(project, sql, format) as result:
            for chunk in result.chunks:
                out.write(chunk)
        return result.query_id

    def show(self, query_id: str) -> Json:
        """A query that was run or refused, and what it used."""
        return self._connection.get(f"/queries/{segment(query_id)}")

    def list(self, project: str, *, at_most: int | None = None) -> Iterator[Json]:
        """Queries run under a project."""
        return self._connection.items("/queries", project=project, at_most=at_most)

    def _failure(self, query_id: str) -> AtollError | None:
        """Why the server broke a result off, as it stands on the query's record."""
        try:
            record = self.show(query_id)
        except (AtollError, httpx.HTTPError):
            return None
        if not record.get("error_code"):
            return None
        kind = BY_CODE.get(record["error_code"], AtollError)
        return kind(record.get("error") or "The query failed while its result was read.", where=f"query {query_id}")

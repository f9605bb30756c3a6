"""Queries that the platform runs by itself, their kept results, and statements that a project keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from atoll.client.connection import Connection, Json, segment
from atoll.client.problems import BY_CODE
from atoll.errors import AtollError, Unavailable

_WAITS_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)


class QueuedQueries:
    """Asked now, run by the platform, read later and from anywhere."""

    def __init__(self, connection: Connection, sleep: Callable[[float], None]) -> None:
        self._connection = connection
        self._sleep = sleep

    def ask(self, project: str, sql: str, *, fresh: bool = False) -> Json:
        """Have a statement run; the query to follow. `fresh` computes what a kept result would answer."""
        return self._connection.post("/queries/async", {"project": project, "sql": sql, "fresh": fresh})

    def estimate(self, project: str, sql: str) -> Json:
        """What a statement would read and cost; nothing is run. Raises `StatementRefused`."""
        return self._connection.post("/queries/estimate", {"project": project, "sql": sql})

    def wait(
        self, query_id: str, on_progress: Callable[[Json], None] = lambda _: None, *, seconds: float = 3600
    ) -> Json:
        """The query once it is done. Raises the error that it ended with, `Unavailable` after so long."""
        end = time.monotonic() + seconds
        tried = 0
        while (query := self._connection.get(_path(query_id)))["finished_at"] is None:
            on_progress(query)
            if time.monotonic() > end:
                raise Unavailable("The query is not done yet.", where=query_id, todo="Look again later.")
            self._sleep(_WAITS_SECONDS[min(tried, len(_WAITS_SECONDS) - 1)])
            tried += 1
        if query["error_code"]:
            kind = BY_CODE.get(query["error_code"], AtollError)
            raise kind(query["error"] or "The query failed.", where=f"query {query_id}")
        return query

    def rows(self, query_id: str, offset: int = 0, limit: int = 100) -> Json:
        """Rows of a kept result from any row on, at most 1,000 at once."""
        return self._connection.get(f"{_path(query_id)}/rows", offset=offset, limit=limit)

    def save(self, query_id: str, format: str, out: BinaryIO) -> None:
        """Write a kept result to `out`: `arrow`, `csv`, `json` or `parquet`."""
        with self._connection.download(f"{_path(query_id)}/result?format={segment(format)}") as chunks:
            for chunk in chunks:
                out.write(chunk)

    def cancel(self, query_id: str) -> Json:
        """End one's own query that waits or runs."""
        return self._connection.delete(_path(query_id))

    def forget(self, query_id: str) -> None:
        """Remove a kept result before its time."""
        self._connection.delete(f"{_path(query_id)}/result")

    def relations(self, project: str) -> Iterator[Json]:
        """The tables that a project may name in SQL, with columns."""
        return self._connection.items(f"/projects/{segment(project)}/relations")

    def saved(self, project: str) -> Iterator[Json]:
        """Statements that the project keeps."""
        return self._connection.items("/saved-queries", project=project)

    def keep(self, project: str, name: str, sql: str, description: str = "") -> Json:
        """Keep a statement for the people of the project."""
        body = {"name": name, "sql": sql, "description": description}
        return self._connection.post(f"/saved-queries?project={segment(project)}", body)

    def drop(self, saved_id: str) -> None:
        """Remove a kept statement."""
        self._connection.delete(f"/saved-queries/{segment(saved_id)}")


def _path(query_id: str) -> str:
    return f"/queries/{segment(query_id)}"

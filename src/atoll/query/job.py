"""What a query process is asked to do, and what it answers: JSON in, Arrow and JSON out.

The process writes one byte `R` when it is ready and reads one JSON line, a `Job`.
It answers with one JSON line, a `Status`, that says whether the statement holds and
which relations it reads; with another when its first rows are computed; then with an
Arrow IPC stream (schema, batches, end) and a last `Status`, that says how it ended.
A line that carries an error is the last. A filter or a plan is answered by one line. An answer that breaks
off is that of a process that has died.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from atoll.errors import (
    AtollError,
    IntegrityBroken,
    InvalidInput,
    LimitExceeded,
    StatementRefused,
    Unavailable,
)
from atoll.model.query import QueryLimits, Relation, ResultColumn, TablePoint
from atoll.model.record import Frozen
from atoll.model.table import Column

READY = b"R"
#: File with a number between 0 and 1, or nothing.
PROGRESS = "progress"

_ERRORS: dict[str, type[AtollError]] = {
    kind.code: kind for kind in (InvalidInput, StatementRefused, LimitExceeded, IntegrityBroken, Unavailable)
}


class Job(Frozen):
    """One query over relations, one to plan and not to run, one to look for versions in, or a row filter to check."""

    kind: Literal["query", "explain", "points", "filter"]
    #: The statement, or the predicate.
    sql: str
    relations: tuple[Relation, ...] = ()
    columns: tuple[Column, ...] = ()
    #: Every table that may be read, as `dataset.table`, whether it is planned or not.
    names: tuple[str, ...] = ()
    limits: QueryLimits
    #: Whether the process writes how far it is to `PROGRESS`, in its directory.
    tells_progress: bool = False


class Status(Frozen):
    """How the job began, or ended."""

    #: A code of `atoll.errors`, empty when all went well.
    code: str = ""
    what: str = ""
    where: str = ""
    todo: str = ""
    rows: int = 0
    #: `dataset.table` of every relation the statement names.
    relations: tuple[str, ...] = ()
    #: By relation, numbers of the data files that are not read, as what is asked for cannot be in them.
    spared: Mapping[str, tuple[int, ...]] = Field(default_factory=dict)
    #: Of a query that was planned: the columns of its result, and how many rows the engine guesses.
    columns: tuple[ResultColumn, ...] = ()
    guessed_rows: int | None = None
    #: Of a statement that was looked into: the tables that it names at versions.
    points: tuple[TablePoint, ...] = ()

    @classmethod
    def of(cls, error: AtollError) -> Status:
        """The status that carries an error to the other process."""
        return cls(code=error.code, what=error.what, where=error.where, todo=error.todo)

    def error(self) -> AtollError | None:
        """The error that it carries."""
        if not self.code:
            return None
        return _ERRORS.get(self.code, Unavailable)(self.what, where=self.where, todo=self.todo)

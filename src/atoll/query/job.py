"""What a query process is asked to do, and what it answers: JSON in, Arrow and JSON out.

The process writes one byte `R` when it is ready and reads one JSON line, a `Job`.
It answers with one JSON line, a `Status`, that says whether there is a result and
which relations it reads; then, if there is one, with an Arrow IPC stream (schema,
batches, end) and one more `Status`, that says how it ended. An answer that breaks
off is that of a process that has died.
"""

from __future__ import annotations

from typing import Literal

from atoll.errors import (
    AtollError,
    IntegrityBroken,
    InvalidInput,
    LimitExceeded,
    StatementRefused,
    Unavailable,
)
from atoll.model.query import QueryLimits, Relation
from atoll.model.record import Frozen
from atoll.model.table import Column

READY = b"R"

_ERRORS: dict[str, type[AtollError]] = {
    kind.code: kind for kind in (InvalidInput, StatementRefused, LimitExceeded, IntegrityBroken, Unavailable)
}


class Job(Frozen):
    """One query over relations, or one row filter to check over columns."""

    kind: Literal["query", "filter"]
    #: The statement, or the predicate.
    sql: str
    relations: tuple[Relation, ...] = ()
    columns: tuple[Column, ...] = ()
    limits: QueryLimits


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

    @classmethod
    def of(cls, error: AtollError) -> Status:
        """The status that carries an error to the other process."""
        return cls(code=error.code, what=error.what, where=error.where, todo=error.todo)

    def error(self) -> AtollError | None:
        """The error that it carries."""
        if not self.code:
            return None
        return _ERRORS.get(self.code, Unavailable)(self.what, where=self.where, todo=self.todo)

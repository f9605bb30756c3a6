"""From errors of the database drivers to domain errors.

Texts of drivers can hold values (PostgreSQL tells the key that collided), so none is
passed on: only the driver's own name for the error goes into the message.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from atoll.errors import AtollError, IntegrityBroken, Unavailable

#: PostgreSQL: serialization failure and deadlock. The transaction was undone whole.
_UNDONE_STATES = frozenset({"40001", "40P01"})
_BROKEN_FILE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")


class Undone(Exception):
    """The database undid the transaction for its own reasons; it can be run again."""


def _translated(error: Exception, where: str) -> AtollError | Undone:
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    name = str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or type(cause).__name__)
    if name in _UNDONE_STATES:
        return Undone()
    if name.startswith(_BROKEN_FILE):
        return IntegrityBroken(
            f"The record store's file is damaged: {name}.",
            where=where,
            todo="Stop Atoll and restore the file from a backup.",
        )
    # SQLite's plain SQLITE_ERROR is a statement that does not fit the tables.
    away = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, sqlite3.OperationalError)
    if isinstance(error, away) and name != "SQLITE_ERROR":
        return Unavailable(
            f"The record store does not answer: {name}.",
            where=where,
            todo="Check that the database runs and can be reached, then try again.",
        )
    return IntegrityBroken(
        f"The record store refused a statement: {name}.",
        where=where,
        todo="Check the rights of the database user, and that the tables are those of this release.",
    )


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Run database work; errors of the driver come out as `Unavailable`, `IntegrityBroken` or `Undone`.

    `where` names the store without its password.
    """
    try:
        yield
    # Statements fail with SQLAlchemy's errors, the set-up of a new connection with the driver's own.
    except (exc.SQLAlchemyError, sqlite3.Error) as error:
        raise _translated(error, where) from None

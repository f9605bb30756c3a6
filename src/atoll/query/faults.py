"""From the engine's errors to ours, with nothing of the data in them.

The engine's texts quote values ("Could not convert string 'X'"), paths and hints on
settings. What goes wrong while values are computed is told by its kind alone; what
goes wrong while names are bound is told in the engine's words, without any quoted
text or path that the statement itself does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb

from atoll.errors import AtollError, IntegrityBroken, InvalidInput, LimitExceeded, StatementRefused, Unavailable

_MAX_CHARACTERS = 400
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_PATH = re.compile(r"(?<![\w)])(?:[a-zA-Z]:)?/[^\s,;:'\"]+")
_TARGET = re.compile(r"\bto (?:type )?([A-Z][A-Z0-9_]*(?:\(\d+, ?\d+\))?)\b")

_BY_KIND: tuple[tuple[tuple[type[Exception], ...], type[AtollError], str, str], ...] = (
    (
        (duckdb.OutOfMemoryException, MemoryError),
        LimitExceeded,
        "The query needs more memory than it may use.",
        "Read fewer columns or rows, or aggregate earlier.",
    ),
    (
        (duckdb.OutOfRangeException,),
        InvalidInput,
        "A number is out of range of its type.",
        "Cast to a wider type first.",
    ),
    (
        (duckdb.InvalidInputException, duckdb.TypeMismatchException),
        InvalidInput,
        "A function was given a value or argument that it cannot take.",
        "",
    ),
    (
        (duckdb.NotImplementedException,),
        InvalidInput,
        "The statement uses something that the engine cannot do.",
        "",
    ),
    (
        (duckdb.PermissionException,),
        StatementRefused,
        "The statement reaches for something outside the granted tables.",
        "",
    ),
    (
        (duckdb.IOException, OSError),
        IntegrityBroken,
        "A data file of the lake cannot be read, or the query's own space on disk is full.",
        "Try again; if it stays so, tell the steward of the dataset.",
    ),
)


def told(error: Exception, sql: str, names: Iterable[str] = ()) -> AtollError:
    """The domain error for an exception raised while `sql` was bound or run.

    `names` are the tables and columns that may be told of beside those in `sql`.
    """
    if isinstance(error, AtollError):
        return error
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        return StatementRefused("The statement does not fit the tables: " + bound(str(error), sql, names))
    if isinstance(error, duckdb.ConversionException):
        return InvalidInput(f"A value cannot be converted{_target(str(error))}.", todo="TRY_CAST gives NULL instead.")
    for kinds, domain, what, todo in _BY_KIND:
        if isinstance(error, kinds):
            return domain(what, todo=todo)
    return Unavailable(f"The query failed inside the engine ({type(error).__name__}).")


def bound(message: str, sql: str, names: Iterable[str] = ()) -> str:
    """The engine's words on a binding error, without paths and quoted text but `names` and what `sql` holds."""
    text = message.split("\n\nLINE ", 1)[0]
    text = text.split(": ", 1)[-1] if text.startswith(("Binder", "Catalog", "Parser")) else text
    told_names = {name.lower() for name in names}
    known = sql.lower()

    def quoted(match: re.Match[str]) -> str:
        inner = match[0][1:-1].lower()
        return match[0] if inner in known or inner in told_names else match[0][0] + "..." + match[0][0]

    text = _PATH.sub("...", _QUOTED.sub(quoted, text))
    return " ".join(text.split())[:_MAX_CHARACTERS]


def _target(message: str) -> str:
    match = _TARGET.search(message)
    return f" to {match[1]}" if match else ""

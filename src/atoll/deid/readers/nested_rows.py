"""Nested records (JSON objects, messages, headers of images) to flat rows by the paths of a contract."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl

from atoll.deid.readers.field_tree import Found, field_tree
from atoll.deid.readers.reading import Reading
from atoll.deid.readers.streamed import Notes, streamed
from atoll.model.contract import EnteringRule, TableContract
from atoll.model.identified import MalformedRow

#: Paths shown in one message, and counted for one file: data must not flood either.
_PATHS_IN_MESSAGE = 5
_PATHS_COUNTED = 500
#: Rows of an array within a record have the record's number times this, and their own place.
ROWS_OF_A_RECORD = 1_000_000_000
#: What FHIR forbids to leave out unread, as it may turn the meaning round
#: (HL7 FHIR R4, 2.4.1.2 modifierExtension; 2.27.1 implicitRules).
_MODIFIERS = ("modifierExtension", "implicitRules")

Value = dict[str, object]


class BadRecordError(Exception):
    """A record that is no row: rule and message."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(rule, message)
        self.rule, self.message = rule, message


class Entry(NamedTuple):
    """One record of a file.

    Attributes:
        row: its number in the file, from 1.
        raw: as delivered; identified, for held rows only.
        text: makes the text of `raw` that quarantine keeps.
        value: the record; None when it is none, for the reason `bad`.
        exact: makes of `raw` the same with numbers as their text; asked for when a fraction is found.
    """

    row: int
    raw: Any
    text: Callable[[Any], str]
    value: Value | None
    bad: BadRecordError | None = None
    exact: Callable[[Any], Value] | None = None


class NestedRows:
    """Turns records into the rows of one table, and notes what is no row.

    Where several tables take parts of the same records (`kin`: the same kind of record, by
    different arrays), each knows what the others name, and the first notes what is wrong.
    """

    def __init__(self, table: TableContract, kin: Sequence[TableContract] = (), implied: Sequence[str] = ()) -> None:
        named = [rule.path or key for other in kin if other is not table for key, rule in other.columns.items()]
        self._tree = field_tree(table, implied=(*implied, *named))
        # The strictest of the tables that share a record decides for all, so that they agree on it.
        self._leaves_out = all(part.unknown_fields == "leave_out" for part in (table, *kin))
        self._notes_faults = not kin or kin[0] is table
        self._each = tuple(table.each.split(".")) if table.each else ()
        coded = [n for n, r in table.columns.items() if isinstance(r, EnteringRule) and r.decode == "base64"]
        self._coded = tuple(self._tree.columns.index(name) for name in coded)

    @property
    def columns(self) -> tuple[str, ...]:
        """Keys of the entering rules, in order."""
        return self._tree.columns

    def frame(self, entries: Iterable[Entry], notes: Notes) -> pl.DataFrame:
        """The rows of some records: `__row`, all columns (String), `__raw`."""
        numbers, raws, values = list[int](), list[str](), list[list[str | None]]()
        for entry in entries:
            for number, row in self._rows(entry, notes):
                numbers.append(number)
                values.append(row)
                raws.append(entry.text(entry.raw))
        columns = zip(*values, strict=True) if values else [()] * len(self.columns)
        series = [pl.Series("__row", numbers, dtype=pl.Int64)]
        series += [pl.Series(k, c, dtype=pl.String) for k, c in zip(self.columns, columns, strict=True)]
        return pl.DataFrame([*series, pl.Series("__raw", raws, dtype=pl.String)])

    def _rows(self, entry: Entry, notes: Notes) -> list[tuple[int, list[str | None]]]:
        try:
            if entry.value is None:
                raise entry.bad or BadRecordError("malformed", "The record cannot be read.")
            if not self._each:
                return [(entry.row, self._values(entry.value, entry, notes))]
            return self._elements(entry, entry.value, notes)
        except BadRecordError as bad:
            if self._notes_faults:
                notes.malformed.append(
                    MalformedRow(row=entry.row, rule=bad.rule, message=bad.message, raw=entry.text(entry.raw))
                )
            return []

    def _elements(self, entry: Entry, value: Value, notes: Notes) -> list[tuple[int, list[str | None]]]:
        rows = []
        exact = entry.exact(entry.raw) if entry.exact is not None else value
        for at, single in enumerate(_singles(exact, self._each), 1):
            rows.append((entry.row * ROWS_OF_A_RECORD + at, self._values(single, None, notes)))
        return rows

    def _values(self, value: Value, entry: Entry | None, notes: Notes) -> list[str | None]:
        found = self._tree.walk(value)
        if found.inexact and entry is not None and entry.exact is not None:
            found = self._tree.walk(entry.exact(entry.raw))
        if found.nested:
            raise BadRecordError("nested_value", listed("More than one value where a column wants one", found.nested))
        if found.unnamed:
            self._unnamed(found, notes)
        for column in self._coded:
            found.values[column] = _decoded(found.values[column], self.columns[column])
        return found.values

    def _unnamed(self, found: Found, notes: Notes) -> None:
        if not self._leaves_out:
            raise BadRecordError("unknown_field", listed("Fields that no rule names", found.unnamed))
        if modifiers := [p for p in found.unnamed if any(m in p for m in _MODIFIERS)]:
            raise BadRecordError("modifier", listed("Unnamed fields that may turn the meaning", modifiers))
        if self._notes_faults:
            for path in dict.fromkeys(found.unnamed):
                shown = path if path in notes.unknown or len(notes.unknown) < _PATHS_COUNTED else "?"
                notes.unknown[shown] = notes.unknown.get(shown, 0) + 1


def nested_reading(rows: NestedRows, entries: Callable[[Notes], Iterator[Iterable[Entry]]], name: str) -> Reading:
    """A reading of the records that `entries` gives, some thousand at a time; see `read_ndjson`."""

    def frames(notes: Notes) -> Iterator[pl.DataFrame]:
        for block in entries(notes):
            yield rows.frame(block, notes)

    return streamed({**dict.fromkeys(rows.columns, pl.String()), "__raw": pl.String()}, frames, name)


def listed(what: str, paths: Sequence[str]) -> str:
    """A sentence with the first paths, each once."""
    distinct = list(dict.fromkeys(paths))
    more = f" and {len(distinct) - _PATHS_IN_MESSAGE} more" if len(distinct) > _PATHS_IN_MESSAGE else ""
    return f"{what}: {', '.join(distinct[:_PATHS_IN_MESSAGE])}{more}."


def _singles(value: Value, path: Sequence[str]) -> Iterator[Value]:
    """The record once for each element of the array at `path`, with that element only."""
    key, rest = path[0], path[1:]
    inner = value.get(key)
    if rest:
        for one in _singles(inner, rest) if isinstance(inner, dict) else ():
            yield {**value, key: one}
    elif isinstance(inner, list):
        for element in inner:
            yield {**value, key: [element]}


def _decoded(text: str | None, column: str) -> str | None:
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True).decode() or None
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise BadRecordError("base64", f"{column} is no text in base64.") from None

"""Newline-delimited JSON: nested rows to flat columns by the paths of a contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from atoll.deid.readers.json_lines import MAX_LINE_BYTES, line_blocks
from atoll.deid.readers.nested_rows import BadRecordError, Entry, NestedRows, Value, nested_reading
from atoll.deid.readers.reading import Reading
from atoll.model.contract import TableContract

_NAME_END = b'":'
_NO_JSON = "The line is not JSON, or nested too deeply."
_RAW_OF_LONG_LINE = 1 << 16


def read_ndjson(path: Path, table: TableContract) -> Reading:
    """Rows of a file of JSON objects, one a line, lazily; blank lines are no rows.

    All columns are String: texts as they are, numbers as they were written (0.10 stays
    0.10), `true` and `false`; null where the path leads nowhere; the values of a path
    with `[*]` are joined by `|`; base64 is decoded where the rule says so. `__raw` is the line.

    Malformed are lines that are no JSON object, or one with a field twice (rule `malformed`),
    an object or array where a column wants one value (`nested_value`), what is no text in base64
    (`base64`), and, unless the table leaves them out, rows with fields that no rule names
    (`unknown_field`).

    Raises:
        ContractInvalid: a rule's path is no path.
    """
    return nested_reading(NestedRows(table), lambda notes: line_entries(path), "NDJSON")


def line_entries(path: Path) -> Iterator[Iterable[Entry]]:
    """The lines of a file as records, some megabytes at a time; each is parsed when it is taken, and not kept."""
    number = 1
    for lines in line_blocks(path):
        yield map(_entry, range(number, number + len(lines)), lines)
        number += len(lines)


def _entry(number: int, line: bytes) -> Entry:
    if len(line) > MAX_LINE_BYTES:
        what = f"The line is longer than {MAX_LINE_BYTES} bytes."
        return Entry(number, line, _text, None, BadRecordError("malformed", what))
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Entry(number, line, _text, None, BadRecordError("malformed", _NO_JSON))
    if not isinstance(row, dict):
        return Entry(number, line, _text, None, BadRecordError("malformed", "The line is JSON but no object."))
    # A parser takes the last of two fields with one name. The text has more names then than what was
    # parsed; blanks before a colon and escapes change the count too, so it is looked at closely.
    if line.count(_NAME_END) != _names(row) and _has_field_twice(line):
        return Entry(number, line, _text, None, BadRecordError("malformed", "A field of the object stands twice."))
    return Entry(number, line, _text, row, None, _exact)


def _names(row: Value) -> int:
    """About how many fields there are, at all depths; -1 for rows that are too deep to say."""
    try:
        return orjson.dumps(row).count(_NAME_END)
    except orjson.JSONEncodeError:
        return -1


def _has_field_twice(line: bytes) -> bool:
    def no_twins(pairs: list[tuple[str, object]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise KeyError

    try:
        json.loads(line, object_pairs_hook=no_twins)
    except KeyError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _text(line: bytes) -> str:
    cut = line if len(line) <= MAX_LINE_BYTES else line[:_RAW_OF_LONG_LINE]
    return cut.decode("utf-8", errors="backslashreplace")


def _exact(line: bytes) -> Value:
    """The same row with numbers as their text; slower, so only for rows that need it."""
    try:
        row: Value = json.loads(line, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise BadRecordError("malformed", _NO_JSON) from None
    return row

"""A CSV file read line by line, for the files that a strict parser cannot vouch for.

Rows that are rows are written to a scratch file of a strict form (UTF-8, LF, the same
separator and quote, each row's number in front), which Polars then reads; the others are given back, one by one,
with what is wrong. Every line of the file is in one of the two.

A quoted field may hold line ends. Where its quote never closes properly, only the line
it opens in is malformed, and reading goes on at the next. A quote inside a field that
does not begin with one is an ordinary character, as in `5" tube`. Empty lines at the end of
the file are not rows; an empty line elsewhere is a ragged one (or, in a file of one
column, a null).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from atoll.deid.readers.refusal import FileRefused
from atoll.model.contract import CsvDialect
from atoll.model.identified import MalformedRow

#: More malformed rows than this and the file is refused whole: the contract's dialect is wrong.
MALFORMED_MAX = 100_000
#: A quoted field longer than this many lines is taken for a stray quote.
_QUOTED_LINES_MAX = 1000

_MESSAGES = {
    "encoding": "The line is not text of the contract's encoding.",
    "nul": "The line holds a NUL byte.",
    "quote": "A quoted field does not close, or has text behind its closing quote.",
    "blank": "The line is empty.",
}


class CarefulCsv:
    """Splits the data of one CSV file into rows and malformed lines."""

    def __init__(self, path: Path, dialect: CsvDialect, *, columns: int, offset: int) -> None:
        self._path = path
        self._dialect = dialect
        self._columns = columns
        self._offset = offset
        self._separator = dialect.separator
        self._quote = dialect.quote
        self._comma = dialect.separator.encode()
        self._mark = dialect.quote.encode()
        quote, separator = re.escape(dialect.quote), re.escape(dialect.separator)
        self._quoted = re.compile(f"{quote}((?:[^{quote}]|{quote}{quote})*){quote}(?={separator}|$)", re.DOTALL)

    def split(self, scratch: Path) -> tuple[int, list[MalformedRow]]:
        """Write the rows to `scratch`; how many there are, and the malformed ones.

        Raises `FileRefused` when there are too many.
        """
        written = 0
        malformed: list[MalformedRow] = []
        with scratch.open("wb", buffering=1 << 20) as out:
            for row, found in enumerate(self._rows(), start=1):
                if isinstance(found, bytes):
                    out.write(b"%d%b%b\n" % (row, self._comma, found))
                    written += 1
                    continue
                rule, raw = found
                message = _MESSAGES.get(rule) or f"The row has {rule} fields where the header has {self._columns}."
                name = rule if rule in ("encoding", "nul", "quote") else "ragged"
                malformed.append(MalformedRow(row=row, rule=name, message=message, raw=raw))
                if len(malformed) > MALFORMED_MAX:
                    raise FileRefused(
                        f"More than {MALFORMED_MAX:,} lines cannot be read as rows.",
                        rule="malformed",
                        todo="Compare the file with the separator, quote and encoding of its contract.",
                    )
        return written, malformed

    def _rows(self) -> Iterator[bytes | tuple[str, str]]:
        """Each row in its strict form, or what is wrong with it and its text."""
        lines = self._lines()
        waiting: list[bytes] = []
        while (line := waiting.pop(0) if waiting else next(lines, None)) is not None:
            if self._is_simple(line):
                yield line
                continue
            text, rule = self._decoded(line)
            if rule:
                yield rule, text
                continue
            if self._quote not in text:
                text = text.removesuffix("\r")
                yield self._judged(text.split(self._separator), text)
                continue
            fields, used = self._quoted_fields(text, lines, waiting)
            del waiting[:used]
            yield ("quote", text) if fields is None else self._judged(fields, text)

    def _quoted_fields(self, text: str, lines: Iterator[bytes], waiting: list[bytes]) -> tuple[list[str] | None, int]:
        """The fields of a row that begins with `text`, and how many of the lines after it it took.

        Lines read ahead are left in `waiting`.
        """
        used = 0
        while True:
            fields = self._fields(text.removesuffix("\r"))
            if fields is not None:
                return fields, used
            if not self._open(text) or used >= _QUOTED_LINES_MAX:
                return None, 0
            if used == len(waiting):
                following = next(lines, None)
                if following is None:
                    return None, 0
                waiting.append(following)
            more, rule = self._decoded(waiting[used])
            if rule:
                return None, 0
            text += "\n" + more
            used += 1

    def _fields(self, text: str) -> list[str] | None:
        """The fields of a whole row, None when a quoted field does not end as it should."""
        fields: list[str] = []
        at = 0
        while True:
            if text.startswith(self._quote, at):
                match = self._quoted.match(text, at)
                if match is None:
                    return None
                fields.append(match[1].replace(self._quote * 2, self._quote))
                at = match.end()
            else:
                end = text.find(self._separator, at)
                end = len(text) if end < 0 else end
                fields.append(text[at:end])
                at = end
            if at >= len(text):
                return fields
            at += 1

    def _open(self, text: str) -> bool:
        """Whether `text` ends within a quoted field, so that the next line may close it."""
        at = 0
        while at <= len(text):
            if not text.startswith(self._quote, at):
                end = text.find(self._separator, at)
                if end < 0:
                    return False
                at = end + 1
                continue
            match = self._quoted.match(text, at)
            if match is None:
                body = text[at + 1 :].replace(self._quote * 2, "")
                return self._quote not in body
            at = match.end() + 1
        return False

    def _is_simple(self, line: bytes) -> bool:
        """Whether the line is a row as it stands: most are, and this is quick to tell."""
        return (
            line.isascii()
            and line.count(self._comma) == self._columns - 1
            and not (self._mark in line or b"\r" in line or b"\0" in line)
        )

    def _judged(self, fields: list[str], text: str) -> bytes | tuple[str, str]:
        if len(fields) == self._columns:
            return self._separator.join(map(self._strict, fields)).encode()
        return ("blank" if text == "" else str(len(fields))), text

    def _decoded(self, line: bytes) -> tuple[str, str]:
        """The line's text, and the rule it breaks ('' when none)."""
        try:
            text = line.decode(self._dialect.encoding)
        except UnicodeDecodeError:
            return line.decode("utf-8", "backslashreplace"), "encoding"
        return (text, "nul") if "\0" in text else (text, "")

    def _lines(self) -> Iterator[bytes]:
        """Lines without their LF (a CR before it stays); empty ones at the end of the file are left out."""
        empty = 0
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                body = line.removesuffix(b"\n")
                if body in (b"", b"\r"):
                    empty += 1
                    continue
                for _ in range(empty):
                    yield b""
                empty = 0
                yield body

    def _strict(self, field: str) -> str:
        """The field, in quotes where it needs them."""
        quote = self._quote
        if quote in field or self._separator in field or "\n" in field or "\r" in field:
            return quote + field.replace(quote, quote * 2) + quote
        return field

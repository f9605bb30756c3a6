"""HL7 v2 files cut into messages, and segments into fields.

Source of the form: HL7 v2.5.1, chapter 2 (2.5 messages and delimiters, 2.7 escape
sequences, 2.10.3 batches); MLLP, Transport Specification R1, for its frame characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_READ_BYTES = 1 << 20
#: A segment beyond this is no segment; an embedded document may be large.
MAX_SEGMENT_BYTES = 64 << 20
_SEGMENTS_MAX = 100_000
_FRAME = b"\x0b\x1c"
_ENVELOPE = ("FHS", "BHS", "BTS", "FTS")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}\Z")
_ENDS = re.compile(rb"[\r\n]+")

#: Fields by number, each its repetitions, each its components by number, each its
#: subcomponents by number: `PID-5[0].1.1`.
Fields = dict[str, object]


@dataclass(frozen=True)
class Line:
    """A segment as delivered: its number among the file's segments, from 1, and its bytes."""

    number: int
    raw: bytes


@dataclass
class Message:
    """The lines of one message, the first of them MSH; without `lines[0]` of MSH what stands before any."""

    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Delimiters:
    """The characters that MSH-1 and MSH-2 declare."""

    fields: str
    components: str
    repetitions: str
    escape: str
    subcomponents: str


class BadMessageError(Exception):
    """A message that cannot be read: rule and sentence."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(rule, message)
        self.rule, self.message = rule, message


def messages(path: Path) -> Iterator[Message]:
    """Each message of a file: one, several, or a batch, framed or not. Batch headers and trailers are left out."""
    current = Message()
    for line in _lines(path):
        if line.raw.startswith(b"MSH"):
            if current.lines:
                yield current
            current = Message([line])
        elif line.raw[:3].decode("latin-1") not in _ENVELOPE:
            current.lines.append(line)
        if len(current.lines) > _SEGMENTS_MAX:
            yield current
            current = Message()
    if current.lines:
        yield current


def _lines(path: Path) -> Iterator[Line]:
    number, rest = 0, b""
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            *whole, rest = _ENDS.split(rest + block)
            if len(rest) > MAX_SEGMENT_BYTES:
                whole.append(rest)
                rest = b""
            for raw in whole:
                if text := raw.strip(_FRAME):
                    number += 1
                    yield Line(number, text)
    if text := rest.strip(_FRAME):
        yield Line(number + 1, text)


def delimiters(header: str) -> Delimiters:
    """What a message's MSH declares. Raises `BadMessageError` (rule `header`)."""
    separator, declared = header[3:4], header[4:].partition(header[3:4] or "|")[0]
    characters = separator + declared
    if not header.startswith("MSH"):
        raise BadMessageError("header", "The message does not begin with MSH.")
    if len(declared) not in (4, 5) or len(set(characters)) < len(characters):
        raise BadMessageError("header", "MSH does not declare a field separator and four encoding characters.")
    if any(c.isalnum() or c.isspace() or not c.isprintable() for c in characters):
        raise BadMessageError("header", "MSH declares letters, digits or blanks as encoding characters.")
    return Delimiters(separator, declared[0], declared[1], declared[2], declared[3])


def segment(text: str, marks: Delimiters) -> tuple[str, Fields]:
    """A segment's name and its fields, those that are not empty. Raises `BadMessageError` (rule `segment`)."""
    name, *parts = text.split(marks.fields)
    if not _NAME.match(name):
        raise BadMessageError("segment", "A segment does not begin with a segment's name.")
    first = 1
    found: Fields = {}
    if name == "MSH":
        found = {"MSH-1": [{"1": {"1": marks.fields}}], "MSH-2": [{"1": {"1": parts[0]}}]}
        parts, first = parts[1:], 3
    for number, part in enumerate(parts, first):
        if part:
            found[f"{name}-{number}"] = [_components(one, marks) for one in part.split(marks.repetitions)]
    return name, found


def _components(text: str, marks: Delimiters) -> dict[str, object]:
    parts = enumerate(text.split(marks.components), 1)
    return {str(number): _subcomponents(part, marks) for number, part in parts if part}


def _subcomponents(text: str, marks: Delimiters) -> dict[str, object]:
    parts = enumerate(text.split(marks.subcomponents), 1)
    return {str(number): unescaped(part, marks) for number, part in parts if part and part != '""'}


def unescaped(text: str, marks: Delimiters) -> str:
    """Text with its escape sequences resolved; unknown ones stay as they are."""
    if marks.escape not in text:
        return text
    known = {
        "F": marks.fields,
        "S": marks.components,
        "T": marks.subcomponents,
        "R": marks.repetitions,
        "E": marks.escape,
        ".br": "\n",
    }

    def resolve(match: re.Match[str]) -> str:
        code = match[1]
        if code.startswith("X") and re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", code[1:]):
            return bytes.fromhex(code[1:]).decode("utf-8", "replace")
        return known.get(code, match[0])

    mark = re.escape(marks.escape)
    return re.sub(f"{mark}([^{mark}]*){mark}", resolve, text)

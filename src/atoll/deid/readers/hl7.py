"""HL7 v2 messages (ORU, ADT and any other): segments to tables, default deny for segments and fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atoll.deid.readers.hl7_messages import (
    MAX_SEGMENT_BYTES,
    BadMessageError,
    Fields,
    Line,
    Message,
    delimiters,
    messages,
    segment,
)
from atoll.deid.readers.nested_rows import BadRecordError, Entry, NestedRows, nested_reading
from atoll.deid.readers.reading import Reading
from atoll.deid.readers.refusal import FileRefused
from atoll.deid.readers.streamed import Notes
from atoll.model.contract import Drop, TableContract

_MESSAGES_IN_BLOCK = 200
_RAW_MAX = 1 << 16
#: A rule's path: segment, field, repetition, component, subcomponent.
PATH = re.compile(
    r"([A-Z][A-Z0-9]{2})-([1-9][0-9]{0,2})(\[(?:[0-9]{1,4}|\*)\])?(\.[1-9][0-9]{0,2})?(\.[1-9][0-9]{0,2})?\Z"
)
#: What a segment begins anew: those of its kind before it no longer go with what follows.
_BEGINS = {
    "PID": ("PD1", "NK1", "PV1", "PV2", "ORC", "OBR", "OBX", "NTE", "SPM", "TQ1"),
    "ORC": ("OBR", "OBX", "NTE", "SPM", "TQ1"),
    "OBR": ("OBX", "NTE", "SPM", "TQ1"),
    "OBX": ("NTE",),
}


def read_hl7(path: Path, table: TableContract, parts: Sequence[TableContract] = ()) -> Reading:
    """The segments of a file's messages that the table takes (`segment`), lazily.

    Rules name fields as `PID-5[0].1`: repetition 0 and component and subcomponent 1 where
    none is given. A row may also have fields of the segments before it in its message
    (`PID-3.1` beside a result). All columns are String; `""`, HL7's null, is null.

    A message with a segment that is in no table and in no `other_segments` (rule
    `unknown_segment`; so all Z-segments), or that cannot be read (`header`, `segment`,
    `encoding`, `too_large`), is held whole, each of its segments a row; a segment with a
    field that no rule names is held by itself (`unknown_field`).

    Raises:
        FileRefused: while reading: no message in the file (rule `format`).
    """
    parts = parts or (table,)
    context = _fields_before(table)
    # What a segment before this one has beside the field asked for is that segment's affair.
    rows = NestedRows(_expanded(table), implied=sorted(context))
    source = _Source(path, table, tuple(parts), context)
    return nested_reading(rows, source.entries, "HL7")


def _expanded(table: TableContract) -> TableContract:
    """The table with every entering rule's path written to the end: `PID-8` is `PID-8[0].1.1`."""
    columns = dict(table.columns)
    for key, rule in table.columns.items():
        if isinstance(rule, Drop):
            continue
        match = PATH.match(rule.path or key)
        if match is not None:
            name, number, repetition, component, sub = match.groups()
            path = f"{name}-{number}{repetition or '[0]'}{component or '.1'}{sub or '.1'}"
            columns[key] = rule.model_copy(update={"path": path})
    return table.model_copy(update={"columns": columns})


def _fields_before(table: TableContract) -> frozenset[str]:
    """Fields of other segments that the table's rows take along."""
    places = [PATH.match(rule.path or key) for key, rule in table.columns.items()]
    return frozenset(f"{m[1]}-{m[2]}" for m in places if m is not None and m[1] != table.segment)


@dataclass(frozen=True)
class _Source:
    path: Path
    table: TableContract
    parts: tuple[TableContract, ...]
    context: frozenset[str]

    def entries(self, notes: Notes) -> Iterator[list[Entry]]:
        block: list[Entry] = []
        found = False
        for count, message in enumerate(messages(self.path), 1):
            found = found or message.lines[0].raw.startswith(b"MSH")
            block += self._message(message, notes)
            if count % _MESSAGES_IN_BLOCK == 0:
                yield block
                block = []
        if not found:
            todo = "Deliver HL7 v2 messages, each beginning with MSH."
            raise FileRefused("The file holds no HL7 v2 message.", rule="format", todo=todo)
        yield block

    def _message(self, message: Message, notes: Notes) -> list[Entry]:
        leads = self.parts[0] is self.table
        try:
            segments = self._segments(message)
        except BadMessageError as bad:
            reason = BadRecordError(bad.rule, bad.message)
            return [Entry(line.number, line, _raw, None, reason) for line in message.lines] if leads else []
        taken = {part.segment for part in self.parts}
        before: dict[str, Fields] = {}
        entries = []
        for line, (name, fields) in zip(message.lines, segments, strict=True):
            for ended in _BEGINS.get(name, ()):
                before.pop(ended, None)
            if name == self.table.segment:
                context = {k: v for known in before.values() for k, v in known.items() if k in self.context}
                entries.append(Entry(line.number, line, _raw, {**context, **fields}))
            elif leads and name not in taken:
                notes.passed.append(line.number)
            before[name] = fields
        return entries

    def _segments(self, message: Message) -> list[tuple[str, Fields]]:
        """The segments' names and fields. Raises `BadMessageError`."""
        texts = [self._text(line) for line in message.lines]
        marks = delimiters(texts[0])
        segments = [segment(text, marks) for text in texts]
        known = {"MSH", *(p.segment for p in self.parts), *(name for p in self.parts for name in p.other_segments)}
        if strange := sorted({name for name, _ in segments if name not in known}):
            shown = ", ".join(strange[:5]) + (" and more" if len(strange) > 5 else "")
            raise BadMessageError("unknown_segment", f"The message has segments that no table names: {shown}.")
        if sum(name == "MSH" for name, _ in segments) > 1 or not any(f.get("MSH-9") for _, f in segments):
            raise BadMessageError("header", "MSH does not say what type of message it is (MSH-9).")
        return segments

    def _text(self, line: Line) -> str:
        if len(line.raw) > MAX_SEGMENT_BYTES:
            raise BadMessageError("too_large", f"A segment is longer than {MAX_SEGMENT_BYTES} bytes.")
        encoding = self.table.encoding if "encoding" in self.table.model_fields_set else "utf-8"
        try:
            text = line.raw.decode(encoding)
        except UnicodeDecodeError:
            raise BadMessageError("encoding", f"A segment is not text of the encoding {encoding}.") from None
        if "\0" in text:
            raise BadMessageError("nul", "A segment holds a NUL byte.")
        return text


def _raw(line: Line) -> str:
    return line.raw[:_RAW_MAX].decode("utf-8", "backslashreplace")
